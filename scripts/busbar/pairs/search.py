"""Finds what could explain the slow cells of a layer: uplinks before ports, ports before paths."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from busbar.pairs.evidence import Evidence, Test, least_deficit
from busbar.pairs.groups import Group, deficit, slow_paths, slow_ports, slow_uplinks
from busbar.pairs.matrix import Cells, Layer, over_launches
from busbar.pairs.residuals import Codes, Layout, Mask, Residuals, residuals

_ROUNDS = 4  # each measures what is healthy anew, without those suspected before
_MOST_PATHS = 64  # more single paths than this are no faults but how the fabric is


@dataclass(frozen=True)
class Explained:
    """The groups that stand out of a layer, each with what the test says of it."""

    found: Residuals
    groups: tuple[tuple[Group, Evidence], ...]


def search(layer: Layer, layout: Layout, *, paths: bool) -> Explained:
    """`paths`: whether single cells may be suspected; not where healthy pairs collide."""
    kinds = layout.kinds()
    found = residuals(layer, kinds)
    if not layer.launches:
        return Explained(found, ())
    groups: list[Group] = []
    for _ in range(_ROUNDS):
        groups = _candidates(found, layout, paths=paths)
        explained = _mask(groups, kinds)
        if np.array_equal(explained, found.explained) and groups:
            break
        found = residuals(layer, kinds, explained)
    return _tested(layer, layout, found, groups)


def alone(group: Group, groups: Iterable[Group], found: Residuals) -> Cells:
    """The cells, per launch, of a group that no other of the groups explains as well."""
    others = np.zeros(found.explained.shape, dtype=bool)
    for other in groups:
        if other is not group:
            other.mark(others)
    own = np.where(others, np.nan, found.each)
    return own if np.isfinite(group.of(own)).any() else found.each


def _tested(layer: Layer, layout: Layout, found: Residuals, groups: list[Group]) -> Explained:
    """Groups within the population's own spread go back to it, and the others are tested anew."""
    kinds = layout.kinds()
    while True:
        explained = _mask(groups, kinds)
        if not np.array_equal(explained, found.explained):
            found = residuals(layer, kinds, explained)
        test = Test(found, layout)
        own = [alone(group, groups, found) for group in groups]
        testable = [g for g, x in zip(groups, own, strict=True) if np.isfinite(g.of(x)).any()]
        if len(testable) < len(groups):  # what is left tells nothing of the others
            groups = testable
            continue
        low = [(g, deficit(g, over_launches(x))) for g, x in zip(groups, own, strict=True)]
        tested = [
            (group, test.of(group, cells, [(g, x) for g, x in low if g is not group]))
            for group, cells in zip(groups, own, strict=True)
        ]
        kept = [(group, said) for group, said in tested if said.stands_out]
        if len(kept) == len(tested):
            return Explained(found, tuple(kept))
        groups = [group for group, _ in kept]


def _candidates(found: Residuals, layout: Layout, *, paths: bool) -> list[Group]:
    groups = slow_uplinks(found, layout)
    left = _without(found.each, groups)
    groups += slow_ports(found, layout, left)
    if paths:
        left = _without(found.each, groups)
        measured = int(np.isfinite(found.middle).sum())
        single = slow_paths(found, left, least_deficit(measured, found.noise))
        groups += single if len(single) <= _MOST_PATHS else []
    return groups


def _without(cells: Cells, groups: Iterable[Group]) -> Cells:
    explained = np.zeros(cells.shape[1:], dtype=bool)
    for group in groups:
        group.mark(explained)
    return np.where(explained, np.nan, cells)


def _mask(groups: Iterable[Group], kinds: Codes) -> Mask:
    mask = np.zeros(kinds.shape, dtype=bool)
    for group in groups:
        group.mark(mask)
    return mask
