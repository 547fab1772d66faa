"""What a tuning writes, in front of those who read it: Open MPI, the tuner plugin, `busbar run`.

Which algorithm ran is told by who sent how much to whom, as Open MPI's monitoring counts it; no
test looks at a time.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar.launch import monitoring
from busbar.record.journal import journal_path
from busbar.tune.outputs import tuner_table, write_outputs
from busbar.tune.outputs.names import EXPORTS, MCA_PARAMS
from busbar.tune.tuned import Choice, Cost, MadeFor, Tuned
from commands import QUICK, busbar, valid
from conftest import BIN, Launch, mpirun
from nccl_fakes import FAKES, LIB, busbar_on_fakes, needs_nccl

RANKS = 4
PROVEN = (16384, 65536)
LAST = 131072
"""The largest size that the larger of them speaks for: as far again as from the smaller one."""
_REPETITIONS = 20
_OTHERS = 2048
"""Bytes that set-up and end of a launch send to a peer, at most, per repetition."""

Matrix = list[list[float]]


def choice(op: str, size: int, chosen: dict[str, str]) -> Choice:
    return Choice(
        op=op, size_bytes=size, datatype="float", redop=None, weight=1.0, settings=chosen,
        tried=chosen, default_us=2.0, tuned_us=1.0, gain=2.0, gain_interval=None, why="made up",
    )  # fmt: skip


def tuning(
    choices: list[Choice], transport: str, versions: dict[str, str], ranks: int, *, nodes: int = 1,
    fake: bool = False,
) -> Tuned:  # fmt: skip
    return Tuned(
        made_for=MadeFor(
            transport=transport, fabric=None, on="local", versions=versions, nodes=nodes,
            ranks=ranks, fake=fake, made="2026-01-01T00:00:00Z",
        ),
        workload="made up", environment={}, choices=choices, total_gain=None,
        total_gain_interval=None,
        cost=Cost(search_seconds=0, proof_seconds=0, candidates_measured=0, candidates=0,
                  strategy="none"),
    )  # fmt: skip


def mpi_here() -> str:
    """As the engine's launch line has it."""
    text = subprocess.run(["mpirun", "--version"], capture_output=True, text=True, check=True)
    return f"Open MPI v{text.stdout.split()[3]}"


def algorithm(name: str, number: str) -> dict[str, str]:
    return {f"coll_tuned_{name}_algorithm": number}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tuning for four ranks: linear all_reduce, the others by Bruck."""
    path = tmp_path_factory.mktemp("it was tuned")
    chosen = [choice("all_reduce", size, algorithm("allreduce", "1")) for size in PROVEN]
    chosen.append(choice("all_gather", PROVEN[1], algorithm("allgather", "2")))
    chosen.append(choice("all_to_all", PROVEN[1], algorithm("alltoall", "3")))
    write_outputs(tuning(chosen, "mpi", {"mpi": mpi_here()}, RANKS), path)
    return path


def sent(
    op: str, size: int, folder: Path | None, *, launched: int = RANKS, ranks: int | None = None,
    by: str = EXPORTS,
) -> Matrix:  # fmt: skip
    """Bytes from each rank to each other, per execution of a plain program under plain mpirun."""
    words = mpirun(launched)
    if folder is not None and by == MCA_PARAMS:
        words += ["--tune", str(folder / MCA_PARAMS)]
    words += [str(BIN / "plain_all_reduce"), op, str(_REPETITIONS), str(ranks or launched)]
    source = f". '{folder / EXPORTS}' && " if folder is not None and by == EXPORTS else ""
    # Processes may tear each other's lines, and a torn report is none.
    for _ in range(5):
        done = subprocess.run(
            ["bash", "-c", source + 'exec "$@"', "bash", *words, str(size)],
            env={**os.environ, **monitoring.ENVIRONMENT}, capture_output=True, text=True,
            timeout=60, check=True,
        )  # fmt: skip
        answer = json.loads(done.stdout)
        assert (answer["operation"], answer["bytes"]) == (op, size)
        assert answer["median_us"] > 0
        lines = done.stderr.splitlines()
        matrix = monitoring.bytes_per_peer(lines, launched, launched, _REPETITIONS)
        if matrix is not None:
            return matrix
    raise AssertionError("Open MPI's monitoring did not report whole lines")


def alike(one: Matrix, other: Matrix) -> bool:
    pairs = (pair for rows in zip(one, other, strict=True) for pair in zip(*rows, strict=True))
    return all(abs(a - b) <= _OTHERS for a, b in pairs)


def star(size: int, ranks: int, launched: int | None = None) -> Matrix:
    """Linear all_reduce: all to the first rank, and back."""

    def between(a: int, b: int) -> float:
        return size if (a == 0) != (b == 0) and max(a, b) < ranks else 0.0

    everyone = range(launched or ranks)
    return [[between(a, b) for b in everyone] for a in everyone]


def by_distance(ranks: int, sent_to: dict[int, float]) -> Matrix:
    """Every rank the same, to ranks so far above it."""
    return [[sent_to.get((b - a) % ranks, 0.0) for b in range(ranks)] for a in range(ranks)]


def test_rules_hold_in_their_range_and_the_default_outside(folder: Path) -> None:
    assert alike(sent("all_reduce", LAST, folder), star(LAST, RANKS))
    for size in (PROVEN[0] // 2, LAST + 4):
        tuned, default = (sent("all_reduce", size, f) for f in (folder, None))
        assert alike(tuned, default), size
        assert not alike(tuned, star(size, RANKS)), size


def test_rules_leave_smaller_and_larger_communicators_alone(folder: Path) -> None:
    for launched, ranks in ((4, 3), (5, 5)):
        tuned, default = (
            sent("all_reduce", PROVEN[1], f, launched=launched, ranks=ranks) for f in (folder, None)
        )
        assert alike(tuned, default), ranks
        assert not alike(tuned, star(PROVEN[1], ranks, launched)), ranks


def test_sizes_of_rules_are_totals_over_ranks(folder: Path) -> None:
    """Were they one rank's, these would be a quarter, and so below the range."""
    chunk = PROVEN[1] / RANKS
    bruck = by_distance(RANKS, {RANKS - 1: chunk, RANKS - 2: 2 * chunk})
    assert alike(sent("all_gather", PROVEN[1], folder), bruck)
    assert not alike(sent("all_gather", PROVEN[1], None), bruck)
    bruck = by_distance(RANKS, {1: 2 * chunk, 2: 2 * chunk})
    assert alike(sent("all_to_all", PROVEN[1], folder), bruck)
    assert not alike(sent("all_to_all", PROVEN[1], None), bruck)


