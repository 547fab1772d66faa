"""Pair matrices whose faults are known: stars and two-level fabrics, with noise and collisions.

Rates follow the model that blame supposes, the slowest of the ports and of the path; what it does
not suppose is added: launches that differ as a whole, heavy tails, cells halved by collisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from busbar.pairs.groups import Kind
from busbar.pairs.matrix import Cells, Endpoint, Layer, PairMatrix
from busbar.pairs.sites import Attachment, Sites

SIZE_BYTES = 4 << 20
HEALTHY_GBS = 48.0


@dataclass(frozen=True)
class Fault:
    """Something planted: `who` are endpoints of a port or path, else leaves."""

    kind: Kind
    who: tuple[int, ...]
    share: float = 0.8


@dataclass(frozen=True)
class World:
    """What a matrix is made of."""

    endpoints: int
    leaves: int = 1
    per_host: int = 1
    faults: Sequence[Fault] = ()
    launches: int = 5
    noise: float = 0.01
    freedom: float | None = None
    """Noise of Student's t with so many degrees of freedom; None: normal."""
    shift: float = 0.03
    """Standard deviation of what a launch does to all cells."""
    missing: float = 0.0
    """Share of isolated cells that no launch measured."""
    collisions: float = 0.0
    """Share of concurrent cells that share a path in a launch, at half the rate."""
    isolated: bool = True
    concurrent: bool = False
    seed: int = 0

    def leaf(self, endpoint: int) -> int:
        """Consecutive blocks of whole hosts."""
        hosts = self.endpoints // self.per_host
        return (endpoint // self.per_host) * self.leaves // hosts


def sites(world: World) -> Sites:
    """The map of the world; none of a star."""
    if world.leaves == 1:
        return Sites()
    return Sites(
        tuple(
            Attachment(_host(world, e), f"leaf{world.leaf(e) + 1}")
            for e in range(0, world.endpoints, world.per_host)
        )
    )


def matrix(world: World) -> PairMatrix:
    """The matrix that a run would leave."""
    chance = np.random.default_rng(world.seed)
    rates = true_rates(world)
    empty = Layer((), np.empty((0, world.endpoints, world.endpoints)))
    return PairMatrix(
        title="one_way 4M default",
        size_bytes=SIZE_BYTES,
        endpoints=tuple(
            Endpoint(_host(world, e), e % world.per_host, e) for e in range(world.endpoints)
        ),
        isolated=_layer(world, rates, world.missing, 0.0, chance) if world.isolated else empty,
        concurrent=_layer(world, rates, 0.0, world.collisions, chance)
        if world.concurrent
        else empty,
    )


def true_rates(world: World) -> Cells:
    """[from][to] in GB/s without noise; NaN on the diagonal."""
    rates = np.full((world.endpoints, world.endpoints), HEALTHY_GBS)
    leaf = np.array([world.leaf(e) for e in range(world.endpoints)])
    for fault in world.faults:
        cells = np.zeros(rates.shape, dtype=bool)
        first = fault.who[0]
        if fault.kind in (Kind.HOST_EGRESS, Kind.NIC_EGRESS, Kind.HOST_BOTH):
            cells[list(fault.who), :] = True
        if fault.kind in (Kind.HOST_INGRESS, Kind.NIC_INGRESS, Kind.HOST_BOTH):
            cells[:, list(fault.who)] = True
        if fault.kind is Kind.LEAF_UP:
            cells |= (leaf == first)[:, None] & (leaf != first)[None, :]
        if fault.kind is Kind.LEAF_DOWN:
            cells |= (leaf != first)[:, None] & (leaf == first)[None, :]
        if fault.kind is Kind.LEAF_PATH:
            cells |= (leaf == first)[:, None] & (leaf == fault.who[1])[None, :]
        if fault.kind is Kind.PATH:
            cells[fault.who] = True
        rates[cells] = np.minimum(rates[cells], fault.share * HEALTHY_GBS)
    host = np.arange(world.endpoints) // world.per_host
    rates[host[:, None] == host[None, :]] = np.nan
    return rates


def _layer(
    world: World, rates: Cells, missing: float, collisions: float, chance: np.random.Generator
) -> Layer:
    shape = (world.launches, *rates.shape)
    draws = (
        chance.standard_normal(shape)
        if world.freedom is None
        else chance.standard_t(world.freedom, shape)
    )
    shifts = world.shift * chance.standard_normal(world.launches)
    found = rates * np.exp(world.noise * draws + shifts[:, None, None])
    found[chance.random(shape) < collisions] *= 0.5
    found[:, chance.random(rates.shape) < missing] = np.nan
    return Layer(tuple(range(world.launches)), SIZE_BYTES / found / 1000)


def _host(world: World, endpoint: int) -> str:
    return f"host{endpoint // world.per_host + 1}"
