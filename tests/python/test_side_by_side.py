"""Several communicators side by side: their bound, their least bytes, their place in a record."""

from __future__ import annotations

import pytest
from cluster_records import at, judged
from hypothesis import given
from hypothesis import strategies as st
from networks import star, two_levels
from pydantic import ValidationError

from busbar import fabrics
from busbar.check import Verdict
from busbar.record.key import Group
from busbar.theory.bound import bound
from busbar.theory.operations import OPERATIONS
from busbar.theory.side_by_side import bound_side_by_side, least_bytes_side_by_side
from busbar.theory.wire import least_bytes

MIB = 1 << 20
HOSTS = ["host1", "host2", "host3", "host4"]
FAST, SLOW = (400e6, 400e6), (100e6, 100e6)


def test_parts_on_hosts_of_their_own_are_as_fast_as_alone() -> None:
    fabric = star([FAST] * 4)
    alone = bound(fabric, "all_reduce", MIB, HOSTS[:2])
    assert bound_side_by_side(fabric, "all_reduce", MIB, [HOSTS[:2], HOSTS[2:]]) == alone


def test_the_slowest_part_counts() -> None:
    fabric = star([FAST, FAST, FAST, SLOW])
    alone = bound(fabric, "send_recv", MIB, HOSTS[2:])
    assert bound_side_by_side(fabric, "send_recv", MIB, [HOSTS[:2], HOSTS[2:]]) == alone


def test_rails_share_their_hosts_links() -> None:
    fabric = star([FAST] * 4, burst_bytes=1e-9)
    one = bound(fabric, "all_gather", MIB, HOSTS)
    both = bound_side_by_side(fabric, "all_gather", MIB, [HOSTS, HOSTS])
    assert one is not None and both is not None
    assert both.time_us == pytest.approx(2 * one.time_us)
    assert both.busbw_gbs == pytest.approx(one.busbw_gbs / 2)
    assert "all parts together" in both.cut


def test_pairs_across_a_narrow_uplink_share_it() -> None:
    fabric = two_levels([FAST] * 4, [FAST, FAST])
    across = [["host1", "host3"], ["host2", "host4"]]
    within = [["host1", "host2"], ["host3", "host4"]]
    alone = bound(fabric, "send_recv", MIB, across[0])
    crossing = bound_side_by_side(fabric, "send_recv", MIB, across)
    staying = bound_side_by_side(fabric, "send_recv", MIB, within)
    assert alone is not None and crossing is not None and staying is not None
    assert crossing.time_us == pytest.approx(2 * alone.time_us)
    assert crossing.cut.startswith("uplink of leaf1, all parts together")
    assert staying.time_us == pytest.approx(alone.time_us)


