"""What a tuning's page shows, in the order and with the words in which it is read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from busbar.record.models import PointKey
from busbar.report import tuning_words as words
from busbar.report.headline import Alarm, Banner, kind_banners
from busbar.report.rows import Grade
from busbar.report.style import Style, style
from busbar.report.text import many, moment, slug
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.naming import spoken
from busbar.tune.searched import Searched, SearchedPoint
from busbar.tune.space import PointSpace, load_space
from busbar.tune.tuned import Choice, Tuned

State = Literal["kept", "not proven", "nothing faster", "not measured"]
"""What became of a point. The last: its proof failed, so that nothing is known of its gain."""

_GRADES: dict[State, Grade] = {
    "kept": Grade.GOOD,
    "not proven": Grade.NEUTRAL,
    "nothing faster": Grade.NEUTRAL,
    "not measured": Grade.UNSURE,
}


@dataclass(frozen=True)
class ChoiceRow:
    """One line of the table of choices."""

    choice: Choice
    state: State
    name: str
    """What was tried, by the library's own names; empty where nothing was."""
    settings: str
    """The same as it is set."""
    share: float | None
    """Of the workload's time by default."""

    @property
    def grade(self) -> Grade:
        """Its colour."""
        return _GRADES[self.state]

    @property
    def gain(self) -> float | None:
        """None where it is not known."""
        return None if self.state == "not measured" else self.choice.gain


@dataclass(frozen=True)
class CandidateCurve:
    """A candidate's medians in the search, by size."""

    candidate: Candidate
    name: str
    times_us: Mapping[int, float]
    style: Style | None
    """None: one of the many that are drawn grey."""
    chosen_at: frozenset[int]
    """Sizes at which it was what the search thought best."""


Kind = Literal["best", "plain", "pruned", "failed", "none"]


@dataclass(frozen=True)
class Cell:
    """What is known of a candidate at one size."""

    kind: Kind
    time_us: float | None
    """Its median; the least that theory allows where it was pruned."""
    said: str
    """For who asks."""


@dataclass(frozen=True)
class CandidateRow:
    """One candidate at all sizes."""

    name: str
    settings: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class OpView:
    """One operation."""

    id: str
    name: str
    sizes: tuple[int, ...]
    rows: tuple[ChoiceRow, ...]
    curves: tuple[CandidateCurve, ...]
    """The default first, then those that were best somewhere, then the rest."""
    grid: tuple[CandidateRow, ...]
    unseen: int
    """Candidates that were neither measured nor ruled out: the search had no need, or no time."""

    @property
    def has_sizes(self) -> bool:
        """False for a barrier, which moves nothing."""
        return any(self.sizes)

    @property
    def has_times(self) -> bool:
        """Whether the search has measured the default, which all others are drawn over."""
        return any(self.default_us)

    @property
    def default_us(self) -> Mapping[int, float]:
        """Its medians in the search, by size."""
        return next((c.times_us for c in self.curves if c.candidate == DEFAULT), {})


@dataclass(frozen=True)
class TuningView:
    """The whole page."""

    title: str
    banners: tuple[Banner, ...]
    grade: Grade
    verdict: str
    sentence: str
    what: str
    when: str
    how: str
    """How to read the figures."""
    alarms: tuple[Alarm, ...]
    ops: tuple[OpView, ...]
    environment: tuple[tuple[str, str], ...]
    environments: tuple[tuple[str, int, float, float | None], ...]
    """Tried: name, launches, the workload's microseconds, its gain over no setting."""
    cost: tuple[tuple[str, str], ...]
    made_for: tuple[tuple[str, str], ...]


def tuning_view(tuned: Tuned, searched: Searched) -> TuningView:
    """The page of a tuning. Raises UsageError where its transport has no search space."""
    made_for = tuned.made_for
    ops = tuple(_ops(tuned, searched))
    kept = sum(row.state == "kept" for op in ops for row in op.rows)
    anything = bool(kept)
    unproven = [r.choice for op in ops for r in op.rows if r.state == "not measured"]
    return TuningView(
        title=f"Tuned: {words.where(tuned)}",
        banners=kind_banners(fake=made_for.fake, on=made_for.on),
        grade=Grade.GOOD if anything else Grade.NEUTRAL,
        verdict="faster" if anything else "default",
        sentence=words.sentence(tuned, kept),
        what=words.what(tuned),
        when=moment(made_for.made),
        how=words.how(tuned),
        alarms=tuple(words.alarms(searched, unproven)),
        ops=ops,
        environment=tuple(sorted(tuned.environment.items())),
        environments=tuple(words.environments(searched)),
        cost=tuple(words.cost(tuned, searched)),
        made_for=tuple(words.made_for(tuned)),
    )


