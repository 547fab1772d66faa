"""How far each cell is below what is healthy, launch by launch.

Rates are taken as logarithms, because a slow port takes a share of a rate, not a summand. Each
launch is held against itself, so that one that is slower as a whole blames nobody; pairs below one
leaf and pairs across leaves are held each against their own kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from busbar.pairs.matrix import Cells, Endpoint, Layer, over_launches
from busbar.pairs.sites import Sites

LEAST_CELLS = 3  # of a line, or it says nothing: with two, any culprit has a rival
_LEAST_OF_KIND = 4  # cells of a kind in a launch, or what is healthy is not known there

Mask: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.int_]

_NO_PAIR, _SAME_LEAF, _OTHER_LEAF, _UNKNOWN = -1, 0, 1, 2


@dataclass(frozen=True)
class Layout:
    """Where endpoints are, as numbers."""

    hosts: tuple[str, ...]
    host: Codes
    """Of each endpoint, an index into `hosts`."""
    leaves: tuple[str, ...]
    leaf: Codes
    """Of each endpoint, an index into `leaves`; -1 where not known."""

    def kinds(self) -> Codes:
        """[from][to]: which cells are alike. Pairs within a host are none: no network is used."""
        same = self.leaf[:, None] == self.leaf[None, :]
        kinds = np.where(same, _SAME_LEAF, _OTHER_LEAF)
        unknown = self.leaf < 0
        kinds[unknown[:, None] | unknown[None, :]] = _UNKNOWN
        kinds[self.host[:, None] == self.host[None, :]] = _NO_PAIR
        return kinds

    def of_host(self, host: int) -> Codes:
        """Its endpoints."""
        return np.flatnonzero(self.host == host)

    def of_leaf(self, leaf: int) -> Codes:
        """The endpoints below it."""
        return np.flatnonzero(self.leaf == leaf)


def layout(endpoints: Sequence[Endpoint], sites: Sites) -> Layout:
    """The numbers of endpoints on a site map."""
    hosts = tuple(dict.fromkeys(e.host for e in endpoints))
    found = [sites.leaf_of(e.host, e.index, e.nics) for e in endpoints]
    leaves = tuple(dict.fromkeys(leaf for leaf in found if leaf is not None))
    return Layout(
        hosts=hosts,
        host=np.array([hosts.index(e.host) for e in endpoints], dtype=np.int_),
        leaves=leaves,
        leaf=np.array([-1 if x is None else leaves.index(x) for x in found], dtype=np.int_),
    )


@dataclass(frozen=True)
class Residuals:
    """Logarithms of rate over healthy rate: 0 is healthy, -0.22 is 80 %."""

    each: Cells
    """[launch][from][to]; NaN where not measured, or where a launch has too few cells to tell."""
    middle: Cells
    """[from][to]: median over launches."""
    noise: float
    """Robust standard deviation of `middle` among cells that nobody is suspected of."""
    explained: Mask
    """Cells of somebody who is suspected."""

    def unexplained(self) -> Cells:
        """`each` without them."""
        return np.where(self.explained, np.nan, self.each)


def residuals(layer: Layer, kinds: Codes, explained: Mask | None = None) -> Residuals:
    """Of a layer; healthy is what the cells not `explained` have in common.

    Without `explained` nobody is suspected yet, and many may be slow: then it is the upper quartile
    of what rows and columns have in common, which holds while fewer than three in four are slow.
    """
    first = explained is None
    left_out = np.zeros(kinds.shape, dtype=bool) if explained is None else explained
    each = -np.log(layer.times_us)
    each[:, kinds == _NO_PAIR] = np.nan
    for launch in each:
        for kind in (_SAME_LEAF, _OTHER_LEAF, _UNKNOWN):
            of_kind = kinds == kind
            usable = np.where(of_kind & ~left_out, launch, np.nan)
            healthy = _by_lines(usable) if first else _middle(usable)
            launch[of_kind] -= healthy  # NaN where not known, so that the cells are missing
    middle = over_launches(each)
    return Residuals(each, middle, _scale(middle[~left_out]), left_out)


def line_medians(values: Cells, axis: int, least: int = LEAST_CELLS) -> Cells:
    """Median of each row (axis 1) or column (axis 0); NaN for a line with fewer cells."""
    ordered = np.sort(values, axis=axis)  # NaN last
    count = np.isfinite(values).sum(axis=axis)
    low = np.expand_dims(np.maximum(count - 1, 0) // 2, axis)
    high = np.expand_dims(np.minimum(count // 2, values.shape[axis] - 1), axis)
    ends = [np.take_along_axis(ordered, at, axis=axis).squeeze(axis) for at in (low, high)]
    return np.where(count >= least, (ends[0] + ends[1]) / 2, np.nan)


def scale_about(values: Cells, centre: float) -> float:
    """Robust standard deviation: 1.4826 times the median distance; NaN without values."""
    return float(1.4826 * np.median(np.abs(values - centre))) if len(values) else float("nan")


def _scale(values: Cells) -> float:
    known = values[np.isfinite(values)]
    return scale_about(known, float(np.median(known))) if len(known) else float("nan")


def _middle(values: Cells) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) >= _LEAST_OF_KIND else float("nan")


def _by_lines(values: Cells) -> float:
    if np.isfinite(values).sum() < _LEAST_OF_KIND:
        return float("nan")
    lines = np.concatenate([line_medians(values, axis) for axis in (0, 1)])
    known = lines[np.isfinite(lines)]
    if not len(known):  # sampled so thinly that no line has a middle
        return _middle(values)
    return float(np.quantile(known, 0.75, method="higher"))
