"""Whose bound a point is held against: that of hosts, of NVLink's switches, or of the network's."""

from __future__ import annotations

from typing import Any

import pytest
from cluster_records import SIZE, at, judged

from busbar import fabrics
from busbar.check import Verdict
from busbar.theory.bound import bound

H100 = fabrics.load("dgx-h100")
FOUR = H100.placement(8, 4)
ONE = H100.placement(8, 1)


def _us(hosts: tuple[str, ...], **by: bool) -> float:
    found = bound(H100, "all_reduce", SIZE, hosts, **by)
    assert found is not None
    return found.time_us


HOSTS = _us(FOUR)
NVLINK = _us(FOUR, in_network=True, nvlink_only=True)
SHARP = _us(FOUR, in_network=True)


def test_each_way_has_a_bound_of_its_own() -> None:
    assert NVLINK < HOSTS
    assert SHARP < NVLINK
    one = _us(ONE, in_network=True)
    assert one == _us(ONE, in_network=True, nvlink_only=True), "one node has no other switches"


@pytest.mark.parametrize(
    ("seen", "least_us"),
    [
        ({}, NVLINK),
        ({"algorithm": "RING", "in_network": False}, HOSTS),
        ({"algorithm": "NVLS_TREE", "in_network": True}, NVLINK),
        ({"algorithm": "NVLS_TREE", "in_network": False}, NVLINK),
        # The hosts' counters saw a ring between them; inside, NVLink's switches may have reduced.
        ({"in_network": False}, NVLINK),
        ({"in_network": True}, SHARP),
        ({"algorithm": "NVLS", "in_network": True}, SHARP),
        ({"algorithm": "COLLNET_DIRECT", "in_network": True}, SHARP),
        ({"settings": {"in_network": "off"}}, HOSTS),
        ({"settings": {"in_network": "nvls"}}, NVLINK),
        ({"settings": {"in_network": "sharp"}}, SHARP),
    ],
)
def test_several_nodes_are_held_against_the_way_they_may_have_taken(
    seen: dict[str, Any], least_us: float
) -> None:
    row = judged(at(300, FOUR, **seen), H100)
    assert row.bound is not None
    assert row.bound.time_us == pytest.approx(least_us)


def test_a_ring_over_all_nics_passes_where_nothing_was_seen() -> None:
    row = judged(at(388, FOUR), H100)
    assert row.verdict is Verdict.PASS, row.reason


def test_what_only_sharp_explains_was_sharp_unless_it_is_excluded() -> None:
    """Settings of NCCL can come from a file that the record does not have."""
    fast = 600.0  # NVLink's switches and hosts reach 513
    row = judged(at(fast, FOUR), H100)
    assert row.verdict is not Verdict.IMPOSSIBLE
    assert row.bound is not None and row.bound.time_us == pytest.approx(SHARP)
    without = H100.model_copy(update={"in_network": None})
    assert judged(at(fast, FOUR), without).verdict is Verdict.IMPOSSIBLE
    tree = at(fast, FOUR, algorithm="NVLS_TREE", in_network=True)
    assert judged(tree, H100).verdict is Verdict.IMPOSSIBLE
