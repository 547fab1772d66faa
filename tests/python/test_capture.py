"""From captured files to a workload."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from busbar.errors import UsageError
from busbar.tune.load_workload import load_workload
from busbar.tune.workload import Workload
from captures import mpi_line, mpi_record, nccl_line, nccl_record, write

SUM: dict[str, Any] = {"operator": "MPI_SUM"}


def counted(workload: Workload) -> dict[tuple[str, int, str, str | None], float]:
    return {(o.op, o.size_bytes, o.datatype, o.redop): o.count for o in workload.operation}


def test_sizes_are_those_of_nccl_tests(tmp_path: Path) -> None:
    names = ("AllReduce", "AllGather", "ReduceScatter", "Broadcast", "Reduce", "Send", "Recv")
    records = [nccl_record(name, 1024, times=n + 1) for n, name in enumerate(names)]
    folder = write(
        tmp_path / "run",
        nccl_line(records),
        nccl_line(records, rank=1, pid=101),
    )
    workload = load_workload(str(folder))
    assert counted(workload) == {
        ("all_reduce", 4096, "float", "sum"): 1,
        ("all_gather", 8192, "float", None): 2,
        ("reduce_scatter", 8192, "float", "sum"): 3,
        ("broadcast", 4096, "float", None): 4,
        ("reduce", 4096, "float", "sum"): 5,
        ("send_recv", 4096, "float", None): 6,  # the receives are the same messages
    }
    assert (workload.name, workload.ranks, workload.nodes) == ("run", 2, 1)
    assert workload.source == "captured: nccl on 2 ranks of 1 node, counts are means over 2 ranks"
    assert any("NCCL does not tell the operator" in note for note in workload.notes)


def test_calls_count_and_what_was_enqueued_for_them_does_not(tmp_path: Path) -> None:
    enqueued = {"stage": "enqueued", "algorithm": "RING", "protocol": "LL", "channels": 2}
    both = [nccl_record(times=5), nccl_record(times=5, **enqueued)]
    folder = write(tmp_path / "run", nccl_line(both))
    assert counted(load_workload(str(folder))) == {("all_reduce", 4096, "float", "sum"): 5}
    older = nccl_line([nccl_record(times=3, **enqueued)], interface=4, comm_id="0x2", pid=7)
    folder = write(tmp_path / "older", older)
    assert counted(load_workload(str(folder))) == {("all_reduce", 4096, "float", "sum"): 3}


def test_counts_are_means_over_ranks(tmp_path: Path) -> None:
    """Two groups side by side count once; a second communicator of the same ranks adds up."""
    lines = [
        nccl_line([nccl_record(times=4)], comm_id="0xa", pid=1, rank=0),
        nccl_line([nccl_record(times=6)], comm_id="0xa", pid=2, rank=1),
        nccl_line([nccl_record(times=5)], comm_id="0xb", pid=3, rank=0),
        nccl_line([nccl_record(times=5)], comm_id="0xb", pid=4, rank=1),
        nccl_line([nccl_record("Broadcast", times=2)], comm_id="0xc", pid=1, rank=0),
        nccl_line([nccl_record("Broadcast", times=2)], comm_id="0xc", pid=2, rank=1),
    ]
    assert counted(load_workload(str(write(tmp_path / "run", *lines)))) == {
        ("all_reduce", 4096, "float", "sum"): 5,
        ("broadcast", 4096, "float", None): 1,
    }


def test_a_process_may_have_several_ranks(tmp_path: Path) -> None:
    lines = [nccl_line([nccl_record(times=4)], rank=rank) for rank in (0, 1)]
    workload = load_workload(str(write(tmp_path / "run", *lines)))
    assert list(counted(workload).values()) == [4]
    assert workload.notes == [
        "8 events: reductions are counted as sums: NCCL does not tell the operator"
    ]


def test_communicators_of_several_kinds_are_not_mixed(tmp_path: Path) -> None:
    tensor = [nccl_line([nccl_record(times=9)], comm_id="0xa", ranks=8, pid=1)]
    data = [nccl_line([nccl_record(times=2)], comm_id="0xb", ranks=8, nodes=8, pid=1)]
    pipeline = [nccl_line([nccl_record("Send", times=3)], comm_id="0xc", ranks=4, nodes=4, pid=1)]
    alone = [nccl_line([nccl_record(times=3)], comm_id="0xd", ranks=1, pid=1)]
    idle = [nccl_line([], comm_id="0xe", ranks=32, nodes=4, pid=1)]
    write(tmp_path / "run", *tensor, *data, *pipeline, *alone, *idle)
    mpi = mpi_line([mpi_record(**SUM)], ranks=8)
    folder = str(write(tmp_path / "run", mpi, name="mpi-node0-1.jsonl"))
    with pytest.raises(UsageError, match="several kinds, and a workload is of one") as refused:
        load_workload(folder)
    assert refused.value.message.endswith(
        "accepted: mpi on 8 ranks (1 executions), nccl on 4 ranks of 4 nodes (3 executions), "
        "nccl on 8 ranks of 1 node (9 executions), nccl on 8 ranks of 8 nodes (2 executions)."
    )
    with pytest.raises(UsageError, match="several kinds"):
        load_workload(folder, ranks=8, transport="nccl")
    with pytest.raises(UsageError, match="no such communicators; accepted: mpi on 8"):
        load_workload(folder, ranks=2)
    chosen = load_workload(folder, ranks=8, nodes=8, transport="nccl")
    assert counted(chosen) == {("all_reduce", 4096, "float", "sum"): 2}
    assert counted(load_workload(folder, ranks=4)) == {("send_recv", 4096, "float", None): 3}


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    records = [
        nccl_record(times=1),
        nccl_record(times=2, captured=True),
        nccl_record(times=3, datatype=None),
        nccl_record("Kernel", times=4),
        nccl_record(count=0, times=5),
    ]
    folder = write(tmp_path / "run", nccl_line(records, lost=6, ranks=4))
    workload = load_workload(str(folder))
    assert counted(workload) == {("all_reduce", 4096, "float", "sum"): 3}
    assert workload.notes == [
        "3 events are left out: NCCL does not tell the datatype of AllReduce",
        "4 events are left out: no operation stands for Kernel",
        "6 events are left out: the profiler's table was full",
        "5 events are left out: they carry no data",
        "2 events: calls were captured into CUDA graphs, whose replays are not counted",
        "3 events: reductions are counted as sums: NCCL does not tell the operator",
        "of 1 of 1 communicators not all 4 ranks were captured: the means are of those that were",
    ]


def test_mpi_calls_become_executions(tmp_path: Path) -> None:
    records = [
        mpi_record(times=2, **SUM),
        mpi_record(times=1, operator="MPI_LOR", datatype="MPI_INT32_T"),
        mpi_record(times=1, operator="MPI_SUM", datatype=None),
        mpi_record("Allreduce", times=4, blocking=False, **SUM),
        mpi_record("Bcast", 100, times=3, datatype=None),  # a type of its own: bytes are moved
        mpi_record("Alltoallv", None, times=1, datatype=None),
        mpi_record("Barrier", 0, times=5, datatype=None),
        mpi_record("Send", 64, times=7, blocking=False, datatype="MPI_INT16_T"),
        mpi_record("Reduce_scatter", 64, times=1, **SUM),
        mpi_record("Bcast", 0, times=9),
    ]
    lines = [mpi_line(records, rank=r, pid=r, host=f"node{r}") for r in (0, 1)]
    workload = load_workload(str(write(tmp_path / "run", *lines)))
    assert counted(workload) == {
        ("all_reduce", 4096, "float", "sum"): 2,
        ("barrier", 0, "float", None): 5,
        ("broadcast", 100, "uint8", None): 3,
        ("reduce_scatter", 64, "float", "sum"): 1,
        ("send_recv", 64, "uint8", None): 7,
    }
    assert workload.nodes == 2
    assert workload.notes == [
        "8 events are left out: MPI_Allreduce was called without blocking",
        "2 events are left out: MPI_Allreduce with MPI_LOR of MPI_INT32_T is not measured",
        "2 events are left out: MPI_Allreduce with MPI_SUM of its own type is not measured",
        "2 events are left out: no operation stands for MPI_Alltoallv",
        "18 events are left out: they carry no data",
        "2 events: MPI_Reduce_scatter counts as one with even parts",
    ]


def test_nodes_are_not_known_where_ranks_are_missing(tmp_path: Path) -> None:
    folder = str(write(tmp_path / "run", mpi_line([mpi_record(**SUM)], ranks=4)))
    workload = load_workload(folder, ranks=4, nodes=2)
    assert workload.nodes is None
    assert "not all 4 ranks were captured" in workload.notes[-1]


def test_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    first, second = (mpi_line([mpi_record(**SUM)], pid=pid) for pid in (1, 2))
    with pytest.raises(UsageError, match=r"rank 0 of mpi's communicator 0-1 2 times"):
        load_workload(str(write(tmp_path / "run", first, second)))


def test_a_group_of_several_worlds_is_one_of_its_own(tmp_path: Path) -> None:
    lines = [mpi_line([mpi_record(**SUM)], pid=pid, world_ranks=None) for pid in (1, 2)]
    workload = load_workload(str(write(tmp_path / "run", *lines)))
    assert workload.nodes is None
    assert counted(workload) == {("all_reduce", 4096, "float", "sum"): 1}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "has nothing captured"),
        ("\n\n", "has nothing captured"),
        ('{"type": "nccl_comm', "line 1 is not a captured line: not JSON"),
        ('{"type": "block"}', "line 1 is not a captured line"),
        ("[]", "line 1 is not a captured line"),
        (json.dumps(mpi_line([]) | {"ranks": "2"}), "line 1 is not a captured line"),
        (json.dumps(mpi_line([mpi_record(times=-1)])), "line 1 is not a captured line"),
        (json.dumps(mpi_line([]) | {"more": 1}), "line 1 is not a captured line: unknown field"),
        (json.dumps(mpi_line([])), "no communicator that did anything"),
        (json.dumps(mpi_line([mpi_record(bytes_=7, **SUM)])), "7 is no whole number of float"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, what: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"x\.jsonl") as refused:
        load_workload(str(file))
    assert what in refused.value.message
    assert refused.value.message.count("\n") == 0


def test_a_folder_without_captures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing captured: accepted is what NCCL's profiler"):
        load_workload(str(tmp_path))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
LINES = st.one_of(
    JSON,
    st.dictionaries(
        st.sampled_from([*mpi_line([]), *nccl_line([])]),
        st.sampled_from(["mpi_communicator", "nccl_communicator"]) | JSON,
    ),
    st.builds(
        lambda key, value: mpi_line([mpi_record(**SUM) | {key: value}]),
        st.sampled_from([*mpi_record(), "more"]),
        JSON,
    ),
    st.builds(
        lambda key, value: nccl_line([nccl_record() | {key: value}]),
        st.sampled_from([*nccl_record(), "more"]),
        JSON,
    ),
).map(json.dumps)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES | st.text(max_size=20), max_size=4), st.integers(0, 400))
def test_any_text_is_a_workload_or_one_sentence(
    tmp_path: Path, lines: list[str], length: int
) -> None:
    file = tmp_path / "x.jsonl"
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    file.write_bytes(text if length > 200 else text[:length])
    try:
        assert load_workload(str(file)).operation
    except UsageError as refused:
        assert refused.message.endswith(".")