@given(
    st.sampled_from(sorted(OPERATIONS)),
    st.permutations(HOSTS * 2),
    st.sampled_from([1, 2, 4]),
    st.integers(1, 1 << 24),
)
def test_more_side_by_side_is_never_faster(op: str, ranks: list[str], k: int, size: int) -> None:
    fabric = star([FAST, FAST, SLOW, FAST])
    parts = [ranks[i :: len(ranks) // k] for i in range(len(ranks) // k)]
    if k == 1 or (op == "all_to_allv"):
        return
    together = bound_side_by_side(fabric, op, size, parts)
    fewer = bound_side_by_side(fabric, op, size, parts[1:]) if len(parts) > 1 else None
    if fewer is not None:
        assert together is not None and together.time_us >= fewer.time_us


def test_least_bytes_add_up_per_host() -> None:
    one = least_bytes("all_reduce", MIB, HOSTS)
    both = least_bytes_side_by_side("all_reduce", MIB, [HOSTS, HOSTS])
    assert [(x.host, x.sent, x.received) for x in both] == [
        (x.host, 2 * x.sent, 2 * x.received) for x in one
    ]


@pytest.mark.parametrize(
    ("parts", "culprit"),
    [
        (("0-1", "2"), "not all of one size"),
        (("0-1", "1-2"), "do not hold each"),
        (("0-1", "2-4"), "not all of one size"),
        (("0-1", "4-5"), "do not hold each"),
        ((), "not all of one size"),
    ],
)
def test_parts_that_are_none_are_refused(parts: tuple[str, ...], culprit: str) -> None:
    with pytest.raises(ValidationError, match=culprit):
        Group(name="x", ranks="0-3", nodes=None, parts=parts)


def test_a_plan_knows_listed_parts_and_not_those_of_a_split() -> None:
    listed = Group(name="x", ranks="0-3", nodes=4, parts=("0,2", "1,3"))
    assert listed.planned().parts == ("0,2", "1,3")
    split = listed.model_copy(update={"split": "index"})
    assert split.planned() == Group(name="x", ranks="0-3", nodes=None, split="index")


def test_rails_of_an_all_reduce_add_up_over_all_links() -> None:
    """2(K-1)S each, and not the S that has to cross a host's link."""
    fabric = star([FAST] * 4, burst_bytes=1e-9)
    one = bound(fabric, "all_reduce", MIB, HOSTS)
    both = bound_side_by_side(fabric, "all_reduce", MIB, [HOSTS, HOSTS])
    assert one is not None and both is not None
    assert both.time_us == pytest.approx(2 * one.time_us)
    assert both.cut == "all links together, all parts together, egress"


@pytest.mark.parametrize("op", ["all_reduce", "all_gather", "all_to_all", "send_recv"])
@pytest.mark.parametrize("name", ["dgx-h100", "h100-ethernet", "meta-24k-roce"])
def test_rails_share_the_nics_and_uplinks_of_a_cluster(name: str, op: str) -> None:
    fabric = fabrics.load(name)
    nodes = 1536 if name == "meta-24k-roce" else 32
    rail = fabric.placement(1, nodes)
    found = bound_side_by_side(fabric, op, MIB, [rail] * 8)
    alone = bound(fabric, op, MIB, rail)
    assert found is not None and alone is not None
    nic = fabric.cluster.nic if fabric.cluster else None
    assert nic is not None
    shared = nic.per_node * nic.rate_bps.value / 8e9 * fabric.efficiency()
    least_us = (
        {
            "all_reduce": 2 * (nodes - 1) / nodes,
            "all_gather": (nodes - 1) / nodes,
            "all_to_all": (nodes - 1) / nodes,
            "send_recv": 1.0,
        }[op]
        * 8
        * MIB
        / (shared * 1e3)
    )
    assert found.time_us >= alone.time_us
    assert found.time_us >= least_us * (1 - 1e-9)
    if name == "meta-24k-roce" and op == "all_to_all":
        assert found.cut.startswith("uplinks of a pod")
        assert found.time_us > 3 * least_us
    else:
        assert found.time_us == pytest.approx(least_us)


def test_nodes_side_by_side_share_nothing() -> None:
    fabric = fabrics.load("dgx-h100")
    node = fabric.placement(8, 1)
    other = tuple("another" for _ in node)
    alone = bound(fabric, "all_reduce", MIB, node)
    assert bound_side_by_side(fabric, "all_reduce", MIB, [node, other]) == alone


@pytest.mark.parametrize(
    ("op", "busbw_gbs"), [("all_reduce", 48.0), ("all_gather", 48.0), ("send_recv", 48.0)]
)
def test_rails_of_a_sound_cluster_pass_and_half_a_nic_does_not(op: str, busbw_gbs: float) -> None:
    """Eight rails on eight NICs: each has one of 50 GB/s."""
    fabric = fabrics.load("dgx-h100")
    hosts = fabric.placement(8, 4)
    rails = tuple(",".join(str(8 * node + rail) for node in range(4)) for rail in range(8))
    group = Group(name="rails", ranks="0-31", nodes=4, split="index", parts=rails)
    sound = judged(at(busbw_gbs, hosts, op, group=group), fabric)
    assert sound.verdict is Verdict.PASS, sound.reason
    assert judged(at(busbw_gbs / 2, hosts, op, group=group), fabric).verdict is Verdict.FAIL
    assert judged(at(busbw_gbs * 2, hosts, op, group=group), fabric).verdict is Verdict.IMPOSSIBLE