def _ops(tuned: Tuned, searched: Searched) -> Iterable[OpView]:
    space = load_space(tuned.space_name())
    points: dict[tuple[str, str, str | None], list[SearchedPoint]] = {}
    for one in searched.of(DEFAULT):
        points.setdefault(_kind(one.key), []).append(one)
    choices: dict[tuple[str, str, str | None], list[Choice]] = {}
    for choice in tuned.choices:
        choices.setdefault((choice.op, choice.datatype, choice.redop), []).append(choice)
    ops = [op for op, _, _ in choices]
    whole_us = _whole_us(tuned.choices)
    for kind, members in choices.items():
        # The datatype tells operations apart only where there are several of one name.
        name = kind[0] if ops.count(kind[0]) == 1 else " ".join(word for word in kind if word)
        of_calls = space.of_calls(kind[0], tuned.made_for.ranks, tuned.made_for.nodes)
        yield _op(name, members, points.get(kind, []), of_calls, bool(tuned.environment), whole_us)


def _kind(key: PointKey) -> tuple[str, str, str | None]:
    return key.op, key.datatype, key.redop


def _op(
    name: str,
    choices: Sequence[Choice],
    points: Sequence[SearchedPoint],
    space: PointSpace,
    by_environment: bool,
    whole_us: float | None,
) -> OpView:
    rows = [_row(choice, space, by_environment, whole_us) for choice in choices]
    rows.sort(key=lambda row: row.choice.size_bytes)
    by_size = {one.key.size_bytes: one for one in points}
    sizes = tuple(sorted({row.choice.size_bytes for row in rows} | set(by_size)))
    seen = {c for one in points for c in (*one.history.samples, *one.failed, *one.pruned)}
    return OpView(
        id=f"op-{slug(name)}",
        name=name,
        sizes=sizes,
        rows=tuple(rows),
        curves=tuple(_curves(rows, by_size, space)),
        grid=tuple(_grid(seen, sizes, by_size, space)),
        unseen=len(set(space.candidates) - seen),
    )


def _row(
    choice: Choice, space: PointSpace, by_environment: bool, whole_us: float | None
) -> ChoiceRow:
    tried = Candidate.of(choice.tried)
    name, settings = (spoken(space, tried), tried.name) if choice.tried else ("", "")
    share = choice.weight * choice.default_us / whole_us if whole_us else None
    return ChoiceRow(choice, _state(choice, by_environment), name, settings, share)


def _whole_us(choices: Sequence[Choice]) -> float | None:
    """What the workload takes by default, where that is known of all its points."""
    if any(choice.default_us == 0 for choice in choices):
        return None
    return sum(choice.weight * choice.default_us for choice in choices)


def _state(choice: Choice, by_environment: bool) -> State:
    if choice.gain == 0:
        return "not measured"
    if choice.settings or (by_environment and choice.gain_interval is not None):
        return "kept"
    return "not proven" if choice.gain_interval is not None or choice.tried else "nothing faster"


def _curves(
    rows: Sequence[ChoiceRow], by_size: Mapping[int, SearchedPoint], space: PointSpace
) -> Iterable[CandidateCurve]:
    chosen: dict[Candidate, set[int]] = {DEFAULT: set()}
    for row in rows:
        chosen.setdefault(Candidate.of(row.choice.tried), set()).add(row.choice.size_bytes)
    winners = [candidate for candidate in chosen if candidate != DEFAULT]
    measured = {c for one in by_size.values() for c in one.history.samples}
    rest = sorted(measured - set(chosen))
    for candidate in (DEFAULT, *winners, *rest):
        times = {
            size_bytes: estimate.median
            for size_bytes, one in sorted(by_size.items())
            if (estimate := one.history.estimate(candidate)) is not None
        }
        if times:
            looks = style(winners.index(candidate)) if candidate in winners else None
            name = spoken(space, candidate)
            yield CandidateCurve(
                candidate, name, times, looks, frozenset(chosen.get(candidate, ()))
            )


def _grid(
    seen: Iterable[Candidate],
    sizes: Sequence[int],
    by_size: Mapping[int, SearchedPoint],
    space: PointSpace,
) -> Iterable[CandidateRow]:
    """The default, then by how a candidate does over all sizes; those never measured last."""
    best = {n: one.history.best() for n, one in by_size.items()}

    def standing(candidate: Candidate) -> tuple[bool, float, Candidate]:
        ratios = []
        for n, one in by_size.items():
            own, first = one.history.estimate(candidate), best[n]
            fastest = one.history.estimate(first) if first is not None else None
            if own is not None and fastest is not None and fastest.median > 0:
                ratios.append(math.log(own.median / fastest.median))
        mean = sum(ratios) / len(ratios) if ratios else math.inf
        return candidate != DEFAULT, mean, candidate

    for candidate in sorted(seen, key=standing):
        cells = [_cell(candidate, by_size.get(n), best.get(n)) for n in sizes]
        yield CandidateRow(spoken(space, candidate), candidate.name, tuple(cells))


def _cell(candidate: Candidate, one: SearchedPoint | None, best: Candidate | None) -> Cell:
    if one is None:
        return Cell("none", None, "not searched at this size")
    if candidate in one.failed:
        return Cell("failed", None, one.failed[candidate])
    estimate = one.history.estimate(candidate)
    if estimate is not None:
        said = f"median of {many(estimate.samples, 'sample')}"
        return Cell("best" if candidate == best else "plain", estimate.median, said)
    if candidate in one.pruned:
        said = "not measured: theory says that it takes at least this long"
        return Cell("pruned", one.pruned[candidate], said)
    return Cell("none", None, "not measured")
