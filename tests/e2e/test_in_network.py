"""Reduction in the network as a user runs it: right, proven, and named where it is stuck."""

from __future__ import annotations

import subprocess
from itertools import product
from pathlib import Path

import psutil
import pytest

from commands import QUICK, busbar, command, environment, needs_emulation, valid
from conftest import Json, Launch, keeps_all_cores_busy, visit

TREE = [{"name": "tree", "settings": {"in_network": "tree"}}]
DATATYPES = {
    "int8": 1, "uint8": 1, "float8_e4m3": 1, "float8_e5m2": 1, "half": 2, "bfloat16": 2,
    "int32": 4, "uint32": 4, "float": 4, "int64": 8, "uint64": 8, "double": 8,
}  # fmt: skip
REDOPS = ["sum", "prod", "min", "max", "avg"]
RANKS = 3


def _requests() -> list[Json]:
    """Every operation, datatype, operator and placement; sizes that are no multiple of a chunk."""
    made = []
    small = [{"name": "tree", "settings": {"in_network": "tree", "in_network_chunk": "1000"}}]
    for datatype, element in DATATYPES.items():
        size = 1237 * element * RANKS
        for in_place, redop in product([False, True], REDOPS):
            kind: Json = {"datatype": datatype, "in_place": in_place}
            for op in ("all_reduce", "reduce", "reduce_scatter"):
                made.append(visit(op, size, redop=redop, variants=small, **kind))
        for in_place in (False, True):
            made.append(
                visit("all_gather", size, datatype=datatype, in_place=in_place, variants=small)
            )
        made.append(visit("broadcast", size, datatype=datatype, variants=small))
    for bytes_ in (1, 3, 1021, 32 * 1024 + 1, 1_048_573, 64 * 1024 * 1024):
        for op in ("all_reduce", "reduce", "broadcast"):
            made.append(visit(op, bytes_, datatype="uint8", variants=TREE))
    made.append(visit("barrier", 0, variants=TREE))
    return [{**request, "request": n} for n, request in enumerate(made)]


@keeps_all_cores_busy
@pytest.mark.parametrize("aggregators", [1, 2])
def test_every_operation_datatype_operator_and_placement_is_right(
    launch: Launch, aggregators: int
) -> None:
    requests = _requests()
    ended = launch(RANKS, "--serve", requests=requests, aggregators=aggregators, timeout=300)
    assert ended.code == 0, ended.err
    assert ended.answers("error") == []
    blocks = ended.answers("block")
    assert len(blocks) == len(requests)
    wrong = [b["key"] for b in blocks if b["block"]["wrong_elements"]]
    assert wrong == []
    unchecked = {b["key"]["op"] for b in blocks if not b["block"]["checked_elements"]}
    assert unchecked == {"barrier"}
    # Aggregators are listed, after the workers, and counted nowhere.
    (line,) = ended.answers("launch")
    roles = [process["role"] for process in line["processes"]]
    assert roles == ["worker"] * RANKS + ["aggregator"] * aggregators
    assert {b["key"]["group"]["ranks"] for b in blocks} == {"0-2"}
    assert {b["bus_factor"] for b in blocks if b["key"]["op"] == "all_reduce"} == {4 / 3}
    assert {b["block"]["observed"]["algorithm"] for b in blocks} == {"software tree"}


def test_groups_and_other_variants_share_a_launch_with_aggregators(launch: Launch) -> None:
    both = [{"name": "host", "settings": {}}, *TREE]
    requests = [
        visit("all_reduce", 4096, variants=both),
        visit("all_reduce", 4096, variants=both, group={"name": "two", "ranks": "1-2"}),
        visit("all_to_all", 4092, variants=both[:1]),
        visit("all_reduce", 4096, variants=both),
    ]
    ended = launch(RANKS, "--serve", requests=requests, aggregators=1)
    assert ended.code == 0, ended.err
    seen = [(b["key"]["variant"], b["key"]["group"]["ranks"]) for b in ended.answers("block")]
    assert sorted(seen) == sorted(
        [("host", "0-2"), ("tree", "0-2")] * 2 + [("host", "1-2"), ("tree", "1-2"), ("host", "0-2")]
    )
    assert not any(b["block"]["wrong_elements"] for b in ended.answers("block"))


