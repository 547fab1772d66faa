"""Emulated fabrics of two levels, and the aggregation hosts at their switches."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import pytest

from busbar.emulate import (
    EmulationSpec,
    aggregator_args,
    main,
    mpirun_args,
    parse_uplink_override,
    spec_from_options,
    trees,
)
from busbar.emulate.plan import plan_world
from busbar.leaves import spread
from worlds import TRANSFER, TRANSFERS, inside, mca_in, need_worlds

ROOT = Path(__file__).resolve().parents[2]


def two_levels(
    hosts: int = 4,
    rates: list[str] | None = None,
    uplinks: list[str] | None = None,
    leaves: int = 2,
    aggregators: int = 0,
) -> EmulationSpec:
    return spec_from_options(
        hosts, rates or [], leaves=leaves, uplinks=uplinks or ["800mbit"], aggregators=aggregators
    )


pytestmark = pytest.mark.alone

# --- what is asked for ------------------------------------------------------------------------


def test_hosts_are_spread_in_consecutive_nearly_equal_blocks() -> None:
    hosts = [f"host{n}" for n in range(1, 8)]
    assert [len(block) for block in spread(hosts, 3)] == [3, 2, 2]
    for leaves in range(1, 8):
        blocks = spread(hosts, leaves)
        assert [host for block in blocks for host in block] == hosts
        assert max(map(len, blocks)) - min(map(len, blocks)) <= 1
    for leaves in (0, 8):
        with pytest.raises(ValueError, match=f"^{leaves} leaves for 7 hosts: accepted is 1 to 7$"):
            spread(hosts, leaves)


def test_leaves_hang_below_a_spine() -> None:
    spec = two_levels(hosts=5, aggregators=1)
    assert spec.switch_names == ("spine", "leaf1", "leaf2")
    assert spec.hosts_below == {"leaf1": ("host1", "host2", "host3"), "leaf2": ("host4", "host5")}
    alone = EmulationSpec(hosts=2)
    assert (alone.switch_names, alone.leaf_names) == (("switch",), ())
    assert alone.hosts_below == {"switch": ("host1", "host2")}


def test_an_override_slows_its_leaf_and_direction_only() -> None:
    spec = two_levels(uplinks=["leaf1.tx=100mbit", "800mbit", "leaf2=300mbit", "leaf2.rx=200mbit"])
    assert spec.uplink_rates_of("leaf1") == (100_000_000, 800_000_000)
    assert spec.uplink_rates_of("leaf2") == (300_000_000, 200_000_000)
    assert spec.slowest_bps == 100_000_000
    assert two_levels(rates=["host3.rx=50mbit"]).slowest_bps == 50_000_000


def test_records_of_one_switch_still_say_how_they_were_emulated() -> None:
    record = json.loads((ROOT / "results" / "emulated-4x400m.json").read_text())
    spec = EmulationSpec.model_validate(record["run"]["emulation"])
    assert (spec.leaves, spec.aggregators, spec.slowest_bps) == (1, 0, 400_000_000)
    assert EmulationSpec.model_validate_json(two_levels().model_dump_json()) == two_levels()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"leaves": 5, "uplinks": ["1gbit"]},
         "5 leaves for 4 hosts: each leaf needs a host of its own"),
        ({"leaves": 2}, "2 leaves have no uplink rate: they need one, such as --uplink 800mbit"),
        ({"leaves": 2, "uplinks": ["leaf1=1gbit"]}, "2 leaves have no uplink rate: .*"),
        ({"uplinks": ["1gbit"]}, "uplinks join leaves to a spine: they need 2 leaves or more"),
        ({"uplinks": ["leaf1=1gbit"]}, "uplinks join leaves to a spine: .*"),
        ({"leaves": 2, "uplinks": ["1gbit", "leaf3=1gbit"]},
         "uplink rate for unknown leaf 'leaf3': the leaves are leaf1 to leaf2"),
        ({"leaves": 2, "uplinks": ["leaf1.up=1gbit"]},
         r"rate 'leaf1.up=1gbit' is not LEAF=RATE, LEAF\.tx=RATE or LEAF\.rx=RATE, .*"),
        ({"leaves": 2, "uplinks": ["fast"]}, "rate 'fast' is not a number with the unit .*"),
        ({"leaves": 0}, "--leaves 0 is not a number from 1 up"),
        ({"aggregators": -1}, "--aggregators -1 is not a number from 0 up"),
    ],
)  # fmt: skip
def test_impossible_levels_give_one_sentence(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        spec_from_options(4, [], **arguments)  # type: ignore[arg-type]


def test_the_command_line_asks_for_levels(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--hosts", "4", "--leaves", "2", "--", "true"]) == 2
    assert "2 leaves have no uplink rate" in capfd.readouterr().err
    assert main(["--hosts", "4", "--aggregators", "-1", "--", "true"]) == 2
    assert parse_uplink_override("leaf2.tx=1gbit").model_dump() == {
        "leaf": "leaf2",
        "direction": "tx",
        "rate_bps": 10**9,
    }


# --- what follows from it ---------------------------------------------------------------------


def test_both_ends_of_an_uplink_are_shaped() -> None:
    plan = plan_world(two_levels(uplinks=["800mbit", "leaf2.tx=100mbit", "leaf2.rx=200mbit"]))
    spine, leaf1, leaf2 = plan["switches"]
    assert [node["name"] for node in plan["switches"]] == ["spine", "leaf1", "leaf2"]
    assert spine["tc"] == [
        "qdisc add dev leaf1 root tbf rate 800000000bit burst 65536 latency 200ms",
        "qdisc add dev leaf2 root tbf rate 200000000bit burst 65536 latency 200ms",
    ]
    assert "dev uplink root tbf rate 800000000bit" in leaf1["tc"][0]
    assert "dev uplink root tbf rate 100000000bit" in leaf2["tc"][0]
    assert [line.split()[3] for line in leaf2["tc"]] == ["uplink", "host3", "host4"]
    assert any("peer name eth0" in line and "{login}" in line for line in spine["ip"])


def test_aggregation_hosts_stand_at_every_switch_on_links_that_are_not_shaped() -> None:
    plan = plan_world(two_levels(aggregators=2))
    tc = {node["name"]: node["tc"] for node in plan["hosts"]}
    beside = ["leaf1-agg", "leaf2-agg", "spine-agg"]
    assert [name for name in tc if name not in ("host1", "host2", "host3", "host4")] == beside
    assert all(tc[name] == [] for name in beside)
    assert not any("-agg" in line for node in plan["switches"] for line in node["tc"])
    files = {file["path"].rsplit("/", 1)[1]: file["text"] for file in plan["files"]}
    assert "10.77.2.1 leaf1-agg\n" in files["etc-hosts"]
    assert files["hostfile"].split() == [
        word for n in range(1, 5) for word in (f"host{n}", "slots=1")
    ]


def test_every_tree_leads_from_the_hosts_to_the_top_switch() -> None:
    assert trees(EmulationSpec(hosts=2)) == []
    assert trees(EmulationSpec(hosts=2, aggregators=1)) == ["host1=switch-agg,host2=switch-agg"]
    both = trees(two_levels(hosts=3, aggregators=2))
    assert (
        both
        == [
            "host1=leaf1-agg,host2=leaf1-agg,host3=leaf2-agg,leaf1-agg=spine-agg,leaf2-agg=spine-agg"
        ]
        * 2
    )


def test_mpirun_is_told_the_aggregators() -> None:
    spec = two_levels(aggregators=2)
    assert aggregator_args(spec) == [
        *("-np", "6", "--host"),
        "leaf1-agg:2,leaf2-agg:2,spine-agg:2",
    ]
    assert mpirun_args(spec)[mpirun_args(spec).index("-np") + 1] == "4"
    with pytest.raises(ValueError, match="aggregators 0: accepted"):
        aggregator_args(two_levels())


def test_aggregators_count_where_processes_outnumber_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert "mpi_yield_when_idle" not in mca_in(mpirun_args(EmulationSpec(hosts=2)))
    with_one = mca_in(mpirun_args(EmulationSpec(hosts=2, aggregators=1)))
    assert with_one["mpi_yield_when_idle"] == "1"


# --- what a world is --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def worlds() -> None:
    need_worlds()


@pytest.mark.usefixtures("worlds")
@pytest.mark.parametrize("leaves", [1, 2])
def test_workers_keep_the_first_ranks_and_aggregators_follow(leaves: int) -> None:
    spec = two_levels(leaves=leaves, aggregators=2) if leaves > 1 else EmulationSpec(aggregators=1)
    show = [
        "sh",
        "-c",
        "echo $OMPI_COMM_WORLD_RANK $0 $(hostname) $OMPI_MCA_pml $OMPI_COMM_WORLD_SIZE",
    ]
    command = ["mpirun", *mpirun_args(spec), *show, "worker"]
    done = inside(spec, *command, ":", *aggregator_args(spec), *show, "aggregator")
    assert done.returncode == 0, done.stderr
    beside = ["switch-agg"]
    if leaves > 1:
        beside = [name for name in ("leaf1-agg", "leaf2-agg", "spine-agg") for _ in range(2)]
    expected = [f"worker host{n}" for n in range(1, 5)] + [f"aggregator {name}" for name in beside]
    found = sorted((line.split() for line in done.stdout.splitlines()), key=lambda w: int(w[0]))
    assert [" ".join(words[1:3]) for words in found] == expected
    # Settings given before the colon hold for both.
    assert {tuple(words[3:]) for words in found} == {("ob1", str(len(expected)))}


@pytest.mark.usefixtures("worlds")
def test_a_bare_mpirun_leaves_aggregation_hosts_alone() -> None:
    done = inside(two_levels(hosts=2, aggregators=1), "mpirun", "hostname")
    assert sorted(done.stdout.split()) == ["host1", "host2"]


# Prints the bytes that a leaf has sent to the spine, as the spine's port counts them.
FROM_LEAF = """
for pid in $(ls /proc | grep '^[0-9]'); do
    if [ "$(nsenter -t $pid --uts hostname 2>/dev/null)" = spine ]; then
        exec nsenter -t $pid --net --mount cat /sys/class/net/$0/statistics/rx_bytes
    fi
