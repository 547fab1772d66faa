"""Whether switches reduced, told by bytes: true, false, or what would settle it."""

from __future__ import annotations

import pytest

from busbar.theory.operations import OPERATIONS, Exchange
from busbar.theory.proof import Counted, Finding, prove
from busbar.theory.wire import hypotheses, least_by_hosts, least_bytes, most_in_network

KIB, MIB = 1 << 10, 1 << 20
OPS = ["all_reduce", "reduce", "broadcast", "reduce_scatter", "all_gather"]


def _hosts(count: int) -> list[str]:
    return [f"host{n}" for n in range(1, count + 1)]


def _seen(payload: float) -> float:
    """As a counter has it: headers, and what else is said."""
    return 1.004 * payload + 400


def _by_switches(op: str, size: int, hosts: int) -> Counted:
    way = OPERATIONS[op].in_network
    assert way is not None
    each = [way(Exchange(size, hosts), {rank}) for rank in range(hosts)]
    return Counted([_seen(c.out_bytes) for c in each], [_seen(c.in_bytes) for c in each])


def _by_hosts(op: str, size: int, hosts: int) -> Counted:
    """The least of each host, and what all need beyond that spread evenly."""
    total = least_by_hosts(op, size, _hosts(hosts)).sent
    each = least_bytes(op, size, _hosts(hosts))
    rest_sent = (total - sum(host.sent for host in each)) / hosts
    rest_received = (total - sum(host.received for host in each)) / hosts
    return Counted(
        [_seen(host.sent + rest_sent) for host in each],
        [_seen(host.received + rest_received) for host in each],
    )


def _prove(op: str, size: int, hosts: int, *blocks: Counted | None) -> Finding:
    return prove(op, size, _hosts(hosts), blocks)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("size", [64 * KIB, MIB, 64 * MIB])
@pytest.mark.parametrize("hosts", [3, 4, 10])
def test_bytes_tell_both_ways_from_three_hosts_on(op: str, size: int, hosts: int) -> None:
    assert _prove(op, size, hosts, *[_by_switches(op, size, hosts)] * 5).in_network is True
    assert _prove(op, size, hosts, *[_by_hosts(op, size, hosts)] * 5).in_network is False


@pytest.mark.parametrize("op", OPS)
def test_two_hosts_cannot_tell(op: str) -> None:
    for counted in (_by_switches(op, MIB, 2), _by_hosts(op, MIB, 2)):
        found = _prove(op, MIB, 2, counted)
        assert found.in_network is None
        assert "3 hosts or more" in found.because


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("hosts", [3, 4, 10])
@pytest.mark.parametrize("power", range(0, 31))
def test_no_size_is_told_wrong(op: str, hosts: int, power: int) -> None:
    size = 1 << power
    assert _prove(op, size, hosts, _by_switches(op, size, hosts)).in_network is not False
    assert _prove(op, size, hosts, _by_hosts(op, size, hosts)).in_network is not True


def test_small_sizes_name_the_one_that_would_tell() -> None:
    found = _prove("all_reduce", 1024, 4, _by_switches("all_reduce", 1024, 4))
    assert found == Finding(None, "1K are too few to stand out: measure 32K or more")
    assert _prove("all_reduce", 32 * KIB, 4, _by_switches("all_reduce", 32 * KIB, 4)).in_network


def test_the_reason_has_the_figures() -> None:
    found = _prove("all_reduce", MIB, 4, _by_switches("all_reduce", MIB, 4))
    assert found.because == (
        "the hosts sent 4.02 times the size in all, less than the 6 that hosts alone need"
    )
    found = _prove("all_reduce", MIB, 4, _by_hosts("all_reduce", MIB, 4))
    assert found.because == (
        "the hosts sent 6.03 times the size in all, more than the 4 of switches that reduce"
    )


def test_blocks_that_are_apart_prove_nothing() -> None:
    odd = [_by_switches("all_reduce", MIB, 4)] * 4 + [_by_hosts("all_reduce", MIB, 4)]
    found = _prove("all_reduce", MIB, 4, *odd)
    assert found.in_network is None
    assert "more launches" in found.because


def test_half_of_each_is_neither() -> None:
    between = Counted([1.25 * MIB] * 4, [1.25 * MIB] * 4)
    assert _prove("all_reduce", MIB, 4, between).in_network is None  # hosts alone need more
    nearly = Counted([1.4 * MIB] * 4, [1.4 * MIB] * 4)
    assert _prove("all_reduce", MIB, 4, nearly).in_network is None


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [None],
        [_by_switches("all_reduce", MIB, 4), None],
        [Counted([MIB, MIB, None, MIB], [MIB] * 4)],
        [Counted([MIB] * 4, [MIB, MIB, MIB, None])],
        [Counted([MIB] * 3, [MIB] * 3)],
    ],
)
def test_a_counter_that_is_missing_proves_nothing(blocks: list[Counted | None]) -> None:
    found = _prove("all_reduce", MIB, 4, *blocks)
    assert found.in_network is None
    assert "log" in found.because


