"""The engine as a program: every operation verified, bad input refused, faults found."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from itertools import product

import pytest

from busbar.theory.operations import OPERATIONS
from conftest import BIN, Json, Launch, keeps_all_cores_busy, mpirun, visit

DATATYPES = [
    "int8",
    "uint8",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float8_e4m3",
    "float8_e5m2",
    "half",
    "bfloat16",
    "float",
    "double",
]
REDUCING = ["all_reduce", "reduce", "reduce_scatter"]
MOVING = [
    "all_gather", "all_to_all", "all_to_allv", "bidirectional", "broadcast", "gather",
    "memory_copy", "ping_pong", "scatter", "send_recv",
]  # fmt: skip
IN_PLACE = ["all_gather", "all_reduce", "gather", "reduce", "reduce_scatter", "scatter"]


def with_setting(key: str, value: str) -> list[Json]:
    """One variant."""
    return [{"name": "x", "settings": {key: value}}]


WAYS = [
    {"name": "native", "settings": {"schedule": "native"}},
    {"name": "portable", "settings": {"schedule": "portable"}},
]


@keeps_all_cores_busy
@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_every_operation_is_right(launch: Launch, ranks: int) -> None:
    requests = [visit(op, 0, variants=WAYS) for op in ("barrier", "null")]
    requests += [visit(op, 8 * ranks * 37, variants=WAYS) for op in REDUCING + MOVING]
    requests += [visit(op, 8 * ranks * 5, in_place=True, variants=WAYS) for op in IN_PLACE]
    requests += [
        visit(op, 8 * ranks, root=root, variants=WAYS, in_place=in_place)
        for op, root in product(["broadcast", "reduce", "gather", "scatter"], range(ranks))
        for in_place in (False, True)
        if op in IN_PLACE or not in_place
    ]
    needs_two = {"ping_pong", "bidirectional", "send_recv"}
    possible = [r for r in requests if ranks > 1 or r["point"]["op"] not in needs_two]
    ended = launch(ranks, "--serve", requests=possible)
    assert ended.answers("error") == []
    blocks = ended.answers("block")
    assert len(blocks) == 2 * len(possible)
    for block in blocks:
        assert block["block"]["wrong_elements"] == 0, block["key"]
        # A root alone broadcasts and scatters to nobody.
        if ranks > 1 and block["key"]["op"] not in ("barrier", "null"):
            assert block["block"]["checked_elements"] > 0, block["key"]
    assert ended.code == 0


@keeps_all_cores_busy
def test_every_datatype_and_operator_is_right(launch: Launch) -> None:
    requests = [
        visit(op, 8 * 3 * 41, datatype=datatype, redop=redop, in_place=in_place, variants=WAYS)
        for op, datatype, redop, in_place in product(
            REDUCING, DATATYPES, ["sum", "prod", "min", "max", "avg"], [False, True]
        )
    ]
    requests += [visit(op, 8 * 3 * 41, datatype=d) for op, d in product(MOVING, DATATYPES)]
    requests += [visit("all_reduce", 24, timing="pipelined", in_place=b) for b in (False, True)]
    # In place, only some of the ranks have their input in their output.
    requests += [visit(op, 24, timing="pipelined", in_place=True) for op in ("scatter", "gather")]
    ended = launch(3, "--serve", requests=requests)
    assert ended.answers("error") == []
    assert [b["key"] for b in ended.answers("block") if b["block"]["wrong_elements"]] == []
    assert ended.code == 0


def test_what_mpi_has_not_is_refused(launch: Launch) -> None:
    wanted = [visit("all_reduce", 96, redop="premulsum", variants=WAYS), visit("all_reduce", 96)]
    ended = launch(2, "--serve", requests=wanted)
    (error,) = ended.answers("error")
    assert error["message"] == (
        "premulsum is an operator of NCCL and transport mpi has none like it; "
        "accepted: sum, prod, min, max, avg"
    )
    assert len(ended.answers("block")) == 1


def test_a_group_without_rank_0_answers_too(launch: Launch) -> None:
    groups = ["0-3", "1,3", "2", "0,2"]
    requests = [visit("all_reduce", 1024, group={"name": g, "ranks": g}) for g in groups]
    ended = launch(4, "--serve", requests=requests)
    assert [b["key"]["group"]["ranks"] for b in ended.answers("block")] == groups
    assert all(b["block"]["wrong_elements"] == 0 for b in ended.answers("block"))
    assert ended.code == 0


def test_table_has_the_columns_of_nccl_tests(launch: Launch) -> None:
    ended = launch(2, "all_reduce", "-b", "8", "-e", "64", "-n", "4", "--in-place", "both")
    header = next(line for line in ended.out.splitlines() if "busbw" in line)
    for column in ("size", "count", "type", "redop", "time", "algbw", "busbw", "#wrong", "p99"):
        assert column in header
    rows = [line.split() for line in ended.out.splitlines() if not line.startswith("#")]
    assert [int(row[0]) for row in rows] == [8, 16, 32, 64] * 2
    assert ended.code == 0


@pytest.mark.parametrize(
    ("arguments", "culprit", "accepted"),
    [
        (["all_reducee"], "all_reducee", "all_reduce"),
        (["all_reduce", "-d", "float8"], "float8", "bfloat16"),
        (["all_reduce", "-o", "mean"], "mean", "avg"),
        (["all_reduce", "-e", "12Q"], "12Q", "K, M or G"),
        (["all_reduce", "-b", "16", "-e", "8"], "16", "8"),
        (["all_reduce", "--variant", "x:y"], "'y'", "KEY=VALUE"),
        (["all_reduce", "--no-such-option"], "--no-such-option", "--help"),
        ([], "no operation", "all_reduce"),
    ],
)
def test_bad_command_line_is_one_sentence(
    launch: Launch, arguments: list[str], culprit: str, accepted: str
) -> None:
    done = subprocess.run(
        [str(BIN / "busbar-bench"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert culprit in done.stderr
    assert accepted in done.stderr


@pytest.mark.parametrize(
    ("request_line", "culprit"),
    [
        ("not json", "not json"),
        ('{"type": "visit", "request": 1, "point": {"op": "all_reduce"}}', "size_bytes"),
        (json.dumps(visit("all_reduce", 7)), "7"),
        (json.dumps(visit("all_gather", 4)), "8 bytes"),
        (json.dumps(visit("all_reduce", -4)), "-4"),
        (json.dumps(visit("all_reduce", 4, root=1)), "root"),
        (json.dumps(visit("broadcast", 4, root=2)), "root 2"),
        (json.dumps(visit("broadcast", 4, redop="sum")), "sum"),
        (json.dumps(visit("all_reduce", 4, colour="red")), "colour"),
        (json.dumps(visit("all_reduce", 4, timing="both")), "both"),
        (json.dumps(visit("all_reduce", 4, group={"ranks": "0-5"})), "rank 2"),
        (json.dumps(visit("all_reduce", 4, group={"ranks": "1,0"})), "1,0"),
        (json.dumps(visit("all_reduce", 1 << 60)), str(1 << 60)),
        (json.dumps(visit("all_reduce", 4, variants=[])), "variants"),
        (json.dumps(visit("all_reduce", 4, variants=with_setting("nonsense", "1"))), "nonsense"),
        (
            json.dumps(
                visit("all_reduce", 4, variants=with_setting("coll_tuned_allreduce_algorithm", "4"))
            ),
            "coll_tuned_use_dynamic_rules",
        ),
    ],
)  # fmt: skip
def test_bad_request_is_refused_and_the_next_one_taken(
    tmp_path_factory: pytest.TempPathFactory, launch: Launch, request_line: str, culprit: str
) -> None:
    plan = tmp_path_factory.mktemp("plan") / "plan.jsonl"
    plan.write_text(request_line + "\n" + json.dumps(visit("barrier", 0)) + "\n")
    ended = launch(2, "--plan", str(plan))
    (error,) = ended.answers("error")
    assert culprit in error["message"]
    assert len(ended.answers("block")) == 1
    assert ended.code == 2


def test_one_wrong_bit_is_found(launch: Launch) -> None:
    ended = launch(
        2, "all_reduce", "-b", "1K", "-e", "1K", program="busbar-bench-faulty",
        environment={"BUSBAR_FAULT": "flip:1"},
    )  # fmt: skip
    (row,) = [line.split() for line in ended.out.splitlines() if not line.startswith("#")]
    assert row[12] == "1"
    assert ended.code == 1


def test_a_rank_that_hangs_is_named(launch: Launch) -> None:
    ended = launch(
        3, "--serve", program="busbar-bench-faulty", environment={"BUSBAR_FAULT": "hang:2"},
        requests=[visit("all_reduce", 1024, deadline_seconds=1)],
    )  # fmt: skip
    assert ended.code == 4
    reports = [
        json.loads(line.partition("busbar-watchdog: ")[2])
        for line in ended.err.splitlines()
        if "busbar-watchdog: " in line
    ]
    assert {r["operation"] for r in reports} == {"all_reduce"}
    by_rank = {r["rank"]: r for r in reports}
    assert by_rank[2]["phase"] == "prepare"
    assert all(by_rank[r]["sequence"] > by_rank[2]["sequence"] for r in (0, 1))


def test_a_launch_that_never_gets_through_initialisation_ends(launch: Launch) -> None:
    # Two processes, of which one is stopped before it can take part in MPI_Init.
    stopped = (
        f'if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then kill -STOP $$; fi; exec {BIN}/busbar-bench "$@"'
    )
    process = subprocess.Popen(
        [*mpirun(2), "sh", "-c", stopped, "sh", "--serve", "--init-deadline", "1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stderr
        line = next(line for line in process.stderr if "busbar-watchdog: " in line)
        report = json.loads(line.partition("busbar-watchdog: ")[2])
        assert report["phase"] == "init"
    finally:
        os.killpg(process.pid, signal.SIGCONT)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("ranks", [1, 2, 3, 8, 1000])
def test_bus_factors_are_those_of_theory(ranks: int) -> None:
    done = subprocess.run(
        [str(BIN / "busbar-bench"), "--describe", "--describe-ranks", str(ranks)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for operation in json.loads(done.stdout)["operations"]:
        if operation["bus_factor"] is not None:
            stated = OPERATIONS[operation["name"]].bus_factor(ranks)
            assert operation["bus_factor"] == pytest.approx(stated), operation["name"]