done
"""


@pytest.mark.usefixtures("worlds")
def test_bytes_between_leaves_pass_the_spine_and_others_do_not() -> None:
    size = 1_000_000
    count = shlex.join(["sh", "-c", FROM_LEAF, "leaf1"])
    send = shlex.join([sys.executable, "-I", "-S", "-c", TRANSFER, "host1"])
    program = f"{send} host2 {size}; {count}; {send} host4 {size}; {count}"
    spec = two_levels(uplinks=["400mbit", "leaf1.tx=100mbit"])
    done = inside(spec, "sh", "-c", program)
    assert done.returncode == 0, done.stderr
    within_s, before, across_s, after = (float(word) for word in done.stdout.split())
    assert before < 0.01 * size  # what a bridge says to everyone
    assert TRANSFERS * size <= after - before < 1.05 * TRANSFERS * size
    # Each bucket on the way lets its burst through at once, then the slowest rate holds.
    assert across_s > (size - 2 * spec.burst_bytes) * 8 / 100e6
    assert 2 < across_s / within_s < 8


@pytest.mark.usefixtures("worlds")
def test_an_uplink_is_slow_in_the_asked_direction_only() -> None:
    spec = two_levels(uplinks=["400mbit", "leaf2.rx=100mbit"])
    send = [sys.executable, "-I", "-S", "-c", TRANSFER]
    size = 2_000_000
    into = inside(spec, *send, "host1", "host3", str(size))
    out_of = inside(spec, *send, "host3", "host1", str(size))
    assert 2 < float(into.stdout) / float(out_of.stdout) < 6
