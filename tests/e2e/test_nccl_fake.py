"""NCCL without a GPU: the engine on a fake GPU platform and a fake NCCL, and without either."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from busbar.record.journal import read_journal
from commands import QUICK, busbar
from conftest import Ended, Json, Launch, keeps_all_cores_busy, visit
from nccl_fakes import DATATYPES, FAKES, NCCL_OPERATIONS, busbar_on_fakes, needs_nccl

RANKS = 3

pytestmark = needs_nccl


def _serve(launch: Launch, requests: list[Json], **environment: str) -> Ended:
    numbered = [{**request, "request": n} for n, request in enumerate(requests)]
    return launch(
        RANKS, "--transport", "nccl", "--serve", requests=numbered,
        environment=FAKES | environment, timeout=240,
    )  # fmt: skip


def _sized(op: str, **more: Any) -> Json:
    return visit(op, 8 * 105 * RANKS, **more)


@keeps_all_cores_busy
def test_every_operation_datatype_and_operator_is_right(launch: Launch) -> None:
    requests = [_sized(op, datatype=d) for op, d in product(NCCL_OPERATIONS, DATATYPES)]
    reducing = product(
        ["all_reduce", "reduce", "reduce_scatter"],
        ["sum", "prod", "min", "max", "avg", "premulsum"],
        ["int8", "int32", "float8_e4m3", "float8_e5m2", "half", "float"], [False, True],
    )  # fmt: skip
    requests += [_sized(o, redop=r, datatype=d, in_place=i) for o, r, d, i in reducing]
    requests += [visit("barrier", 0), visit("null", 0)]
    ended = _serve(launch, requests)
    assert ended.code == 0, ended.err
    assert ended.answers("error") == []
    blocks = ended.answers("block")
    assert len(blocks) == len(requests)
    assert [b["key"] for b in blocks if b["block"]["wrong_elements"]] == []
    assert {b["key"]["memory"] for b in blocks} == {"gpu"}
    assert all(len(b["block"]["device_us"]) == len(b["block"]["samples_us"]) for b in blocks)
    (line,) = ended.answers("launch")
    assert line["fake"] is True
    assert [process["gpu"] for process in line["processes"]] == [0, 1, 2]
    assert len(line["system"]["gpus"]) == RANKS
    assert line["system"]["versions"]["nccl"].startswith("2.28")


def test_communicators_side_by_side(launch: Launch) -> None:
    requests = [
        {**visit(op, 8 * 105), "request": n}
        for n, op in enumerate(("all_reduce", "all_to_all", "one_way", "broadcast"))
    ]
    for request in requests:
        request["point"]["group"] = {"name": "pairs", "parts": ["0,3", "1-2"]}
    collnet = {**visit("all_reduce", 8 * 105), "request": 4}
    collnet["point"]["group"] = {"split": "none", "name": "pairs", "parts": ["0,3", "1-2"]}
    collnet["variants"] = [{"name": "net", "settings": {"in_network": "collnet"}}]
    ended = launch(
        4, "--transport", "nccl", "--serve", requests=[*requests, collnet], environment=FAKES
    )
    blocks = ended.answers("block")
    assert len(blocks) == len(requests), ended.err
    for block in blocks:
        assert block["key"]["group"]["parts"] == ["0,3", "1-2"]
        assert block["block"]["wrong_elements"] == 0
        assert len(block["block"]["parts_us"]) == 2
    (refused,) = ended.answers("error")
    assert "one communicator at a time" in refused["message"]


def test_float8_where_nccl_or_gpus_are_too_old_is_refused_in_one_sentence(launch: Launch) -> None:
    wanted = [
        _sized(op, datatype=d)
        for op, d in product(["all_reduce", "all_gather"], ["float8_e4m3", "half"])
    ]
    old = _serve(launch, wanted, BUSBAR_FAKE_NCCL_VERSION="22301")
    assert [e["message"] for e in old.answers("error")] == [
        "float8_e4m3 needs NCCL 2.24 or newer, in the build and at run time (which has 2.23.1); "
        "accepted: other datatypes"
    ] * 2
    assert [b["key"]["datatype"] for b in old.answers("block")] == ["half"] * 2

    ampere = _serve(launch, wanted, BUSBAR_FAKE_GPU_COMPUTE="80")
    (error,) = ampere.answers("error")
    assert error["message"].startswith("NCCL 2.28.9 has all_reduce of float8_e4m3 on GPUs of")
    assert error["message"].endswith("and this launch has one of 8.0; accepted: other datatypes")
    blocks = ampere.answers("block")
    assert [b["key"]["op"] for b in blocks] == ["all_reduce", "all_gather", "all_gather"]
    assert not any(b["block"]["wrong_elements"] for b in blocks)


def test_graphs_registration_and_what_has_neither(launch: Launch) -> None:
    wanted = [
        _sized("all_reduce", graph=True),
        _sized("all_reduce", registration="local"),
        _sized("all_reduce", registration="symmetric"),
        _sized("all_reduce", registration="upside-down"),
    ]
    ended = _serve(launch, wanted)
    blocks = ended.answers("block")
    assert [(b["key"]["graph"], b["key"]["registration"]) for b in blocks] == [
        (True, "none"), (False, "local"), (False, "symmetric"),
    ]  # fmt: skip
    assert not any(b["block"]["wrong_elements"] for b in blocks)
    (error,) = ended.answers("error")
    assert "accepted: none, local, symmetric" in error["message"]
    host = launch(2, "--serve", requests=[_sized("all_reduce", graph=True)])
    (error,) = host.answers("error")
    assert "belong to GPU memory" in error["message"]


def test_what_nvlink_carried_is_told_per_gpu_and_execution(launch: Launch) -> None:
    bytes_between_looks = 1 << 40
    ended = _serve(launch, [_sized("all_reduce")], BUSBAR_FAKE_GPU_NVLINK=str(bytes_between_looks))
    (block,) = (b["block"] for b in ended.answers("block"))
    each = bytes_between_looks / block["executions"]
    assert [gpu["tx_bytes"] for gpu in block["nvlink"]] == pytest.approx([each] * RANKS)
    assert [gpu["crc_errors"] for gpu in block["nvlink"]] == [0] * RANKS
    assert [gpu["recoveries"] for gpu in block["nvlink"]] == [None] * RANKS
    assert set(block["congestion"]) == {"xmit_wait_ticks", "cnps_sent", "cnps_handled"}
    without = _serve(launch, [_sized("all_reduce")]).answers("block")[0]["block"]
    assert without["nvlink"] == [None] * RANKS


def test_what_the_profiler_saw_is_what_was_observed(launch: Launch) -> None:
    variants = [
        {"name": "default", "settings": {}},
        {"name": "collnet", "settings": {"in_network": "collnet"}},
        {"name": "tree", "settings": {"algorithm": "tree", "protocol": "simple"}},
        {"name": "portable", "settings": {"schedule": "portable"}},
    ]
    ended = _serve(
        launch,
        [_sized("all_to_all", variants=variants[-1:]), _sized("all_reduce", variants=variants[:3])],
    )
    assert ended.code == 0, (ended.out, ended.err)
    seen = {b["key"]["variant"]: b["block"]["observed"] for b in ended.answers("block")}
    assert seen["tree"]["algorithm"].upper() == "TREE"
    assert seen["tree"]["protocol"].upper() == "SIMPLE"
    assert seen["default"]["algorithm"] is not None
    assert seen["default"]["in_network"] is False
    assert any("profiler" in how for how in seen["default"]["how"])


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        ("wrong:1", 1, ""),
        ("async:1", 3, "an operation in flight failed on"),
        ("oom", 3, "memory"),
        ("hang:1", 4, '"rank":1'),
    ],
)
def test_a_fault_is_told(launch: Launch, fault: str, code: int, said: str) -> None:
    ended = _serve(launch, [_sized("all_reduce", deadline_seconds=2)], BUSBAR_FAKE_NCCL_FAULT=fault)
    assert ended.code == code, (ended.out, ended.err)
    assert said in ended.err.lower()


def test_a_record_made_on_fakes_is_refused_by_judges(tmp_path: Path) -> None:
    done = busbar_on_fakes(
        "run", "all_reduce", "--transport", "nccl", "--on", "local", "--ranks", "2", "-b", "4K",
        "-e", "4K", "--launches", "2", *QUICK, "--output", "r.json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    judged = busbar("check", "r.json", cwd=tmp_path)
    assert judged.returncode == 2
    assert "fake" in judged.stderr


def test_without_a_gpu_it_ends_in_one_sentence(launch: Launch, tmp_path: Path) -> None:
    ended = launch(2, "--transport", "nccl", "all_reduce", "-b", "8", "-e", "8")
    assert ended.code == 2, ended.err
    assert len({line for line in ended.err.splitlines() if "busbar-bench" in line}) <= 2
    done = busbar(
        "run", "all_reduce", "--transport", "nccl", "--on", "local", "--ranks", "2", "-b", "8",
        "-e", "8", *QUICK, "--output", "r.json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3
    journal = tmp_path / "r.journal.jsonl"
    assert not journal.exists() or not read_journal(journal).points
