"""Whether a deficit is more than chance: a test against the healthy population, and over launches.

Two questions, both with the number of things tested taken into account (Bonferroni):

* Is it further below than healthy ports (or cells) lie from each other, over all launches?
  Student's t with the population's median and median distance: hosts that differ blame nobody.
* Was it so in every launch? The launch is the experimental unit: a rank on the wrong core is slow
  for one launch. In each launch the chance that a healthy one lies this low is the larger of the
  share that did, and the tail of Student's t with 3 degrees of freedom, heavier than any seen; the
  chance that all launches did is the largest of them to the power of their number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr

from busbar.pairs.groups import EGRESS, INGRESS, Group, Kind
from busbar.pairs.matrix import Cells, over_launches
from busbar.pairs.residuals import Layout, Residuals, line_medians, scale_about
from busbar.record.statistics import interval_95

ALPHA = 0.005
"""For all ports together, and again for all single paths: a healthy record blames 1 in 100."""
_LEAST_LAUNCHES = 2
_LEAST_PEERS = 4  # healthy ones to be compared with
_MOST_LAUNCHES = 50  # beyond this, more launches are no advice
_LEAST_OF_DIRECTION = 8  # fewer do not tell how wide one direction is
_FREEDOM = 3
_EFFICIENCY = 0.37  # of the median distance: so many of its values tell what a deviation's would
_LEAST_SCALE = 1e-6  # simulated figures have no noise at all


@dataclass(frozen=True)
class Evidence:
    """What the test says of one group."""

    share: float
    """Of the healthy rate."""
    share_ci95: tuple[float, float] | None
    """Over launches."""
    launches: int
    beyond_population: float
    """Chance, over everything tested, that one of the healthy population lies this low."""
    beyond_launches: float
    """Chance, over everything tested, that chance alone had all launches do so."""
    launches_needed: int | None
    """Launches that would tell, were they all like these; None where they hardly would."""

    @property
    def stands_out(self) -> bool:
        """Whether it is below what the healthy population does."""
        return self.beyond_population <= ALPHA

    @property
    def lasts(self) -> bool:
        """Whether it was so in every launch, and in enough of them."""
        return self.launches >= _LEAST_LAUNCHES and self.beyond_launches <= ALPHA

    @property
    def confidence(self) -> float:
        """That it is no chance."""
        return 1 - min(1.0, max(self.beyond_population, self.beyond_launches))


def least_deficit(cells: int, noise: float) -> float:
    """How far below, as a logarithm, a single one of so many cells must lie to stand out."""
    return float(-ndtri(ALPHA / max(cells, 1))) * noise if noise > 0 else 0.0


@dataclass(frozen=True)
class _Peers:
    """What healthy ones do, in one launch or over all: sorted, and as sets that may differ."""

    sets: tuple[Cells, ...]
    """All of them, then those of each direction: hosts may differ in one direction alone."""

    @classmethod
    def of(cls, *each: Cells) -> _Peers:
        known = [np.sort(x[np.isfinite(x)]) for x in each]
        return cls((np.sort(np.concatenate(known)), *(x for x in known if len(known) > 1)))

    def enough(self) -> bool:
        """Whether anything can be compared with them."""
        return len(self.sets[0]) >= _LEAST_PEERS

    def centre(self) -> float:
        """Their median."""
        return float(np.median(self.sets[0]))

    def widths(self) -> list[tuple[int, float]]:
        """Of each set: its size, and how far its members lie from each other."""
        usable = [self.sets[0], *(x for x in self.sets[1:] if len(x) >= _LEAST_OF_DIRECTION)]
        return [(len(x), max(_LEAST_SCALE, scale_about(x, float(np.median(x))))) for x in usable]

    def share_below(self, value: float) -> float:
        """The share of them that is as low as this."""
        return max(
            float(np.searchsorted(x, value, side="right")) / len(x) for x in self.sets if len(x)
        )


class Test:
    """Tests groups against the cells that nobody is suspected of."""

    def __init__(self, found: Residuals, layout: Layout) -> None:
        self._found = found
        usable = found.unexplained()
        lines = [np.array([line_medians(x, axis) for x in usable]) for axis in (1, 0)]
        self._cells = [_Peers.of(x) for x in usable]
        self._all_cells = _Peers.of(over_launches(usable))
        self._lines = [_Peers.of(*x) for x in zip(*lines, strict=True)]
        self._all_lines = tuple(over_launches(x) for x in lines)
        self._groups = 2 * len(layout.host) + len(layout.leaves) ** 2
        self._measured = int(np.isfinite(found.middle).sum())

    def of(self, group: Group, own: Cells, others: Sequence[tuple[Group, float]]) -> Evidence:
        """`own`: the cells, per launch, that are this group's alone; `others`: suspects' deficits.

        Those are part of the population too: without them it would seem narrower than it is.
        """
        single = group.kind is Kind.PATH
        tests = self._measured if single else self._groups
        each = [x[np.isfinite(x)] for x in group.of(own)]
        at = [k for k, x in enumerate(each) if len(x)]
        medians = [float(np.median(each[k])) for k in at]
        centre = float(np.median(medians))
        worst = max(
            _chance(value, self._cells[k] if single else self._lines[k], self._cells[k],
                    len(each[k]))
            for k, value in zip(at, medians, strict=True)
        )  # fmt: skip
        peers = self._all_cells if single else self._population(others)
        return Evidence(
            share=math.exp(centre),
            share_ci95=interval_95([math.exp(m) for m in medians]),
            launches=len(at),
            beyond_population=tests * _tail(centre, peers),
            beyond_launches=tests * worst ** len(at),
            launches_needed=_needed(worst, tests),
        )

    def _population(self, others: Sequence[tuple[Group, float]]) -> _Peers:
        return _Peers.of(
            *(
                np.append(lines, [value for group, value in others if group.kind in kinds])
                for lines, kinds in zip(self._all_lines, (EGRESS, INGRESS), strict=True)
            )
        )


def _chance(value: float, peers: _Peers, cells: _Peers, size: int) -> float:
    """That a healthy group of `size` cells lies this low in one launch."""
    if not peers.enough():
        return 1.0
    of_median = math.sqrt(math.pi / 2 / size) if size > 1 else 1.0
    wide = max(*(width for _, width in peers.widths()), *(of_median * w for _, w in cells.widths()))
    return max(peers.share_below(value), float(stdtr(_FREEDOM, (value - peers.centre()) / wide)))


def _tail(value: float, peers: _Peers) -> float:
    """That a healthy one lies this low over all launches."""
    if not peers.enough():
        return 1.0
    below = value - peers.centre()
    return max(
        float(stdtr(max(1.0, _EFFICIENCY * (size - 1)), below / width))
        for size, width in peers.widths()
    )


def _needed(chance: float, tests: int) -> int | None:
    if not 0 < chance < 1:
        return None if chance else _LEAST_LAUNCHES
    needed = max(_LEAST_LAUNCHES, math.ceil(math.log(ALPHA / tests) / math.log(chance)))
    return needed if needed <= _MOST_LAUNCHES else None
