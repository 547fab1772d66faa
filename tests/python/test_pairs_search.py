"""The search for who is slow, on cells that leave little to go by."""

from __future__ import annotations

import numpy as np

from busbar.pairs.matrix import Endpoint, Layer
from busbar.pairs.residuals import layout
from busbar.pairs.search import search
from busbar.pairs.sites import Sites

_NONE = float("nan")


def test_a_group_with_nothing_left_to_test_it_by_is_no_end() -> None:
    """Four hosts in two short launches on a busy machine: all cells are some group's."""
    times_us = np.array(
        [
            [
                [_NONE, 335.837, 279.178, 323.632],
                [365.813, _NONE, 315.489, 337.466],
                [298.297, 211.318, _NONE, 316.32],
                [271.216, 376.613, 247.602, _NONE],
            ],
            [
                [_NONE, 405.567, 279.443, 511.755],
                [422.298, _NONE, 442.706, 267.629],
                [556.174, 291.751, _NONE, 350.695],
                [315.726, 471.958, 348.36, _NONE],
            ],
        ]
    )
    endpoints = [Endpoint(f"host{n + 1}", 0, n) for n in range(4)]
    found = search(Layer((0, 1), times_us), layout(endpoints, Sites()), paths=False)
    assert found.groups == ()
