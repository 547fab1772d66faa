"""Several ranks per process, on a thread each, on a fake GPU platform and a fake NCCL."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from commands import QUICK, valid
from conftest import Ended, Json, Launch, keeps_all_cores_busy, visit
from nccl_fakes import DATATYPES, FAKES, NCCL_OPERATIONS, busbar_on_fakes, needs_nccl

pytestmark = needs_nccl

SHAPES = [(2, 2), (1, 3)]
"""Processes, and threads of each."""


def _serve(
    launch: Launch, shape: tuple[int, int], requests: list[Json], **environment: str
) -> Ended:
    processes, threads = shape
    numbered = [{**request, "request": n} for n, request in enumerate(requests)]
    return launch(
        processes, "--transport", "nccl", "--threads", str(threads), "--serve", requests=numbered,
        environment=FAKES | environment, timeout=240,
    )  # fmt: skip


def _sized(op: str, shape: tuple[int, int], **more: Any) -> Json:
    return visit(op, 8 * 105 * shape[0] * shape[1], **more)


@keeps_all_cores_busy
@pytest.mark.parametrize("shape", SHAPES)
def test_every_operation_datatype_and_operator_is_right(
    launch: Launch, shape: tuple[int, int]
) -> None:
    requests = [_sized(op, shape, datatype=d) for op, d in product(NCCL_OPERATIONS, DATATYPES)]
    reducing = product(
        ["all_reduce", "reduce", "reduce_scatter"], ["sum", "prod", "min", "max", "avg"],
        [False, True],
    )  # fmt: skip
    requests += [_sized(o, shape, redop=r, in_place=i) for o, r, i in reducing]
    requests += [_sized("all_reduce", shape, graph=True)]
    requests += [
        _sized("all_gather", shape, registration=r, timing="pipelined")
        for r in ("local", "symmetric")
    ]
    requests += [visit("barrier", 0), visit("null", 0)]
    ended = _serve(launch, shape, requests)
    assert ended.code == 0, ended.err
    assert ended.answers("error") == []
    blocks = ended.answers("block")
    assert len(blocks) == len(requests)
    assert [b["key"] for b in blocks if b["block"]["wrong_elements"]] == []
    assert {b["key"]["threads"] for b in blocks} == {shape[1]}
    assert {b["key"]["group"]["nodes"] for b in blocks} == {1}


def test_ranks_are_threads_of_processes_with_a_gpu_each(launch: Launch) -> None:
    ended = _serve(launch, (2, 2), [_sized("all_reduce", (2, 2))])
    (line,) = ended.answers("launch")
    told = [(p["rank"], p["thread"], p["gpu"]) for p in line["processes"]]
    assert told == [(0, 0, 0), (1, 1, 1), (2, 0, 2), (3, 1, 3)]
    pids = [p["pid"] for p in line["processes"]]
    assert pids[0] == pids[1] != pids[2] == pids[3]
    (block,) = ended.answers("block")
    assert len(block["block"]["ranks"]["finish_us"]) == 4
    assert len(block["block"]["wire"]["tx_bytes_per_node"]) == 1


def test_groups_may_take_some_threads_of_a_process(launch: Launch) -> None:
    requests = [
        visit("all_reduce", 96, group={"name": name, "ranks": ranks})
        for name, ranks in (("odd", "1,3"), ("one", "2"), ("first", "0-1"), ("most", "1-3"))
    ]
    ended = _serve(launch, (2, 2), [*requests, _sized("all_to_all", (2, 2)), *requests])
    assert ended.code == 0, ended.err
    blocks = ended.answers("block")
    assert len(blocks) == 9
    assert not any(b["block"]["wrong_elements"] for b in blocks)


def test_what_the_profiler_saw_is_what_was_asked_for(launch: Launch) -> None:
    variants = [
        {"name": "default", "settings": {}},
        {"name": "collnet", "settings": {"in_network": "collnet"}},
        {"name": "tree", "settings": {"algorithm": "tree", "protocol": "ll128", "channels": "7"}},
        {"name": "ring", "settings": {"algorithm": "ring", "protocol": "ll"}},
    ]
    # Two GPUs for four ranks: each process is then a node to NCCL, and CollNet has something to do.
    points = [_sized("all_reduce", (2, 2), variants=variants) for _ in range(3)]
    ended = _serve(launch, (2, 2), points, BUSBAR_FAKE_GPUS="2")
    assert ended.code == 0, ended.err
    for block in ended.answers("block"):
        observed, variant = block["block"]["observed"], block["key"]["variant"]
        seen = (observed["algorithm"], observed["protocol"], observed["channels"])
        expected = {
            "default": ("RING", "SIMPLE", 2),
            "collnet": ("COLLNET_CHAIN", "SIMPLE", None),
            "tree": ("TREE", "LL128", 7),
            "ring": ("RING", "LL", 2),
        }
        assert seen == expected[variant], observed["how"]


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("wrong:3", 1, ""),
        ("async:1", 3, "busbar-bench: rank 1 on "),
        ("async:2", 3, "busbar-bench: rank 2 on "),
        ("oom", 3, "memory"),
    ],
)
def test_a_fault_is_told_of_the_rank_that_has_it(
    launch: Launch, fault: str, code: int, said: str
) -> None:
    ended = _serve(launch, (2, 2), [_sized("all_reduce", (2, 2))], BUSBAR_FAKE_NCCL_FAULT=fault)
    assert ended.code == code, (ended.out, ended.err)
    assert said in ended.err


@pytest.mark.parametrize("rank", [0, 3])
def test_watchdogs_say_where_every_thread_is(launch: Launch, rank: int) -> None:
    request = _sized("all_reduce", (2, 2), deadline_seconds=2)
    ended = _serve(launch, (2, 2), [request], BUSBAR_FAKE_NCCL_FAULT=f"hang:{rank}")
    assert ended.code == 4, (ended.out, ended.err)
    assert {n for n in range(4) if f'busbar-watchdog: {{"rank":{n},' in ended.err} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--threads", "2"], "--threads 2 belongs to workers of transport nccl"),
        (["--threads", "0", "--transport", "nccl"], "--threads 0: accepted is 1 or more"),
        (["--threads", "9", "--transport", "nccl"], "accepted is 1 to 8"),
    ],
)
def test_threads_that_cannot_be_are_refused(launch: Launch, words: list[str], said: str) -> None:
    ended = launch(1, *words, "all_reduce", "-b", "8", "-e", "8", environment=FAKES)
    assert ended.code == 2, ended.err
    assert said in ended.err


def test_aggregators_have_no_place_beside_threads(launch: Launch) -> None:
    ended = launch(
        1, "--threads", "2", "--transport", "nccl", "--serve", requests=[], aggregators=1,
        environment=FAKES,
    )  # fmt: skip
    assert ended.code == 2, ended.err
    assert "1 where there are aggregators" in ended.err


def test_a_run_counts_ranks_and_keeps_threads_in_its_record(tmp_path: Path) -> None:
    done = busbar_on_fakes(
        "run", "all_reduce", "--transport", "nccl", "--on", "local", "--ranks", "4", "--threads",
        "2", "-b", "4K", "-e", "4K", "--launches", "2", *QUICK, "--output", "r.json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = valid(tmp_path / "r.json")
    assert [p.thread for p in record.launches[0].processes] == [0, 1, 0, 1]
    (point,) = record.points
    assert (point.key.threads, point.key.group.ranks, point.status) == (2, "0-3", "ok")
