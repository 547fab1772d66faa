"""SHARP for MPI: settings, refusals, and logs.

No machine here has SHARP. The log lines are typed from the formats that UCC's documentation and
libsharp's and NCCL's public bug reports show; none was recorded by a run of these tests.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from busbar.errors import Incomplete
from busbar.launch import in_network, sharp
from busbar.launch.options import parse_variants
from busbar.launch.sharp import HCOLL, UCC, Machine, library_on, look
from busbar.launch.sharp_log import note, read_log

EVERYTHING = Machine(
    components=frozenset({"tuned", "ucc", "hcoll"}),
    libsharp=Path("/opt/hpcx/sharp/lib/libsharp_coll.so"),
    ucc_sharp=Path("/opt/hpcx/ucc/lib/ucc/libucc_tl_sharp.so"),
    infiniband=("mlx5_0:1",),
    hello=None,
)

JOB = (
    "[node1:0:3745196 - context.c:670][2026-01-01 16:15:29] INFO job (ID: 937) resource request "
    "quota: ( osts:0 user_data_per_ost:0 max_groups:0 max_qps:1 max_group_channels:1, num_trees:1)"
)
SAT = (
    "[node1:0:3745196 - context.c:882][2026-01-01 16:15:29] INFO sharp_job_id:1    "
    "tree_type:SAT tree_idx:1  treeID:64 caps:0x16"
)
GROUP = (
    "[node1:0:3745196 - comm.c:400][2026-01-01 16:15:29] INFO [group#:1] job_id:1 group id:0 "
    "tree idx:1 tree_type:SAT rail_idx:0 group size:4 quota: (osts:64 user_data_per_ost:0)"
)
LOCK = "[node1:0:24972 - comm.c:374] ERROR Failed to lock SAT tree(ID:0x40 ret:0x4)"
NO_MANAGER = (
    "[node1:0:24972 unique id 937] ERROR No Aggregation Manager (sharp_am) detected in "
    "sharp_create_job."
)


def _traced(name: str, count: int, carrier: str) -> str:
    return (
        "[1767280529.809882] [node1:903  :0]        ucc_coll.c:255  UCC_COLL INFO  coll_init: "
        f"{name} sum: src={{0x7fc1f3a03800, {count}, float32, Host}}, dst={{0x7fc195800000, "
        f"{count}, float32, Host}}; CL_BASIC {{{carrier}}}, team_id 32768"
    )


BARRIER = (
    "[1767280529.808236] [node1:903  :0]        ucc_coll.c:255  UCC_COLL INFO  coll_init: "
    "Barrier; CL_BASIC {TL_UCP}, team_id 32768"
)


@pytest.mark.parametrize(
    ("lines", "used"),
    [
        ([JOB, SAT, GROUP, BARRIER, _traced("Allreduce", 1024, "TL_SHARP")], True),
        ([JOB, SAT, GROUP, _traced("Allreduce", 1024, "TL_UCP")], False),
        ([_traced("Allreduce", 1024, "TL_SHARP"), _traced("Allreduce", 1024, "TL_UCP")], None),
        ([_traced("Allreduce", 1, "TL_UCP"), _traced("Allreduce", 1024, "TL_SHARP")], True),
        ([_traced("Allreduce", 1, "TL_UCP"), _traced("Bcast", 1024, "TL_SHARP")], None),
        ([JOB, SAT, GROUP], None),
        ([JOB, SAT], None),
        ([JOB, SAT, LOCK], False),
        ([JOB, SAT, GROUP, LOCK], None),
        ([NO_MANAGER], False),
        (["node1:1:2 [0] NCCL INFO CollNet 00/0 : 4 [receive] via COLLNET/SHARP/0/GDRDMA"], None),
        (["NCCL WARN Cannot initialize CollNet, using point-to-point network instead"], False),
        (["mpirun says something else", "ERROR of nobody's"], None),
        ([], None),
    ],
)
def test_a_log_proves_refutes_or_leaves_open(lines: list[str], used: bool | None) -> None:
    found = read_log(lines, "all_reduce", 4096, 4)
    assert found.used is used
    assert found.how.startswith("log: ")
    assert set(found.evidence) <= set(lines)
    assert bool(found.evidence) or used is None


def test_a_share_of_the_total_is_the_same_operation() -> None:
    share = _traced("Reduce_scatter", 256, "TL_SHARP")
    assert read_log([share], "reduce_scatter", 4096, 4).used is True
    assert read_log([share], "reduce_scatter", 8192, 4).used is None
    assert read_log([BARRIER], "barrier", 0, 4).used is False
    assert read_log([BARRIER], "all_to_all", 4096, 4).used is None


@pytest.mark.parametrize("evidence", [True, False])
def test_a_block_says_what_was_found(evidence: bool) -> None:
    answer = {
        "key": {"op": "all_reduce", "size_bytes": 4096, "group": {"ranks": "0-3"}},
        "block": {"observed": {"in_network": None, "how": ["said by the engine"]}},
    }
    refuted = _traced("Allreduce", 1024, "TL_UCP")
    note(answer, [JOB, refuted], evidence=evidence)
    assert answer["block"]["observed"] == {
        "in_network": False,
        "how": [
            "said by the engine",
            "log: UCC gave the operation to others than TL_SHARP",
            *([refuted] if evidence else []),
        ],
    }


def test_the_library_that_can_be_proved_is_taken() -> None:
    assert library_on(EVERYTHING) is UCC
    assert library_on(replace(EVERYTHING, ucc_sharp=None)) is HCOLL
    assert library_on(replace(EVERYTHING, components=frozenset({"hcoll"}))) is HCOLL


@pytest.mark.parametrize(
    ("lacking", "culprit"),
    [
        ({"components": frozenset({"tuned"})}, "coll_ucc nor coll_hcoll"),
        ({"components": frozenset({"ucc"}), "ucc_sharp": None}, "libucc_tl_sharp.so"),
        ({"libsharp": None}, "libsharp_coll.so"),
        ({"infiniband": ()}, "InfiniBand"),
        ({"hello": "no answer"}, "no answer"),
    ],
)
def test_what_is_missing_is_named_in_one_sentence(lacking: dict[str, Any], culprit: str) -> None:
    with pytest.raises(Incomplete, match=culprit) as refused:
        library_on(replace(EVERYTHING, **lacking))
    assert refused.value.message.count("\n") == 0


@pytest.mark.parametrize("library", [UCC, HCOLL])
def test_the_baseline_differs_in_sharp_alone(library: sharp.Library) -> None:
    apart = {
        name
        for name in library.environment | library.without
        if library.environment.get(name) != library.without.get(name)
    }
    assert apart
    assert all("SHARP" in name or name == "OMPI_UCC_CL_BASIC_TLS" for name in apart)
    assert library.baseline().name == f"{library.name}_host"
    assert library.baseline().in_network == "off"
    # Forced or proved, never tried in silence.
    assert library.environment.get("HCOLL_ENABLE_SHARP", "3") == "3"
    assert not sharp.OBSERVING.keys() & library.environment.keys(), "a trace costs time"


def test_variants_get_what_the_library_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharp, "look", lambda: EVERYTHING)
    asked = parse_variants(["mine:in_network=sharp,SHARP_COLL_LOG_LEVEL=4"], ["off", "sharp"])
    prepared = in_network.with_library(asked, baseline=True)
    by_name = {variant.name: variant for variant in prepared}
    assert list(by_name) == ["ucc_host", "mine", "sharp"]
    assert by_name["sharp"].environment == UCC.environment
    assert by_name["mine"].environment == UCC.environment | {"SHARP_COLL_LOG_LEVEL": "4"}
    plain = parse_variants([])
    assert in_network.with_library(plain, baseline=True) == plain, "nobody asked for SHARP"


def test_the_machine_is_looked_at(tmp_path: Path) -> None:
    def program(name: str, text: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)

    program("ompi_info", "echo 'mca:coll:ucc:version:\"component:5.0.5\"'; echo mca:btl:tcp:x")
    program("ldconfig", "true")
    program("sharp_hello", "echo 'No Aggregation Manager' >&2; exit 1")
    (tmp_path / "lib" / "ucc").mkdir(parents=True)
    (tmp_path / "lib" / "libsharp_coll.so.5").touch()
    (tmp_path / "lib" / "ucc" / "libucc_tl_sharp.so").touch()
    for name, link, state in (
        ("mlx5_0", "InfiniBand", "4: ACTIVE"),
        ("mlx5_1", "InfiniBand", "1: DOWN"),
        ("mlx5_2", "Ethernet", "4: ACTIVE"),
    ):
        port = tmp_path / "infiniband" / name / "ports" / "1"
        port.mkdir(parents=True)
        (port / "link_layer").write_text(f"{link}\n")
        (port / "state").write_text(f"{state}\n")
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(tmp_path / "lib"),
    }
    seen = look(environment, tmp_path / "infiniband")
    assert seen.components == {"ucc"}
    assert seen.libsharp == tmp_path / "lib" / "libsharp_coll.so.5"
    assert seen.ucc_sharp == tmp_path / "lib" / "ucc" / "libucc_tl_sharp.so"
    assert seen.infiniband == ("mlx5_0:1",)
    assert seen.hello == "No Aggregation Manager"


def test_a_machine_without_it_refuses() -> None:
    if look().components & {"ucc", "hcoll"}:
        pytest.skip("this MPI has a collective library that may bring SHARP")
    with pytest.raises(Incomplete, match="neither coll_ucc nor coll_hcoll"):
        in_network.with_library(parse_variants(["s:in_network=sharp"]), baseline=False)
