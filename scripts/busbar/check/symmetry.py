"""A row that is slower than its mirror: the same operation the other way round, or on ranks alike.

Mirrors differ in their root alone, or in which ranks their one communicator has, and the fabric
gives them the same bound: what one direction of a pair, one root or one group of hosts reaches, the
other must reach. Of three and more the one that is held is compared with the median of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from busbar.check.claims import Claim, Kind, ratios
from busbar.check.measured import Measured
from busbar.units import percent

MOST_APART = 0.10
"""Of the mirror's rate. Blame, which has many pairs of each host, holds a port for slow from 5 %
on (`busbar.pairs.groups`): hosts of one kind differ so much. A row has only itself: twice that."""

_SAME_BOUND = 3  # significant digits: bytes of ranks that do not divide evenly differ beyond


def asymmetries(rows: Sequence[Measured], most: float = MOST_APART) -> Iterator[Claim]:
    """A claim for each row with a limit that has mirrors."""
    if most >= 1:  # a loss of all of it is no limit
        return
    alike: dict[object, list[Measured]] = {}
    for row in rows:
        if row.judged and row.bound_us is not None and row.key.group.parts is None:
            alike.setdefault(_mirrored(row), []).append(row)
    for mirrors in alike.values():
        if len(mirrors) < 2:
            continue
        of_all = _medians(mirrors)
        for row in mirrors:
            if len(mirrors) == 2:
                (other,) = (x for x in mirrors if x is not row)
                better, name = other.by_launch, _name(other, row)
            else:
                better, name = of_all, f"the median of its {len(mirrors)} mirrors"
            found = ratios(better, row.by_launch)
            if found is None:
                continue
            slower = 1 - sorted(found)[len(found) // 2]
            sentence = (
                f"It is not symmetric: {slower:.0%} slower than {name}, where at most "
                f"{percent(most)} is accepted."
            )
            yield Claim(Kind.UNLIKE_MIRROR, row.at, found, 1 - most, sentence)


def _mirrored(row: Measured) -> object:
    group = row.key.group
    assert row.bound_us is not None
    everyone = group.model_copy(update={"name": "mirrored", "ranks": "0", "parts": None})
    same = row.key.model_copy(update={"root": None, "group": everyone})
    return same, group.size(), f"{row.bound_us:.{_SAME_BOUND}g}"


def _medians(mirrors: Sequence[Measured]) -> Mapping[int, float]:
    launches = dict.fromkeys(launch for row in mirrors for launch in row.by_launch)
    return {
        launch: median(row.by_launch[launch] for row in mirrors if launch in row.by_launch)
        for launch in launches
    }


def _name(other: Measured, row: Measured) -> str:
    if other.key.group.ranks != row.key.group.ranks:
        return f"on ranks {other.key.group.ranks}"
    return f"with root {other.key.root}"
