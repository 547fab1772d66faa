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
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from busbar.pairs.groups import Group, Kind
from busbar.pairs.matrix import Cells, over_launches
from busbar.pairs.residuals import Layout, Residuals, line_medians, scale_about
from busbar.record.statistics import interval_95

ALPHA = 0.005
"""For all ports together, and again for all single paths: a healthy record blames 1 in 100."""
_LEAST_LAUNCHES = 2
_LEAST_PEERS = 4  # healthy ones to be compared with
_MOST_LAUNCHES = 50  # beyond this, more launches are no advice
_FREEDOM = 3
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
    return float(norm.isf(ALPHA / max(cells, 1))) * noise if noise > 0 else 0.0


class Test:
    """Tests groups against the cells that nobody is suspected of."""

    def __init__(self, found: Residuals, layout: Layout) -> None:
        self._found = found
        usable = found.unexplained()
        self._cells = [np.sort(launch[np.isfinite(launch)]) for launch in usable]
        lines = np.array(
            [np.concatenate([line_medians(x, axis) for axis in (0, 1)]) for x in usable]
        )
        self._lines = [np.sort(launch[np.isfinite(launch)]) for launch in lines]
        middle = over_launches(usable)
        self._all_cells = middle[np.isfinite(middle)]
        middle_lines = over_launches(lines)
        self._all_lines = middle_lines[np.isfinite(middle_lines)]
        self._groups = 2 * len(layout.host) + len(layout.leaves) ** 2
        self._measured = int(np.isfinite(found.middle).sum())

    def of(self, group: Group, own: Cells) -> Evidence:
        """`own`: the cells, per launch, that are this group's alone."""
        single = group.kind is Kind.PATH
        tests = self._measured if single else self._groups
        each = [x[np.isfinite(x)] for x in group.of(own)]
        at = [k for k, x in enumerate(each) if len(x)]
        medians = [float(np.median(each[k])) for k in at]
        centre = float(np.median(medians))
        peers = self._cells if single else self._lines
        chances = [
            self._chance(value, peers[k], self._cells[k], 1 if single else len(each[k]))
            for k, value in zip(at, medians, strict=True)
        ]
        worst = max(chances)
        return Evidence(
            share=math.exp(centre),
            share_ci95=interval_95([math.exp(m) for m in medians]),
            launches=len(at),
            beyond_population=tests * _tail(centre, self._all_cells if single else self._all_lines),
            beyond_launches=tests * worst ** len(at),
            launches_needed=_needed(worst, tests),
        )

    @staticmethod
    def _chance(value: float, peers: Cells, cells: Cells, size: int) -> float:
        """That a healthy one lies this low in one launch."""
        if len(peers) < _LEAST_PEERS:
            return 1.0
        centre = float(np.median(peers))
        noise = scale_about(cells, float(np.median(cells))) if len(cells) else 0.0
        wide = max(scale_about(peers, centre), math.sqrt(math.pi / 2 / size) * noise, _LEAST_SCALE)
        share = float(np.searchsorted(peers, value, side="right")) / len(peers)
        return max(share, float(t.sf((centre - value) / wide, _FREEDOM)))


def _tail(value: float, peers: Cells) -> float:
    if len(peers) < _LEAST_PEERS:
        return 1.0
    centre = float(np.median(peers))
    wide = max(scale_about(peers, centre), _LEAST_SCALE)
    return float(t.sf((centre - value) / wide, len(peers) - 1))


def _needed(chance: float, tests: int) -> int | None:
    if not 0 < chance < 1:
        return None if chance else _LEAST_LAUNCHES
    needed = max(_LEAST_LAUNCHES, math.ceil(math.log(ALPHA / tests) / math.log(chance)))
    return needed if needed <= _MOST_LAUNCHES else None
