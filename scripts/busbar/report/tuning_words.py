"""What a tuning's page says of the whole: headline, alarms, cost, and what it was made for."""

from __future__ import annotations

from collections.abc import Iterable

from busbar.report.headline import Alarm
from busbar.report.rows import Grade
from busbar.report.text import DASH, TIMES, listed, many, moment, number, size
from busbar.tune.candidate import DEFAULT
from busbar.tune.searched import Searched
from busbar.tune.tuned import Choice, Tuned

_FEW = 4  # sentences of an alarm


def where(tuned: Tuned) -> str:
    """Ranks and fabric, for a title."""
    made_for = tuned.made_for
    place = made_for.fabric or made_for.on
    return f"{many(made_for.ranks, 'rank')} on {place}"


def sentence(tuned: Tuned, kept: int) -> str:
    """The gain of the workload, or that there is none."""
    points = many(len(tuned.choices), "point")
    if not kept:
        return f"Nothing beats the default here: no setting is written, for none of {points}."
    have = f"{kept} of {points} {'has' if kept == 1 else 'have'} a setting"
    if tuned.environment:
        have += ", and all run under other settings of their processes"
    if tuned.total_gain is None:
        return f"{have}; what the whole workload gains is not known."
    within = ""
    if tuned.total_gain_interval is not None:
        low, high = tuned.total_gain_interval
        within = f" ({low:.3f} to {high:.3f}, 95 % interval over the proof's launches)"
    if tuned.made_for.simulated:
        within = " in virtual time, as exactly in a fresh launch as in the search"
    return f"The workload runs {tuned.total_gain:.3f} times as fast{within}: {have}."


def what(tuned: Tuned) -> str:
    """Operations, sizes and place."""
    choices, made_for = tuned.choices, tuned.made_for
    ops = list(dict.fromkeys(choice.op for choice in choices))
    sizes = sorted(choice.size_bytes for choice in choices if choice.size_bytes)
    span = (f"{size(sizes[0])} to {size(sizes[-1])}" if sizes[0] < sizes[-1] else size(sizes[0])) \
        if sizes else ""  # fmt: skip
    nodes = f"{many(made_for.ranks, 'rank')} on {many(made_for.nodes, 'node')}"
    parts = [listed(ops, most=4), span, f"{nodes}, {made_for.on}, transport {made_for.transport}"]
    return " · ".join(part for part in parts if part)


def how(tuned: Tuned) -> str:
    """How to read a gain, and the times of all candidates."""
    gain, times = "median over the proof's launches", "medians of the search's short looks"
    sure = "All intervals hold together with 95 %, whatever the number of points."
    worth = "they prove nothing"
    if tuned.made_for.simulated:
        gain, times = "in a launch of the proof's own", "the search's times"
        sure = "There is no interval: virtual time repeats itself, and the proof says what the "
        sure += "search said to the last digit."
        worth = "nobody is measured twice"
    return (
        f"Gain: the default's time over the other's, {gain}; above the line is faster. Filled: it "
        f"is kept. Hollow: the default stays. {sure} All candidates: {times} over the default's, "
        f"below 1 is faster; {worth}. Large marks: what it thought best."
    )


def alarms(searched: Searched, unproven: Iterable[Choice]) -> Iterable[Alarm]:
    """What failed in the search, and in the proof."""
    failures: dict[str, list[str]] = {}
    for one in searched.points.values():
        where = f"{one.key.op} {size(one.key.size_bytes)}"
        for candidate, why in one.failed.items():
            failures.setdefault(f"{candidate.name}: {why.rstrip('.')}", []).append(where)
    for environment, why in searched.failed_environments.items():
        failures.setdefault(f"{environment.name}: {why.rstrip('.')}", []).append("the workload")
    if failures:
        told = [f"{what} ({listed(at, most=3)})" for what, at in failures.items()]
        title = "Failed in the search and left out: it may be a fault of the library"
        yield Alarm(title, _few(told), Grade.UNSURE)
    told = [f"{one.op} {size(one.size_bytes)}: {one.why}" for one in unproven]
    if told:
        yield Alarm("Failed in the proof, so the default stays", _few(told), Grade.UNSURE)


def _few(sentences: list[str]) -> tuple[str, ...]:
    rest = len(sentences) - _FEW
    return (*sentences[:_FEW], *([f"and {rest} more"] if rest > 0 else []))


def environments(searched: Searched) -> Iterable[tuple[str, int, float, float | None]]:
    """Those that were tried: name, launches, microseconds of the workload, gain."""
    history = searched.environments
    default = history.estimate(DEFAULT)
    for environment in history.ranked(history.samples):
        estimate = history.estimate(environment)
        if estimate is not None:
            gain = default.median / estimate.median if default and estimate.median else None
            name = environment.name if environment.values else "no setting"
            yield name, estimate.samples, estimate.median, gain


def cost(tuned: Tuned, searched: Searched) -> Iterable[tuple[str, str]]:
    """What finding it took."""
    cost = tuned.cost
    pruned = sum(len(one.pruned) for one in searched.of(DEFAULT))
    failed = sum(len(one.failed) for one in searched.of(DEFAULT))
    yield "Search", f"{number(cost.search_seconds, 3)} s, strategy {cost.strategy}"
    yield "Proof", f"{number(cost.proof_seconds, 3)} s"
    share = (
        f" ({100 * cost.candidates_measured / cost.candidates:.0f} %)" if cost.candidates else ""
    )
    yield (
        "Candidates measured",
        f"{cost.candidates_measured:,} of {cost.candidates:,}{share}, over all points",
    )
    yield "Ruled out by theory", f"{pruned:,}"
    yield "Failed", f"{failed:,}"


def made_for(tuned: Tuned) -> Iterable[tuple[str, str]]:
    """Where it was proven, and so the only place where it is known to hold."""
    made_for = tuned.made_for
    yield "Fabric", made_for.fabric or "not given"
    yield "Target", made_for.on
    if made_for.simulated:
        yield "Simulated", "true: the hosts do not exist, and nothing holds for real ones"
    yield "Transport", made_for.transport
    yield "Nodes", f"{made_for.nodes:,}"
    yield "Ranks", f"{made_for.ranks:,}"
    yield "Workload", tuned.workload
    for name, version in sorted(made_for.versions.items()):
        yield f"Version of {name}", version
    yield "Made", moment(made_for.made)


def gain_words(gain: float | None, limits: tuple[float, float] | None) -> str:
    """A gain with its interval, to three digits after the point: a percent matters here."""
    if gain is None:
        return DASH
    within = f" ({limits[0]:.3f} to {limits[1]:.3f})" if limits is not None else ""
    return f"{gain:.3f} {TIMES}{within}"