@pytest.mark.parametrize(
    ("settings", "aggregators", "said"),
    [
        ({"in_network": "maybe"}, 0, "in_network='maybe' is unknown; accepted: off, tree, sharp"),
        ({"in_network": "tree"}, 0, "needs aggregators and this launch has none"),
        ({"in_network": "sharp"}, 0, "neither; accepted is an MPI built with one"),
        ({"in_network": "tree", "schedule": "portable"}, 1, "'schedule' has no effect"),
        ({"in_network_chunk": "4K"}, 1, "'in_network_chunk' has no effect with in_network=off"),
        ({"in_network": "tree", "in_network_chunk": "none"}, 1, "in_network_chunk='none'"),
        ({"in_network": "tree", "in_network_window": "0"}, 1, "in_network_window='0'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    launch: Launch, settings: Json, aggregators: int, said: str
) -> None:
    request = visit("all_reduce", 64, variants=[{"name": "x", "settings": settings}])
    ended = launch(2, "--serve", requests=[request], aggregators=aggregators)
    (error,) = ended.answers("error")
    assert said in error["message"]
    assert ended.code == 2
    assert ended.answers("block") == []


def test_a_tree_has_nothing_to_do_for_an_exchange(launch: Launch) -> None:
    ended = launch(2, "--serve", requests=[visit("all_to_all", 64, variants=TREE)], aggregators=1)
    (error,) = ended.answers("error")
    assert "all_gather, all_reduce, barrier, broadcast, reduce, reduce_scatter" in error["message"]


@needs_emulation
def test_off_and_on_side_by_side_with_proof(tmp_path: Path) -> None:
    done = busbar(
        "run", "all_reduce", "send_recv", "--on", "emulated", "--hosts", "4", "--leaves", "2",
        "--uplink", "800mbit", "--in-network", "off,on", "--nodes", "3", "-b", "512K", "-e", "512K",
        "--launches", "2", *QUICK, "--variant", "host:schedule=portable", "--output", "r.json",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = valid(tmp_path / "r.json")
    points = {
        (p.key.variant, p.key.group.name): p for p in record.points if p.key.op == "all_reduce"
    }
    assert set(points) == set(product(["host", "in_network"], ["all", "first 3 hosts"]))
    for (variant, group), point in points.items():
        hosts = 4 if group == "all" else 3
        assert point.observed.in_network is (variant == "in_network")
        assert point.wire is not None
        share = 1.0 if variant == "in_network" else 2 * (hosts - 1) / hosts
        for sent in point.wire.tx_bytes_per_node:
            assert sent == pytest.approx(share * point.key.size_bytes, rel=0.03)
        assert point.key.group.nodes == hosts
        assert not point.wrong_elements
    # Three hosts reach over both leaves; the tree above them has its top at the spine.
    (how,) = [h for h in points["in_network", "all"].observed.how if "busbar reduced on" in h]
    assert "leaf1-agg, leaf2-agg, spine-agg" in how
    assert "levels 2" in how
    (waived,) = {row.evidence for row in record.run.plan.rows if row.need == "waived"}
    assert waived == "A reduction tree has nothing to do for send_recv."
    text = " ".join(done.stdout.split())
    assert "Gain of variant in_network over what hosts do" in text


@needs_emulation
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_stuck_or_lost_aggregator_is_named(tmp_path: Path, end: str) -> None:
    words = command(
        "run", "all_reduce", "--on", "emulated", "--hosts", "2", "--in-network", "on", "-b", "64K",
        "-e", "1M", "-f", "2", "--launches", "1", "-n", "200", "--relative-ci", "0.000001",
        "--max-seconds", "600", "--deadline", "2", "--observe", "none", "--output", "r.json",
    )  # fmt: skip
    with subprocess.Popen(
        words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as run:  # fmt: skip
        assert run.stdout is not None
        shown = iter(run.stdout.readline, "")
        # The first of five blocks is there; the others need the aggregator.
        assert any("in_network" in line for line in shown), run.communicate()
        (aggregator,) = _aggregators(run.pid)
        if end == "stop":
            aggregator.suspend()
        else:
            aggregator.kill()
        out, err = run.communicate(timeout=60)
    said = " ".join((out + err).split())
    assert run.returncode == (4 if end == "stop" else 3), said
    if end == "kill":
        assert "aggregator rank 2 (switch-agg) was ended by signal 9 (Killed)" in said
    else:
        assert "aggregator rank 2 (switch-agg) did not arrive (silent)" in said


def _aggregators(launcher: int) -> list[psutil.Process]:
    """Processes whose own program is the aggregator; mpirun and its agents only name it."""
    found = []
    for process in psutil.Process(launcher).children(recursive=True):
        words = process.cmdline()
        if words and words[0].endswith("busbar-bench") and "aggregator" in words:
            found.append(process)
    return found
