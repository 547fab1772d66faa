"""`busbar run` as a user types it: records, journals, kills, hangs, variants that really differ."""

from __future__ import annotations

import contextlib
import random
import subprocess
from pathlib import Path

import psutil
import pytest

from busbar.check.pairs import blames
from busbar.fabrics import from_emulation
from busbar.pairs.groups import Kind
from busbar.pairs.sites import of_fabric
from busbar.record.journal import read_journal
from commands import QUICK, busbar, command, environment, needs_emulation, valid
from conftest import BIN


def test_a_local_run_leaves_a_valid_record_a_verdict_and_a_page(tmp_path: Path) -> None:
    arguments = ["-b", "8", "-e", "1K", "-f", "16", "--launches", "2", "--ranks", "2", *QUICK]
    arguments += ["--timing", "isolated", "--timing", "pipelined", "--in-place", "both"]
    done = busbar(
        "run", "all_reduce", "ping_pong", "barrier", "null", "memory_copy", *arguments,
        "--output", "r.json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = valid(tmp_path / "r.json")
    assert not (tmp_path / "r.journal.jsonl").exists()
    assert {point.status for point in record.points} == {"ok"}
    assert len(record.points) == len(record.run.plan.rows)
    assert {len(point.blocks) for point in record.points} == {2}
    # Shared memory has no bound, so nothing can be judged, which is no pass.
    judged = busbar("check", "r.json", cwd=tmp_path)
    assert judged.returncode == 3
    assert "at the copy rate that this run measured" in " ".join(judged.stdout.split())
    assert busbar("report", "r.json", "--output", "r.html", cwd=tmp_path).returncode == 0
    # Records are not replaced.
    again = busbar("run", "barrier", *QUICK, "--output", "r.json", cwd=tmp_path)
    assert again.returncode == 2
    assert "r.json" in again.stderr


@needs_emulation
def test_variants_on_emulated_hosts_move_the_bytes_that_their_algorithms_must(
    tmp_path: Path,
) -> None:
    size, hosts = 1 << 20, 3
    done = busbar(
        "run", "all_reduce", "--on", "emulated", "--hosts", str(hosts), "--rate", "400mbit",
        "-b", str(size), "-e", str(size), "--launches", "2", "-n", "3", "--max-seconds", "1",
        "--variant", "linear:coll_tuned_allreduce_algorithm=1",
        "--variant", "ring:coll_tuned_allreduce_algorithm=4",
        "--variant", "portable:schedule=portable", "--output", "r.json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = valid(tmp_path / "r.json")
    assert record.run.emulated
    by_variant = {point.key.variant: point for point in record.points}
    # A ring moves 2(N-1)/N S over every link; linear brings (N-1) S to the root and takes it back.
    share = 2 * (hosts - 1) / hosts
    for variant in ("ring", "portable"):
        wire = by_variant[variant].wire
        assert wire is not None
        for sent in wire.tx_bytes_per_node:
            assert sent == pytest.approx(share * size, rel=0.03)
    wire = by_variant["linear"].wire
    assert wire is not None
    assert wire.rx_bytes_per_node[0] == pytest.approx((hosts - 1) * size, rel=0.05)
    # The library's own counters say the same of peers (its control plane sends little).
    for variant in ("ring", "portable"):
        peers = by_variant[variant].observed.bytes_per_peer
        assert peers is not None
        for rank, row in enumerate(peers):
            assert row[(rank + 1) % hosts] == pytest.approx(share * size, rel=0.01)
    peers = by_variant["linear"].observed.bytes_per_peer
    assert peers is not None
    assert peers[1][0] == pytest.approx(size, rel=0.01)
    assert peers[1][2] < 0.01 * size
    # Observing launches leave no time behind.
    observing = {launch.id for launch in record.launches if launch.purpose == "observe"}
    assert observing
    assert all(len(point.blocks) == 3 for point in record.points)


def test_variants_of_environment_get_launches_of_their_own(tmp_path: Path) -> None:
    done = busbar(
        "run", "all_reduce", "-b", "64", "-e", "64", "--launches", "2", *QUICK, "--variant",
        "default:", "--variant", "tcp:OMPI_MCA_btl=self^tcp".replace("^", "_"),
        "--output", "r.json", cwd=tmp_path,
    )  # fmt: skip
    # No such transport: the launch fails, which is said, and what was measured stays.
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    done = busbar(
        "run", "all_reduce", "-b", "64", "-e", "64", "--launches", "2", *QUICK, "--variant",
        "default:", "--variant", "basic:OMPI_MCA_coll_tuned_priority=0", "--output", "s.json",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = valid(tmp_path / "s.json")
    environments = [launch.variant_environment for launch in record.launches]
    assert len(environments) == 4
    assert environments.count({"OMPI_MCA_coll_tuned_priority": "0"}) == 2
    for launch in record.launches:
        for name, value in launch.variant_environment.items():
            assert launch.settings[name] == value


@pytest.mark.parametrize(
    ("fault", "code"), [("flip:1", 1), ("hang:1", 4), ("stop:1", 4), ("die:1", 3)]
)
def test_faults_end_in_their_exit_codes(tmp_path: Path, fault: str, code: int) -> None:
    done = busbar(
        "run", "all_reduce", "-b", "64", "-e", "64", "--launches", "1", *QUICK,
        "--deadline", "20" if fault.startswith("die") else "2", "--output", "r.json",
        engine="busbar-bench-faulty", fault=fault, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if fault.startswith("flip"):
        assert valid(tmp_path / "r.json").points[0].status == "wrong_data"
        assert busbar("check", "r.json", "--fabric", "local", cwd=tmp_path).returncode == 1
    assert _living(tmp_path, "busbar-bench-faulty") == []
    if code == 4:
        point = valid(tmp_path / "r.json").points[0]
        assert point.status == "hang"
        assert point.reason is not None
        assert "rank 1" in point.reason
        assert "all_reduce" in point.reason
        assert busbar("check", "r.json", "--fabric", "local", cwd=tmp_path).returncode == 4
    if fault.startswith("die"):
        assert (tmp_path / "r.journal.jsonl").exists()
        assert "--resume" in done.stderr


def _living(folder: Path, program: str) -> list[int]:
    """Processes of that program that were started in that folder. One that has ended and is not yet
    collected is in no folder, and so none of them."""
    wanted = {"name": program, "cwd": str(folder)}
    return [p.pid for p in psutil.process_iter(["name", "cwd"]) if p.info == wanted]


def test_a_launch_stuck_in_initialisation_ends_and_says_so(tmp_path: Path) -> None:
    engine = tmp_path / "stuck-bench"
    engine.write_text(
        '#!/bin/sh\nif [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then kill -STOP $$; fi\n'
        f'exec {BIN}/busbar-bench "$@"\n'
    )
    engine.chmod(0o755)
    done = busbar(
        "run", "all_reduce", "--ranks", "2", "--init-deadline", "1", "--output", "r.json",
        engine=str(engine), cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 4, done.stdout + done.stderr
    assert "initialisation" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    record = read_journal(tmp_path / "r.journal.jsonl")
    assert [(p.key, p.status) for p in record.problems] == [(None, "hang")]


def test_a_killed_run_resumes_and_measures_nothing_twice(tmp_path: Path) -> None:
    """Ten kills at random points of one run; every block that was journalled stays."""
    arguments = ["run", "all_reduce", "broadcast", "-b", "8", "-e", "16K", "-f", "8"]
    arguments += ["--launches", "2", "--variant", "a:", "--variant", "b:schedule=portable"]
    arguments += ["-n", "20", "--max-seconds", "0.2", "--observe", "none", "--output", "r.json"]
    journal = tmp_path / "r.journal.jsonl"
    random_lines = random.Random(7)
    kept: list[str] = []
    for kill in range(10):
        words = arguments if kill == 0 else ["run", "--resume", str(journal)]
        _kill_after(words, random_lines.randint(1, 4), tmp_path)
        now = [line for line in journal.read_text().splitlines() if line.endswith("}")]
        assert now[: len(kept)] == kept, "a journalled line was lost"
        kept = now
    done = busbar("run", "--resume", str(journal), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = valid(tmp_path / "r.json")
    slot_of = {launch.id: launch.slot for launch in record.launches}
    measured = [(slot_of[b.launch], p.key) for p in record.points for b in p.blocks]
    assert len(measured) == len(set(measured)) == 2 * len(record.run.plan.rows)
    assert len(record.launches) > 2


def _kill_after(words: list[str], lines: int, cwd: Path) -> None:
    """Start a run and kill all of it, launcher and ranks, when it has printed so many lines."""
    process = subprocess.Popen(
        command(*words), cwd=cwd, env=environment(), start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout
    # The run prints a line per block, so reading them is waiting for them.
    for _ in range(lines):
        if not process.stdout.readline():
            break
    launcher = psutil.Process(process.pid)
    for one in [launcher, *launcher.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    process.stdout.close()
    process.wait()


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["run", "all_reducee"], "all_reducee"),
        (["run"], "operation"),
        (["run", "all_reduce", "-d", "float8"], "float8"),
        (["run", "all_reduce", "-o", "mean"], "mean"),
        (["run", "all_reduce", "-e", "12Q"], "12Q"),
        (["run", "all_reduce", "-b", "2K", "-e", "1K"], "2K"),
        (["run", "all_reduce", "--ranks", "0"], "0 ranks"),
        (["run", "all_reduce", "--on", "moon"], "moon"),
        (["run", "all_reduce", "--variant", "x:LD_PRELOAD=y"], "LD_PRELOAD"),
        (["run", "all_reduce", "--variant", "x:nonsense=1", *QUICK], "nonsense"),
        (["run", "all_reduce", "--on", "emulated", "--rate", "fast"], "fast"),
        (["run", "all_reduce", "--on", "emulated", "--rate", "host9=1mbit"], "host9"),
        (["run", "--no-such-option"], "--no-such-option"),
        (["run", "--resume", "nothing.journal.jsonl"], "nothing.journal.jsonl"),
        (["theory", "no-such-fabric"], "no-such-fabric"),
        (["check", "no-such-record.json"], "no-such-record.json"),
        (["emulate", "--hosts", "0", "--", "true"], "0"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    tmp_path: Path, arguments: list[str], culprit: str
) -> None:
    done = busbar(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert culprit in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@needs_emulation
def test_communicators_side_by_side(tmp_path: Path) -> None:
    done = busbar(
        "run", "all_reduce", "--on", "emulated", "--hosts", "2", "--ranks", "4", "--split",
        "none,node,index", "-b", "256K", "-e", "256K", "--launches", "2", *QUICK, "--output",
        "r.json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    points = {point.key.group.split: point for point in valid(tmp_path / "r.json").points}
    parts = {split: point.key.group.parts for split, point in points.items()}
    assert parts == {None: None, "node": ("0-1", "2-3"), "index": ("0,2", "1,3")}
    for split, point in points.items():
        assert point.status == "ok"
        for block in point.blocks:
            if split is None:
                assert block.parts_us is None
                continue
            assert block.parts_us is not None
            slowest = [max(times) for times in zip(*block.parts_us, strict=True)]
            assert slowest == block.samples_us
    # Each rail sends 2(N-1)/N S over its host's one link; within a host nothing has to.
    index, node = points["index"].wire, points["node"].wire
    assert index is not None and node is not None
    for sent in index.tx_bytes_per_node:
        assert sent is not None and 2 * 262144 <= sent < 2.2 * 262144
    for sent in node.tx_bytes_per_node:
        assert sent is not None and sent < 26214


@needs_emulation
def test_pairs_name_the_slow_direction_of_a_host(tmp_path: Path) -> None:
    # A fifth of the rate, far beyond what a busy machine does to the others.
    done = busbar(
        "run", "--pattern", "pairs", "--on", "emulated", "--hosts", "5", "--rate",
        "host3.rx=80mbit", "-b", "256K", "-e", "256K", "--launches", "2", *QUICK, "--output",
        "r.json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = valid(tmp_path / "r.json")
    assert record.run.emulation is not None
    (one,) = blames(record, of_fabric(from_emulation(record.run.emulation)))
    assert [(culprit.name, culprit.kind) for culprit in one.culprits] == [
        ("host3", Kind.HOST_INGRESS)
    ]
    assert "host3 receives at" in done.stdout