def test_a_parameter_file_does_the_same(folder: Path) -> None:
    matrix = sent("all_reduce", PROVEN[1], folder, by=MCA_PARAMS)
    assert alike(matrix, star(PROVEN[1], RANKS))


def run_tuned(folder: Path, cwd: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return busbar(
        "run", "all_reduce", "-b", str(PROVEN[1]), "-e", str(PROVEN[1]), "--tuned", str(folder),
        "--launches", "1", *QUICK, "--observe", "largest", "--output", "r.json", *more, cwd=cwd,
    )  # fmt: skip


def test_run_measures_the_files_beside_the_default(folder: Path, tmp_path: Path) -> None:
    done = run_tuned(folder, tmp_path, "--ranks", str(RANKS))
    assert done.returncode == 0, done.stderr
    points = {point.key.variant: point for point in valid(tmp_path / "r.json").points}
    assert set(points) == {"default", "tuned"}
    peers = {name: point.observed.bytes_per_peer for name, point in points.items()}
    assert peers["tuned"] is not None
    assert alike(peers["tuned"], star(PROVEN[1], RANKS))
    if peers["default"] is not None:
        assert not alike(peers["default"], star(PROVEN[1], RANKS))


@pytest.mark.parametrize(
    ("versions", "ranks", "culprit"),
    [
        ({}, 3, "made for ranks 4, and here it is 3"),
        ({"mpi": "Open MPI v3.0.0"}, 4, "made for mpi Open MPI v3.0.0, and here it is Open MPI"),
    ],
)
def test_run_refuses_another_place(
    tmp_path: Path, versions: dict[str, str], ranks: int, culprit: str
) -> None:
    chosen = [choice("all_reduce", PROVEN[1], algorithm("allreduce", "1"))]
    tuned = tuning(chosen, "mpi", {"mpi": mpi_here()} | versions, RANKS)
    write_outputs(tuned, tmp_path / "tuned")
    done = run_tuned(tmp_path / "tuned", tmp_path, "--ranks", str(ranks))
    assert done.returncode == 2
    assert culprit in done.stderr
    assert done.stderr.count("\n") == 1
    assert not journal_path(tmp_path / "r.json").exists()


@needs_nccl
def test_run_gives_nccl_the_table(launch: Launch, tmp_path: Path) -> None:
    size, ranks = 65536, 2
    chosen = [choice("all_reduce", size, {"algorithm": "tree", "protocol": "ll"})]
    idle = launch(ranks, "--transport", "nccl", "--serve", requests=[], environment=FAKES)
    (line,) = idle.answers("launch")
    tuned = tuning(chosen, "nccl", line["system"]["versions"], ranks, fake=True)
    write_outputs(tuned, tmp_path / "tuned")
    done = busbar_on_fakes(
        "run", "all_reduce", "--transport", "nccl", "--ranks", str(ranks), "-b", str(size), "-e",
        str(4 * size), "-f", "4", "--launches", "1", *QUICK, "--tuned", "tuned", "--output",
        "r.json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ran = {
        (p.key.variant, p.key.size_bytes): f"{p.observed.algorithm} {p.observed.protocol}"
        for p in valid(tmp_path / "r.json").points
    }
    assert ran["tuned", size] == "TREE LL"
    # Twice the size ends the range, so at four times NCCL chooses as it does without a table.
    assert ran["tuned", 4 * size] == ran["default", 4 * size]
    assert ran["default", size] != "TREE LL"


_ALGORITHMS = ("tree", "ring", "collnet_direct", "collnet_chain", "nvls", "nvls_tree", "pat")
_PROTOCOLS = ("ll", "ll128", "simple")
_FUNCTIONS = {"broadcast": 0, "reduce": 1, "all_gather": 2, "reduce_scatter": 3, "all_reduce": 4}


class _TunerV5(ctypes.Structure):
    """ncclTuner_v5_t: src/plugins/abi/tuner.h has it with its source."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("init", ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.c_uint64, ctypes.c_size_t,
            ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)),
        ("get_coll_info", ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_int,
            ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int,
            ctypes.POINTER(ctypes.c_int))),
        ("finalize", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)),
    )  # fmt: skip


class Plugin:
    """libnccl-tuner-busbar.so as NCCL asks it."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(str(LIB / "libnccl-tuner-busbar.so"))
        self._tuner = _TunerV5.in_dll(self._library, "ncclTunerPlugin_v5")

    def take(self, table: str) -> None:
        why = ctypes.create_string_buffer(256)
        refused = self._library.busbar_tuner_set_table(table.encode(), why, ctypes.c_size_t(256))
        assert refused == 0, why.value

    def choose(self, questions: list[tuple[str, int]], ranks: int, nodes: int) -> list[str | None]:
        """`ring/ll/8` for each operation and size; None where it is left to NCCL."""
        context = ctypes.c_void_p()
        assert self._tuner.init(ctypes.byref(context), 1, ranks, nodes, None, None, None) == 0
        answers = [self._choose(context, op, size) for op, size in questions]
        self._tuner.finalize(context)
        return answers

    def _choose(self, context: ctypes.c_void_p, op: str, size: int) -> str | None:
        offered = [10.0 + n for n in range(len(_ALGORITHMS) * len(_PROTOCOLS))]
        costs, channels = (ctypes.c_float * len(offered))(*offered), ctypes.c_int(0)
        asked = self._tuner.get_coll_info(
            context, _FUNCTIONS[op], size, 1, ctypes.cast(costs, ctypes.c_void_p),
            len(_ALGORITHMS), len(_PROTOCOLS), 0, ctypes.byref(channels),
        )  # fmt: skip
        assert asked == 0
        changed = [n for n, cost in enumerate(costs) if cost != offered[n]]
        if not changed:
            assert channels.value == 0
            return None
        ((a, p),) = (divmod(n, len(_PROTOCOLS)) for n in changed)
        return f"{_ALGORITHMS[a]}/{_PROTOCOLS[p]}/{channels.value}"


_CHOSEN = st.one_of(
    st.none(),
    st.tuples(
        st.sampled_from(("ring", "tree")),
        st.sampled_from(_PROTOCOLS),
        st.sampled_from((None, "1", "16", "64")),
    ),
)


@settings(deadline=None, max_examples=50)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(list(_FUNCTIONS)), st.integers(1, 1 << 36)), _CHOSEN, min_size=1
    )
)
def test_the_plugin_chooses_what_was_proven_and_nothing_beyond(
    proven: dict[tuple[str, int], tuple[str, str, str | None] | None],
) -> None:
    chosen, expected = [], []
    for (op, size), what in proven.items():
        named = {} if what is None else {"algorithm": what[0], "protocol": what[1]}
        if what is not None and what[2] is not None:
            named["channels"] = what[2]
        chosen.append(choice(op, size, named))
        expected.append("/".join([what[0], what[1], what[2] or "0"]) if what else None)
    tuned = tuning(chosen, "nccl", {"nccl": "2.28.9"}, 16, nodes=2)
    plugin = Plugin()
    plugin.take(tuner_table.tuner_table(tuned) or "")
    questions = list(proven)
    assert plugin.choose(questions, 16, 2) == expected
    nothing = [None] * len(questions)
    assert plugin.choose(questions, 8, 2) == plugin.choose(questions, 16, 1) == nothing
    # A size speaks for others up to its neighbours, or to as much beyond the last as it is from
    # the one before; never for 0, and never for what is larger than all of that.
    assert plugin.choose([(op, 0) for op, _ in questions], 16, 2) == nothing
    assert plugin.choose([(op, 1 << 62) for op, _ in questions], 16, 2) == nothing
