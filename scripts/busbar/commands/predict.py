"""`busbar predict`: what to expect where a tuning has not measured, and where it should."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from busbar.commands.tune_words import tune_words
from busbar.errors import UsageError
from busbar.record.models import PointKey
from busbar.terminal import console
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.measured import Tuning, measured_in, read_tuning, refuse_unlike, what_of
from busbar.tune.naming import algorithm_of, spoken
from busbar.tune.predict import FAR, Expected, Measured, Predictor, fit
from busbar.tune.space import PointSpace, Space, load_space
from busbar.tune.teach import Lesson, Spot, most_worth
from busbar.units import format_size, format_time_us, parse_size, sweep

_LESSONS = 3
_TELLS_NOTHING = 10
"""An interval that reaches so many times the expected time needs no figures."""
_EXAMPLES = """
[bold]Examples[/bold]

  busbar predict tuned-20260101-120000

  busbar predict tuned-8 tuned-16 --ranks 8,16,32 -b 64K -e 64M -f 4

[bold]Exit code[/bold]: 0 predicted · 2 unreadable input. Nothing is proven, so nothing is written.
"""


def predict(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER...",
            help="What busbar tune has written; several where the same was tuned elsewhere, "
            "with other sizes or ranks.",
        ),
    ],
    *,
    ranks: Annotated[
        str | None, typer.Option(help="Numbers of ranks, such as 8,16. Default: as measured.")
    ] = None,
    min_bytes: Annotated[
        str | None,
        typer.Option("-b", "--min-bytes", help="Smallest size. Default: a quarter of what was."),
    ] = None,
    max_bytes: Annotated[
        str | None,
        typer.Option("-e", "--max-bytes", help="Largest size. Default: four times what was."),
    ] = None,
    factor: Annotated[int, typer.Option("-f", "--factor", help="From size to size.")] = 2,
) -> None:
    """Say which settings should be fastest at sizes and numbers of ranks that were not measured.

    Each candidate gets a latency and a bandwidth from what was measured of it. Beyond four times
    the measured sizes, and for other numbers of ranks, the answer is marked as extrapolated.
    """
    tunings = [read_tuning(folder) for folder in folders]
    refuse_unlike(tunings)
    known = _known(tunings)
    wanted = _numbers(ranks) if ranks is not None else sorted({m.ranks for m in known.measured})
    if not known.measured:
        raise UsageError(f"{folders[0]} holds no measured point; accepted is a tuning that ended.")
    spots = [
        spot
        for what in known.keys
        for count in wanted
        for spot in _spots(known, what, count, _sizes(known, what, min_bytes, max_bytes, factor))
    ]
    out = console()
    if tunings[0].tuned.made_for.simulated:
        out.print("simulated: the hosts do not exist, and nothing here holds for real ones.")
    _print_table(out, known, spots)
    _print_limits(out, known, spots)
    _print_lessons(out, known, tunings[0], spots)


predict.__doc__ = f"{cleandoc(predict.__doc__ or '')}\n{_EXAMPLES}"


@dataclass(frozen=True)
class _Known:
    """All that the folders say."""

    measured: list[Measured]
    predictor: Predictor
    keys: dict[str, PointKey]
    """One point of each `what`, in the order in which they were tuned."""
    settings: Space
    """What can be tried."""
    best: dict[tuple[str, int, int], tuple[Candidate, float]]
    """What is in force, and its microseconds, where the tuning itself has decided."""

    def space(self, op: str, ranks: int) -> PointSpace:
        """What can be tried with so many ranks."""
        return self.settings.of_calls(op, ranks)


def _known(tunings: Sequence[Tuning]) -> _Known:
    measured = [one for tuning in tunings for one in measured_in(tuning)]
    space = load_space(tunings[0].tuned.space_name())
    algorithms = {
        (one.op, one.candidate): algorithm
        for one in measured
        if (algorithm := algorithm_of(space.of_calls(one.op, one.ranks), one.op, one.candidate))
    }
    keys = {what_of(key): key for tuning in tunings for key, _ in tuning.searched.points}
    best = {}
    for tuning in tunings:
        changed = bool(tuning.tuned.environment)
        for choice in tuning.tuned.choices:
            what = " ".join(w for w in (choice.op, choice.datatype, choice.redop) if w)
            time_us = choice.tuned_us if choice.settings or changed else choice.default_us
            spot = (what, choice.size_bytes, tuning.tuned.made_for.ranks)
            if time_us > 0:
                best[spot] = (Candidate.of(choice.settings), time_us)
    return _Known(measured, fit(measured, algorithms), keys, space, best)


def _numbers(text: str) -> list[int]:
    try:
        found = sorted({int(word) for word in text.split(",")})
    except ValueError:
        found = []
    if not found or found[0] < 2:
        raise UsageError(f"--ranks {text}: accepted are numbers from 2 on, such as 8,16.")
    return found


def _sizes(
    known: _Known, what: str, smallest: str | None, largest: str | None, factor: int
) -> Sequence[int]:
    sizes = [one.size_bytes for one in known.measured if one.what == what]
    if not any(sizes):
        return sorted(set(sizes))  # a barrier has no bytes
    low = max(1, int(min(size for size in sizes if size) / FAR))
    return sweep(
        low if smallest is None else parse_size(smallest),
        int(max(sizes) * FAR) if largest is None else parse_size(largest),
        factor,
    )


def _spots(known: _Known, what: str, ranks: int, sizes: Sequence[int]) -> list[Spot]:
    among = frozenset(known.space(known.keys[what].op, ranks).candidates)
    return [
        Spot(what, size, ranks, tuple(known.predictor.expect(what, size, ranks, among)))
        for size in sizes
    ]


def _print_table(out: Console, known: _Known, spots: Sequence[Spot]) -> None:
    table = Table(title="Expected to be fastest", title_justify="left")
    for column in ("operation", "size", "ranks", "winner", "time", "95 % interval", "gain", "from"):
        # A winner's name may be long: it takes more lines rather than other columns' room.
        table.add_column(
            column, justify="left" if column in _LEFT else "right", no_wrap=column != "winner"
        )
    for spot in spots:
        table.add_row(*map(escape, _cells(known, spot)))
    out.print(table)


_LEFT = ("operation", "winner", "from")


def _cells(known: _Known, spot: Spot) -> list[str]:
    key = known.keys[spot.what]
    head = [_title(known, spot.what), format_size(spot.size_bytes), str(spot.ranks)]
    space = known.space(key.op, spot.ranks)
    decided = known.best.get((spot.what, spot.size_bytes, spot.ranks))
    if decided is not None:
        candidate, time_us = decided
        return [*head, spoken(space, candidate), format_time_us(time_us), "-", "-", "measured"]
    winner = spot.winner
    if winner is None:
        return [*head, "not known", "-", "-", "-", "-"]
    default = next((one for one in spot.expected if one.candidate == DEFAULT), None)
    gain = f"{default.time_us / winner.time_us:.2f}" if default is not None else "-"
    basis = "extrapolated" if winner.extrapolated else "fit"
    name = spoken(space, winner.candidate)
    return [*head, name, format_time_us(winner.time_us), _within(winner), gain, basis]


def _within(one: Expected) -> str:
    if one.interval is None:
        return "not known"
    low, high = one.interval
    if high > _TELLS_NOTHING * one.time_us:
        return f"beyond {_TELLS_NOTHING} times"
    return f"{format_time_us(low)} to {format_time_us(high)}"


def _title(known: _Known, what: str) -> str:
    """The operation; with its datatype and redop where it was tuned with several."""
    op = known.keys[what].op
    return op if [key.op for key in known.keys.values()].count(op) == 1 else what


def _print_limits(out: Console, known: _Known, spots: Sequence[Spot]) -> None:
    """What the table cannot say, in sentences."""
    said = [
        "Gain: the default's expected time over the winner's. Fit: from latency and bandwidth, "
        f"within {FAR:g} times the measured sizes."
    ]
    elsewhere = sorted({spot.ranks for spot in spots} - {one.ranks for one in known.measured})
    if elsewhere:
        candidates = {(line.what, line.candidate) for line in known.predictor.lines}
        grow = {(line.what, line.candidate) for line in known.predictor.lines if line.algorithm}
        numbers = ", ".join(map(str, elsewhere))
        said.append(
            f"With {numbers} ranks nothing was measured: theory knows how {len(grow)} of "
            f"{len(candidates)} candidates grow, and the default, which may change its algorithm, "
            "is not among them. Each further rank is supposed to bring its own link and core; the "
            "intervals leave out how wrong that may be."
        )
    if known.predictor.unfitted:
        said.append(
            f"{len(known.predictor.unfitted)} candidates were measured at one size only and are "
            "left out."
        )
    for sentence in said:
        out.print(sentence, highlight=False)


def _print_lessons(out: Console, known: _Known, tuning: Tuning, spots: Sequence[Spot]) -> None:
    measured = {(one.what, one.size_bytes, one.ranks) for one in known.measured}
    open_spots = [s for s in spots if (s.what, s.size_bytes, s.ranks) not in measured]
    lessons = most_worth(open_spots, _LESSONS)
    if not lessons:
        out.print(
            "No measurement there would settle anything: no candidate may yet beat the winner, or "
            "too few sizes were measured to tell (three of a candidate are needed)."
        )
        return
    out.print("What would teach most:", style="bold")
    for number, one in enumerate(lessons, start=1):
        key = known.keys[one.spot.what]
        words = tune_words(tuning, key, one.spot.size_bytes, one.spot.ranks)
        out.print(escape(f"{number}. {_doubt(known, one)}"), highlight=False, soft_wrap=True)
        out.print(escape(f"   {shlex.join(words)}"), highlight=False, soft_wrap=True)


def _doubt(known: _Known, one: Lesson) -> str:
    space = known.space(known.keys[one.spot.what].op, one.spot.ranks)
    winner, rival = (spoken(space, e.candidate) for e in (one.winner, one.rival))
    where = f"{_title(known, one.spot.what)} {format_size(one.spot.size_bytes)}"
    return (
        f"{where} with {one.spot.ranks} ranks: {rival} beats {winner} with a chance of "
        f"{100 * one.chance:.0f} %, and then saves some {100 * one.saved:.1f} % of the time"
    )