def test_a_way_around_the_links_is_no_reduction() -> None:
    around = Counted([4600.0] * 4, [4600.0] * 4)
    found = _prove("all_reduce", MIB, 4, around)
    assert found.in_network is None
    assert "another way" in found.because


@pytest.mark.parametrize(
    ("op", "size", "placement", "sentence"),
    [
        ("barrier", 0, _hosts(4), "log"),
        ("all_to_all", MIB, _hosts(4), "nothing to reduce or copy in all_to_all"),
        ("all_reduce", MIB, ["host1"] * 4, "on one host"),
    ],
)
def test_where_nothing_can_be_counted(
    op: str, size: int, placement: list[str], sentence: str
) -> None:
    hosts = len(set(placement))
    found = prove(op, size, placement, [Counted([1.0] * hosts, [1.0] * hosts)])
    assert found.in_network is None
    assert sentence in found.because


def test_several_ranks_per_host() -> None:
    """Eight ranks on four hosts: the tree takes 8 S, which hosts could do with."""
    placement = [host for host in _hosts(4) for _ in range(2)]
    own = Counted([_seen(2 * MIB)] * 4, [_seen(2 * MIB)] * 4)
    found = prove("all_reduce", MIB, placement, [own])
    assert found.in_network is None
    assert "one rank on each" in found.because
    first_combined = Counted([_seen(MIB)] * 4, [_seen(MIB)] * 4)
    assert prove("all_reduce", MIB, placement, [first_combined]).in_network is True
    wasteful = Counted([_seen(3 * MIB)] * 4, [_seen(3 * MIB)] * 4)
    assert prove("all_reduce", MIB, placement, [wasteful]).in_network is False


@pytest.mark.parametrize("hosts", [4, 16, 64])
@pytest.mark.parametrize("ranks", [1, 2, 4, 8])
def test_several_ranks_per_host_tell_as_well(hosts: int, ranks: int) -> None:
    """CollNet sends each host's data once, a ring nearly twice, however many ranks there are."""
    size, placement = 1 << 30, [host for host in _hosts(hosts) for _ in range(ranks)]
    n = hosts * ranks
    sharp = Counted([1.002 * size] * hosts, [1.002 * size] * hosts)
    ring = Counted(*[[2 * (n - 1) / n * 1.002 * size] * hosts] * 2)
    assert prove("all_reduce", size, placement, [sharp] * 3).in_network is True
    # Ranks that stream on their own send as much as a ring where there are two of them.
    by_hosts = None if ranks == 2 and hosts > 4 else False
    assert prove("all_reduce", size, placement, [ring] * 3).in_network is by_hosts


@pytest.mark.parametrize("counted_nics", [1, 3, 5, 6, 7])
def test_nics_that_nobody_counts_are_no_reduction(counted_nics: int) -> None:
    share = 2 * 15 / 16 * counted_nics / 8 * MIB
    ring = Counted([share] * 16, [share] * 16)
    assert _prove("all_reduce", MIB, 16, *[ring] * 3).in_network is None


def test_a_root_elsewhere() -> None:
    sent = [_seen(0), _seen(0), _seen(MIB), _seen(0)]
    received = [_seen(MIB), _seen(MIB), _seen(0), _seen(MIB)]
    found = prove("broadcast", MIB, _hosts(4), [Counted(sent, received)], root=2)
    assert found.in_network is True


def test_totals() -> None:
    s = 600.0
    for op, hosts in [("all_reduce", 4 * s), *((op, 2 * s) for op in OPS[1:])]:
        assert least_by_hosts(op, 600, _hosts(3)).sent == pytest.approx(hosts)
    expected = {
        "all_reduce": (3 * s, 3 * s), "reduce": (3 * s, s), "broadcast": (s, 2 * s),
        "reduce_scatter": (3 * s, s), "all_gather": (s, 2 * s),
    }  # fmt: skip
    for op, (sent, received) in expected.items():
        totals = most_in_network(op, 600, _hosts(3))
        assert (totals.sent, totals.received) == pytest.approx((sent, received))


def test_hypotheses_of_the_busiest_host() -> None:
    assert hypotheses("all_reduce", 100, _hosts(4)) == {
        "in the network": 100, "any host algorithm, at least": 150, "ring": 150,
        "recursive doubling": 200, "binomial tree": 200,
    }  # fmt: skip
    assert hypotheses("all_reduce", 100, [h for h in _hosts(4) for _ in range(2)]) == {
        "in the network": 100, "in the network, each rank on its own": 200,
        "any host algorithm, at least": 150,
    }  # fmt: skip
    assert hypotheses("send_recv", 100, _hosts(4)) == {"any host algorithm, at least": 100}
    assert hypotheses("all_reduce", 100, ["host1"] * 4) == {}
    assert hypotheses("barrier", 0, _hosts(4)) == {}
