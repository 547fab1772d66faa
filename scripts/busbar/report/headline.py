"""What a reader must see first: where the figures come from, the verdict, and every alarm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from busbar.check import Verdict
from busbar.check.findings import findings
from busbar.check.label import label
from busbar.record.models import Run, RunRecord
from busbar.record.origin import UNREAL, imported_sentence, unreal
from busbar.report.gain_sentence import gain_sentences
from busbar.report.rows import Grade, Judged, Row, Unplaced
from busbar.report.text import elapsed, listed, many, moment, percent, size

_WORST = 6  # rows shown in the headline


@dataclass(frozen=True)
class Banner:
    """Says that figures are not those of real hardware."""

    word: str
    sentence: str
    only: tuple[str, ...] = ()
    """The records it is said of; empty for all."""


def mark(banners: Iterable[Banner]) -> str:
    """The banners' words, short enough for a picture: it may be cut out of its page."""
    return ", ".join(f"{one.word}{_of_some(one.only)}" for one in banners)


def _of_some(names: Sequence[str]) -> str:
    return f": {listed(names, most=3)}" if names else ""


@dataclass(frozen=True)
class Tally:
    """How many rows got a verdict."""

    verdict: str
    grade: Grade
    rows: int


@dataclass(frozen=True)
class Alarm:
    """Something that no reader may miss."""

    title: str
    sentences: tuple[str, ...]
    grade: Grade = Grade.BAD


@dataclass(frozen=True)
class Headline:
    """The top of the page for one record."""

    name: str
    verdict: str
    grade: Grade
    what: str
    when: str
    tallies: tuple[Tally, ...]
    alarms: tuple[Alarm, ...]
    worst: tuple[Row, ...]
    gains: tuple[str, ...]
    """What reduction in the network gained, in sentences; none where no variant asks for it."""
    fabric: str | None
    """Name of the fabric it was judged against; None if it was not."""


def headline(judged: Judged) -> Headline:
    """The top of the page for one record."""
    run = judged.record.run
    not_good = [row for row in judged.rows if row.grade in (Grade.BAD, Grade.UNSURE)]
    worst = sorted(not_good, key=lambda row: (-row.severity, _rank(row)))
    return Headline(
        name=judged.name,
        verdict=judged.verdict,
        grade=judged.grade,
        what=_what(judged),
        when=_when(run),
        tallies=_tallies([*judged.rows, *judged.unplaced]),
        alarms=tuple(_alarms(judged)),
        worst=tuple(worst[:_WORST]),
        gains=tuple(gain_sentences(judged)),
        fabric=judged.fabric.name if judged.fabric else None,
    )


def banners(judged: Iterable[Judged]) -> list[Banner]:
    """One banner for each kind of unreality; the strongest word first."""
    every = list(judged)
    found = []
    for word, sentence in UNREAL.items():
        names = [one.name for one in every if word in unreal(one.record.run)]
        if names:
            found.append(_banner(word.upper(), sentence, names, len(every)))
    return [*found, *_banners_of_imports(every)]


def banners_of(run: Run) -> tuple[Banner, ...]:
    """The same of one run alone."""
    found = [Banner(word.upper(), UNREAL[word]) for word in unreal(run)]
    if run.imported:
        found.append(Banner("IMPORTED", imported_sentence(run)))
    return tuple(found)


def _banners_of_imports(judged: Sequence[Judged]) -> Iterable[Banner]:
    for one in judged:
        if one.record.run.imported:
            sentence = imported_sentence(one.record.run)
            yield _banner("IMPORTED", sentence, [one.name], len(judged))


def _when(run: Run) -> str:
    if run.imported:
        return f"imported {moment(run.started)}"
    return f"{moment(run.started)}, {elapsed(run.started, run.finished)}"


def kind_banners(*, fake: bool, on: str) -> tuple[Banner, ...]:
    """The same for what is no record, from where it was measured."""
    marked = {"fake": fake, "simulated": on == "simulated", "emulated": on == "emulated"}
    return tuple(
        Banner(word.upper(), sentence) for word, sentence in UNREAL.items() if marked[word]
    )


def _banner(word: str, sentence: str, names: Sequence[str], records: int) -> Banner:
    if len(names) == records:
        return Banner(word, sentence)
    return Banner(word, f"{listed(names)}: {sentence}", tuple(names))


def _rank(row: Row) -> float:
    """Among equally severe rows the one furthest from its bound is worst."""
    return row.percent if row.percent is not None else -1.0


