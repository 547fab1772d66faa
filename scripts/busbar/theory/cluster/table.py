"""Bounds and expected times of a cluster over arrays of sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from busbar.fabrics.model import Fabric
from busbar.theory.cluster.bounds import Slope, host_bound
from busbar.theory.cluster.expected import Candidate, candidates
from busbar.theory.cluster.gain import baselines
from busbar.theory.cluster.in_network import network_bound
from busbar.theory.cluster.layout import Layout
from busbar.theory.operations import OPERATIONS
from busbar.theory.reduction import bytes_per_us

Sizes = NDArray[np.int64]
Times = NDArray[np.floating]
"""Microseconds, or GB/s, of each size."""


@dataclass(frozen=True)
class Rows:
    """All that theory has to say of an operation; sizes in bytes, times in microseconds."""

    sizes: Sizes
    bound: Slope | None
    bound_us: Times | None
    network_bound: Slope | None
    network_bound_us: Times | None
    hosts_us: Mapping[str, Times]
    """Expected, by algorithm."""
    network_us: Mapping[str, Times]
    """The same of those by which switches reduce."""
    baselines: Mapping[str, float]
    """Microseconds per byte of what reduction in the network is held against (`gain`)."""
    bus_factor: float

    def algbw_gbs(self, times_us: Times) -> Times:
        """What those times would report."""
        return np.divide(self.sizes, times_us * 1000, out=np.zeros(len(self.sizes)),
                         where=times_us > 0)  # fmt: skip

    def busbw_gbs(self, times_us: Times) -> Times:
        """The same as bus bandwidth."""
        return self.algbw_gbs(times_us) * self.bus_factor


def rows(fabric: Fabric, layout: Layout, op: str, sizes: Sizes) -> Rows:
    """Of a known operation. What it costs to find grows with levels, and hardly with ranks."""
    reduced_per_us = bytes_per_us(fabric)
    hosts = host_bound(layout, op, reduced_per_us)
    network = network_bound(fabric, layout, op)
    able = candidates(fabric, layout, op)
    return Rows(
        sizes, hosts, _along(hosts, sizes), network, _along(network, sizes),
        {c.algorithm: _times(c, sizes) for c in able if not c.in_network},
        {c.algorithm: _times(c, sizes) for c in able if c.in_network},
        baselines(layout, op, reduced_per_us),
        OPERATIONS[op].bus_factor(layout.ranks),
    )  # fmt: skip


def _along(slope: Slope | None, sizes: Sizes) -> Times | None:
    return None if slope is None else sizes * slope.us_per_byte


def _times(candidate: Candidate, sizes: Sizes) -> Times:
    each = [line.latency_us + line.us_per_byte * sizes for line in candidate.protocols]
    fastest: Times = np.minimum.reduce(each)
    return fastest
