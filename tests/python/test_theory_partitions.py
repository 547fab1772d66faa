"""The bound of an all-reduce by hosts: against all partitions, on one level and on two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from networks import star, two_levels
from scipy.optimize import linprog

from busbar.fabrics import Fabric
from busbar.theory.bound import Bound, bound

MIB = 1 << 20


def _time(fabric: Fabric, op: str, size: int) -> float:
    found = bound(fabric, op, size, fabric.placement())
    return found.time_us if found else 0.0


def _found(fabric: Fabric, op: str, size: int) -> Bound:
    found = bound(fabric, op, size, fabric.placement())
    assert found is not None
    return found


# All-reduce: the closed form against all partitions


def _partitions(items: list[int]) -> Iterator[list[list[int]]]:
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for smaller in _partitions(rest):
        yield [[first], *smaller]
        for index in range(len(smaller)):
            yield [*smaller[:index], [first, *smaller[index]], *smaller[index + 1 :]]


def _least_time(parts: list[list[int]], rates: list[tuple[float, float]], size: int) -> float:
    """Shortest time in which the parts can exchange what an all-reduce needs, as a linear program.

    Variables: the time, and the bytes from part to part. Every part sends and receives S, all
    together 2(K-1)S, and no part more than its links pass.
    """
    k = len(parts)
    pairs = [(a, b) for a in range(k) for b in range(k) if a != b]
    rows, limits = [], []
    for part, hosts in enumerate(parts):
        for way in (0, 1):
            sent = np.array([pair[way] == part for pair in pairs], float)
            rate = sum(rates[host][way] for host in hosts) / 8e6
            rows.append([-rate, *sent])
            limits.append(0.0)
            rows.append([0.0, *-sent])
            limits.append(-1.0)
    rows.append([0.0, *[-1.0] * len(pairs)])
    limits.append(-2.0 * (k - 1))
    solved = linprog([1.0, *[0.0] * len(pairs)], A_ub=np.array(rows), b_ub=limits)
    assert solved.fun is not None
    return float(solved.fun) * size * 9014 / 8948


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("hosts", [2, 3, 4])
def test_all_reduce_is_the_strictest_of_all_partitions(hosts: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rates = [(float(e), float(i)) for e, i in rng.choice([1e8, 2e8, 3.5e8, 4e8], (hosts, 2))]
    _compare_with_all_partitions(rates)


@pytest.mark.parametrize(
    "slow",
    [(1e8, 1e8), (3.8e8, 3.8e8), (4e8, 1e8), (2e9, 3e9)],
    ids=["slow", "slightly", "one way", "fast"],
)
@pytest.mark.parametrize("hosts", [5, 6])
def test_all_reduce_with_one_host_that_differs(hosts: int, slow: tuple[float, float]) -> None:
    _compare_with_all_partitions([slow] + [(4e8, 4e8)] * (hosts - 1))


def _compare_with_all_partitions(rates: list[tuple[float, float]]) -> None:
    # Hosts with equal links are alike, so partitions that differ only in which of them are
    # where need one solution.
    kinds = {}
    for parts in _partitions(list(range(len(rates)))):
        if len(parts) > 1:
            kinds[tuple(sorted(tuple(sorted(rates[h] for h in part)) for part in parts))] = parts
    strictest = max(_least_time(parts, rates, MIB) for parts in kinds.values())
    assert _time(star(rates, 1e-9), "all_reduce", MIB) == pytest.approx(strictest, rel=1e-6)


# Two levels: leaves below a spine


WIRE = 9014 / 8948


def test_wide_uplinks_change_nothing() -> None:
    flat = _time(star([(4e8, 4e8)] * 4, 1e-9), "all_reduce", MIB)
    wide = two_levels([(4e8, 4e8)] * 4, [(8e8, 8e8)] * 2)
    assert _time(wide, "all_reduce", MIB) == pytest.approx(flat)
    assert _found(wide, "all_reduce", MIB).cut.startswith("all links together")


def test_narrow_uplinks_rule_the_bound() -> None:
    narrow = two_levels([(4e8, 4e8)] * 6, [(5e7, 5e7)] * 3)
    found = _found(narrow, "all_reduce", MIB)
    assert found.cut == "all uplinks together, egress"
    assert found.cut_bytes == 4 * MIB
    assert found.time_us == pytest.approx(4 * MIB * WIRE / (3 * 50 / 8))


def test_one_narrow_uplink_makes_one_part_of_its_leaf() -> None:
    fabric = two_levels([(4e8, 4e8)] * 9, [(9e8, 9e8), (9e8, 9e8), (2.6e8, 2.6e8)])
    found = _found(fabric, "all_reduce", MIB)
    assert found.cut == (
        "links below uplink of leaf1, links below uplink of leaf2, uplink of leaf3 together, egress"
    )
    assert found.time_us == pytest.approx(12 * MIB * WIRE / ((6 * 400 + 260) / 8))


def test_a_group_below_one_leaf_knows_no_uplink() -> None:
    fabric = two_levels([(4e8, 4e8)] * 4, [(1e6, 1e6)] * 2)
    below = bound(fabric, "all_reduce", MIB, ["host1", "host2"])
    assert below is not None
    assert below.time_us == pytest.approx(MIB * WIRE / 50)


def test_a_broadcast_passes_each_uplink_once() -> None:
    fabric = two_levels([(4e8, 4e8)] * 4, [(1e8, 1e8), (1e8, 5e7)])
    assert _found(fabric, "broadcast", MIB).cut == "uplink of leaf2, ingress"
    assert _found(fabric, "all_to_all", MIB).cut == "uplink of leaf2, ingress"


SOME_RATES = [1e8, 2e8, 3.5e8, 4e8, 8e8]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shape", [(2, 2), (2, 1), (3, 1), (1, 1, 1), (2, 2, 1), (2, 1, 1)])
def test_all_reduce_is_the_strictest_of_all_partitions_of_two_levels(
    shape: tuple[int, ...], seed: int
) -> None:
    rng = np.random.default_rng([seed, *shape])
    hosts = [(float(e), float(i)) for e, i in rng.choice(SOME_RATES, (sum(shape), 2))]
    uplinks = [(float(e), float(i)) for e, i in rng.choice(SOME_RATES, (len(shape), 2))]
    # The fabric's leaves take 1 host more or less, so a group leaves out what a shape lacks.
    each = max(shape)
    fabric_hosts, placement, leaves = [], [], []
    for leaf, count in enumerate(shape):
        names = [f"host{leaf * each + n + 1}" for n in range(count)]
        own = [hosts[sum(shape[:leaf]) + n] for n in range(count)]
        fabric_hosts += own + [(4e8, 4e8)] * (each - count)
        leaves.append(list(range(len(placement), len(placement) + count)))
        placement += names
    fabric = two_levels(fabric_hosts, uplinks)
    found = bound(fabric, "all_reduce", MIB, placement)
    assert found is not None
    strictest = max(
        _least_time(
            [[n] for n in range(len(parts))], _part_rates(parts, hosts, uplinks, leaves), MIB
        )
        for parts in _partitions(list(range(sum(shape))))
        if len(parts) > 1
    )
    assert found.time_us == pytest.approx(strictest, rel=1e-6)


def _part_rates(
    parts: list[list[int]],
    hosts: Sequence[tuple[float, float]],
    uplinks: Sequence[tuple[float, float]],
    leaves: Sequence[Sequence[int]],
) -> list[tuple[float, float]]:
    """What each part can send and receive: of a leaf wholly in it no more than its uplink."""
    found = []
    for part in parts:
        ways = [0.0, 0.0]
        for leaf, below in enumerate(leaves):
            own = [hosts[host] for host in below if host in part]
            for way in (0, 1):
                rate = sum(host[way] for host in own)
                whole = len(own) == len(below)
                ways[way] += min(rate, uplinks[leaf][way]) if whole else rate
        found.append((ways[0], ways[1]))
    return found