def _what(judged: Judged) -> str:
    rows = judged.rows
    if not rows:
        return "Nothing was planned and nothing measured."
    ops = list(dict.fromkeys(row.key.op for row in rows))
    sizes = [row.key.size_bytes for row in rows if row.key.size_bytes]
    variants = list(dict.fromkeys(row.key.variant for row in rows))
    parts = [
        listed(ops, most=3) if len(ops) <= 3 else many(len(ops), "operation"),
        _span(sizes),
        many(len(variants), "variant") if len(variants) > 1 else "",
        _where(judged),
        many(_timed_launches(judged.record), "launch", "launches"),
    ]
    return " · ".join(part for part in parts if part)


def _span(sizes: Sequence[int]) -> str:
    if not sizes:
        return ""
    low, high = size(min(sizes)), size(max(sizes))
    return low if low == high else f"{low} to {high}"


def _where(judged: Judged) -> str:
    """Ranks, nodes and how they were reached: the largest launch speaks for all."""
    run: Run = judged.record.run
    launches = judged.record.launches
    if not launches:
        return f"on {run.on}"
    workers = max(
        ([p for p in launch.processes if p.role == "worker"] for launch in launches), key=len
    )
    hosts = {p.host for p in workers}
    transport = launches[0].transport
    ranks = f"{many(len(workers), 'rank')} on {many(len(hosts), 'host')}"
    return f"{ranks}, {run.on}, transport {transport}"


def _tallies(rows: Iterable[Row | Unplaced]) -> tuple[Tally, ...]:
    counts: Counter[tuple[int, str, Grade]] = Counter(
        (row.severity, row.word, row.grade) for row in rows
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[0][0], item[0][1]))
    return tuple(Tally(verdict, grade, rows) for (_, verdict, grade), rows in ordered)


def _alarms(judged: Judged) -> Iterable[Alarm]:
    for finding in findings(judged.record):
        yield Alarm(finding, ())
    yield from _alarms_of_pairs(judged)
    yield from _alarms_of_rows(judged)
    for one in judged.unplaced:
        yield Alarm(f"{one.label}: {one.word}", (one.reason,))
    told = imported_sentence(judged.record.run) if judged.record.run.imported else ""
    for note in judged.notes:
        if note == told:
            continue  # the banner says it
        yield Alarm(note, (), Grade.UNSURE)


def _alarms_of_pairs(judged: Judged) -> Iterable[Alarm]:
    for one in judged.blames:
        # NumPy takes a while to load: only for those who need it.
        from busbar.pairs.sentences import culprit_sentence, suspect_sentence

        if one.culprits:
            title = f"{many(len(one.culprits), 'culprit')} found by pairs of {one.matrix.title}"
            yield Alarm(title, _few(culprit_sentence(x, one) for x in one.culprits))
        if one.suspects:
            title = f"{many(len(one.suspects), 'suspect')} in pairs of {one.matrix.title}"
            yield Alarm(title, _few(suspect_sentence(x, one) for x in one.suspects), Grade.UNSURE)


def _alarms_of_rows(judged: Judged) -> Iterable[Alarm]:
    rows = judged.rows
    for verdict, title, sentence in _VERDICTS_TO_CALL_OUT:
        found = [row for row in rows if row.verdict is verdict]
        if found:
            yield Alarm(f"{title} in {many(len(found), 'row')}", _few(map(sentence, found)))
    spoiled = sorted((row for row in rows if _spoiled(row) > 0), key=lambda row: -_spoiled(row))
    if spoiled:
        yield Alarm(
            f"Spoiled samples in {many(len(spoiled), 'row')}",
            _few(f"{_label(row)}: {percent(100 * _spoiled(row))} of samples" for row in spoiled),
            Grade.UNSURE,
        )
    throttled = [
        row for row in rows if row.point and any(block.throttled for block in row.point.blocks)
    ]
    if throttled:
        yield Alarm(
            f"Throttling in {many(len(throttled), 'row')}", _few(map(_label, throttled)),
            Grade.UNSURE,
        )  # fmt: skip


def _spoiled(row: Row) -> float:
    return (row.point.spoiled_share if row.point else None) or 0.0


def _label(row: Row) -> str:
    return label(row.key)


def _reason(row: Row) -> str:
    return f"{label(row.key)}: {row.reason}"


_VERDICTS_TO_CALL_OUT = (
    (Verdict.WRONG_DATA, "Wrong data", _reason),
    (Verdict.HANG, "Hang", _reason),
    (Verdict.MISSING, "Required but not measured", _label),
    (Verdict.IMPOSSIBLE, "Faster than physics allows", _reason),
    (Verdict.NOT_USED, "Not carried out as its variant asks", _reason),
)


def _few(sentences: Iterable[str], most: int = 4) -> tuple[str, ...]:
    """The first few; the rest is counted."""
    every = list(sentences)
    rest = len(every) - most
    return tuple(every[:most]) + ((f"and {rest} more",) if rest > 0 else ())


def _timed_launches(record: RunRecord) -> int:
    """Launches that observe leave no time behind, so they do not count."""
    return sum(launch.purpose == "measure" for launch in record.launches)
