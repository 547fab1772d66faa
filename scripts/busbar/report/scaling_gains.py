"""Gains of reduction in the network as families of curves: over hosts and over sizes.

The figures are those of the studies of gains; here a curve is a size, or a number of hosts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from busbar.check.gain import Gain, GainRow, Kind
from busbar.report.gains import GainAt, GainChart, GainCurve, MostLine, Study
from busbar.report.style import ramp
from busbar.report.text import many, size
from busbar.theory.gain import HOSTS_AT_BOUND

_SAME = 0.005  # theory that differs by less is one line
_BEST = "the best host variant"


@dataclass(frozen=True)
class GainFamily:
    """Gains of one variant over one baseline."""

    id: str
    name: str
    """`in_network over default`."""
    variant: str
    baseline: str
    of_variant: bool
    """Whether the baseline is a variant by its name."""
    over_hosts: GainChart
    over_size: GainChart
    at_largest: tuple[tuple[GainRow, Gain], ...]
    """At the largest size that has a curve, fewest hosts first."""


@dataclass(frozen=True)
class Table:
    """Sizes in bytes and numbers of hosts, those of them that have a curve, and what is where."""

    sizes: Sequence[int]
    telling: Sequence[int]
    """Those that no burst leaves without a bound worth the name."""
    drawn: Sequence[int]
    hosts: Sequence[int]
    hosts_drawn: Sequence[int]
    size_of: Mapping[int, int]
    """The size that stands for a row's own, which differs by some elements."""
    hosts_of: Mapping[str, int]
    """By the ranks of a group."""


_At = tuple[int, int]
"""A size and a number of hosts."""


def families(identity: str, study: Study, table: Table) -> Iterator[GainFamily]:
    """One for each baseline, in the order of the plan; then the best of hosts, then their bound."""
    rows = _rows(study, table)
    kinds = {gain.baseline: gain.kind for row in rows.values() for gain in row.gains}
    named = [name for name in study.baselines if kinds.get(name) in ("variant", "best")]
    bounds = [name for name, kind in kinds.items() if kind == "bound"]
    picked = [(name, {at: _over(name, row) for at, row in rows.items()}) for name in named]
    if len(named) > 1:
        picked.append((_BEST, {at: _of_kind("best", row) for at, row in rows.items()}))
    if bounds:
        name = bounds[0] if len(bounds) == 1 else HOSTS_AT_BOUND
        picked.append((name, {at: _of_kind("bound", row) for at, row in rows.items()}))
    for index, (name, gains) in enumerate(picked):
        found = {at: (rows[at], gain) for at, gain in gains.items() if gain is not None}
        if found:
            yield _family(f"{identity}{index}", study, table, name, found)


def _rows(study: Study, table: Table) -> dict[_At, GainRow]:
    every = (line.row for group in study.groups for line in group.lines)
    return {
        (table.size_of[row.key.size_bytes], table.hosts_of[row.key.group.ranks]): row
        for row in every
        if row.key.size_bytes in table.size_of and row.key.group.ranks in table.hosts_of
    }


def _over(name: str, row: GainRow) -> Gain | None:
    return next((g for g in row.gains if g.kind != "bound" and g.baseline == name), None)


def _of_kind(kind: Kind, row: GainRow) -> Gain | None:
    # The only variant of the hosts is the best one.
    return next((gain for gain in row.gains if gain.kind == kind), None)


_Found = Mapping[_At, tuple[GainRow, Gain]]


def _family(identity: str, study: Study, table: Table, name: str, found: _Found) -> GainFamily:
    kinds = {gain.kind for _, gain in found.values()}
    by_size = [[(size_bytes, hosts) for hosts in table.hosts] for size_bytes in table.drawn]
    by_hosts = [[(size_bytes, hosts) for size_bytes in table.sizes] for hosts in table.hosts_drawn]
    return GainFamily(
        id=identity,
        name=f"{study.variant} over {name}",
        variant=study.variant,
        baseline=name,
        of_variant=name in study.baselines and "bound" not in kinds,
        over_hosts=_chart("hosts", by_size, found, study.most_from),
        over_size=_chart("size", by_hosts, found, study.most_from),
        at_largest=tuple(found[at] for at in by_size[-1] if at in found),
    )


def _chart(
    over: Literal["size", "hosts"], lines: Sequence[Sequence[_At]], found: _Found, most_from: int
) -> GainChart:
    """A curve for each line of places, as far as something was found there."""
    curves, most, names = [], [], set()
    for index, line in enumerate(lines):
        points = [
            GainAt(at[over == "hosts"], gain, row)
            for at in line
            if at in found
            for row, gain in [found[at]]
        ]
        if not points:
            continue
        known = [
            (point.at, limit)
            for point in points
            if (limit := point.row.most) and point.row.key.size_bytes >= most_from
        ]
        names |= {limit.baseline for _, limit in known}
        most.append(tuple((at, limit.gain) for at, limit in known))
        name = size(line[0][0]) if over == "hosts" else many(line[0][1], "host")
        curves.append(GainCurve(name, "variant", ramp(index, len(lines)), tuple(points)))
    whom = names.pop() if len(names) == 1 else HOSTS_AT_BOUND
    return GainChart(over, tuple(curves), _distinct(most), f"theory over {whom}")


def _distinct(lines: Sequence[MostLine]) -> tuple[MostLine, ...]:
    """Without those that lie on one before them; longest first."""
    kept: list[MostLine] = []
    for line in sorted(lines, key=len, reverse=True):
        own = dict(line)
        if line and not any(_lies_on(own, dict(other)) for other in kept):
            kept.append(line)
    return tuple(kept)


def _lies_on(line: Mapping[int, float], other: Mapping[int, float]) -> bool:
    return all(at in other and abs(other[at] - most) <= _SAME * most for at, most in line.items())
