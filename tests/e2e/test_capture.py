"""What programs call, captured by our plugins and read back as a workload."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from busbar.tune.load_workload import load_workload
from busbar.tune.workload import Workload
from conftest import BIN, Launch, mpirun, visit
from nccl_fakes import FAKES, needs_nccl

LIBRARY = BIN.parent / "lib" / "libbusbar-capture-mpi.so"
RANKS = 4


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    """The program whose calls are known; the library is the ranks', not mpirun's own."""
    words = mpirun(RANKS)
    for name, value in {"LD_PRELOAD": str(LIBRARY), **environment}.items():
        words += ["-x", f"{name}={value}"]
    return subprocess.run(
        [*words, str(BIN / "mpi_calls")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={k: v for k, v in os.environ.items() if k != "BUSBAR_CAPTURE_OUT"},
    )


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run's folder, which the library makes."""
    folder = tmp_path_factory.mktemp("capture") / "run"
    ended = run(BUSBAR_CAPTURE_OUT=f"{folder}/")
    assert (ended.returncode, ended.stderr) == (0, "")
    return folder


def counted(workload: Workload) -> dict[tuple[str, int, str, str | None], float]:
    return {(o.op, o.size_bytes, o.datatype, o.redop): o.count for o in workload.operation}


def test_every_call_is_counted_at_the_size_of_nccl_tests(captured: Path) -> None:
    workload = load_workload(str(captured), ranks=RANKS)
    assert counted(workload) == {
        ("all_reduce", 1024, "float", "sum"): 3,
        ("all_reduce", 800, "double", "max"): 2,
        ("broadcast", 512, "int32", None): 4,
        ("reduce", 512, "int64", "min"): 5,
        ("all_gather", 512, "float", None): 6,
        ("reduce_scatter", 512, "double", "prod"): 7,
        ("reduce_scatter", 32, "float", "sum"): 8,
        ("all_to_all", 32, "uint8", None): 9,
        ("gather", 80, "int32", None): 10,
        ("scatter", 112, "int32", None): 11,
        ("barrier", 0, "float", None): 12,
        ("send_recv", 2400, "double", None): 2,
        ("send_recv", 80, "uint8", None): 1,
    }
    assert (workload.ranks, workload.nodes) == (RANKS, 1)
    assert workload.notes == [
        "12 events are left out: MPI_Allreduce was called without blocking",
        "8 events are left out: MPI_Allreduce with MPI_LOR of MPI_INT32_T is not measured",
        "4 events are left out: no operation stands for MPI_Allgatherv",
        "4 events are left out: they carry no data",
        "32 events: MPI_Reduce_scatter counts as one with even parts",
    ]


def test_pairs_side_by_side_count_once_and_those_that_follow_add_up(captured: Path) -> None:
    workload = load_workload(str(captured), ranks=2)
    assert counted(workload) == {("all_reduce", 200, "float", "sum"): 10}
    assert workload.notes == []


def test_each_process_has_a_file_with_a_line_for_each_group(captured: Path) -> None:
    files = sorted(captured.iterdir())
    assert len(files) == RANKS
    assert all(f.name.startswith(f"mpi-{os.uname().nodename}-") for f in files)
    assert [len(f.read_text().splitlines()) for f in files] == [2] * RANKS


def test_without_a_folder_one_rank_says_so_and_the_program_goes_on() -> None:
    ended = run()
    assert ended.returncode == 0
    assert ended.stderr.count("BUSBAR_CAPTURE_OUT names no folder") == 1


def test_a_folder_that_cannot_be_made_is_a_warning_of_each_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run(BUSBAR_CAPTURE_OUT=str(tmp_path / "file" / "run") + "/")
    assert ended.returncode == 0
    assert ended.stderr.count("busbar-capture-mpi: rank") == RANKS
    assert "Not a directory" in ended.stderr


@needs_nccl
def test_nccls_events_have_the_sizes_that_were_asked_for(launch: Launch, tmp_path: Path) -> None:
    """The engine as the application: its sizes are nccl-tests', and so are the reader's."""
    ranks, size = 3, 3 * 1024
    ops = ["all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce"]
    requests = [{**visit(op, size), "request": n} for n, op in enumerate(ops)]
    folder = {"BUSBAR_PROFILE_OUT": f"{tmp_path}/"}
    ended = launch(
        ranks, "--transport", "nccl", "--serve", requests=requests, environment=FAKES | folder
    )
    assert ended.code == 0, ended.err
    workload = load_workload(str(tmp_path), ranks=ranks)
    assert set(ops) <= {o.op for o in workload.operation if o.size_bytes == size}
    assert workload.ranks == ranks
