"""`busbar tune` as a user types it: found, proven, written; interrupted and gone on with."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from busbar.tune.journal import Answer, read_lines
from busbar.tune.tuned import load_tuned
from commands import busbar, command, environment, needs_emulation, valid

QUICK = ["--max-seconds", "0.1", "--no-processes"]


@needs_emulation
def test_a_faster_algorithm_is_found_and_proven_on_emulated_hosts(tmp_path: Path) -> None:
    done = busbar(
        "tune", "all_reduce", "--on", "emulated", "--hosts", "4", "--rate", "400mbit",
        "-b", "1M", "-e", "1M", "--budget", "15", "--max-seconds", "0.7", "--no-processes",
        "--output", "found", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tuned = load_tuned(tmp_path / "found")
    (choice,) = tuned.choices
    # Open MPI's default reaches some 60 % of the bound there, a ring 95 % of it.
    assert choice.settings["coll_tuned_allreduce_algorithm"] in ("4", "5", "6")
    assert choice.gain > 1.1
    assert choice.gain_interval is not None and choice.gain_interval[0] > 1
    assert tuned.total_gain == pytest.approx(choice.gain, rel=0.05)
    assert tuned.made_for.nodes == 4 and tuned.made_for.ranks == 4
    assert "MPI" in tuned.made_for.versions["mpi"]
    # Linear cannot win: its root takes in and gives out three times the size.
    answers = [
        line for line in read_lines(tmp_path / "found/search.jsonl") if isinstance(line, Answer)
    ]
    measured = {name for answer in answers for name in answer.times_us}
    assert "coll_tuned_allreduce_algorithm=1" not in measured
    proof = valid(tmp_path / "found/proof.json")
    assert proof.run.plan.launches == 5
    assert {point.status for point in proof.points} == {"ok"}


def _as_in_a_terminal() -> None:
    """Interrupts end a process, even where the tests were started in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_search_goes_on_where_it_was(tmp_path: Path) -> None:
    arguments = ["tune", "all_reduce", "all_gather", "--ranks", "2", "-b", "1K", "-e", "16K",
                 "--budget", "20", *QUICK, "--output", "found"]  # fmt: skip
    journal = tmp_path / "found" / "search.jsonl"
    with subprocess.Popen(
        command(*arguments), cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True,
        stdout=subprocess.DEVNULL, preexec_fn=_as_in_a_terminal,
    ) as running:  # fmt: skip
        while running.poll() is None:
            if journal.exists() and journal.read_bytes().count(b'"answer"') >= 2:
                running.send_signal(signal.SIGINT)
                break
        _, said = running.communicate(timeout=60)
    assert running.returncode == 3, said
    assert "busbar tune --resume found" in said
    before = journal.read_bytes()
    done = busbar("tune", "--resume", "found", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert journal.read_bytes().startswith(before)
    tuned = load_tuned(tmp_path / "found")
    assert len(tuned.choices) == 6
    # Once more: nothing is left to measure, and the same comes out.
    again = busbar("tune", "--resume", "found", cwd=tmp_path)
    assert again.returncode == 0
    assert load_tuned(tmp_path / "found").choices == tuned.choices


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["all_reduce", "--strategy", "magic"], "magic"),
        (["all_reduce", "--launches", "3"], "--launches 3"),
        (["all_reduce", "--budget", "0"], "--budget"),
        (["all_produce"], "all_produce"),
        ([], "no operation"),
        (["--resume", "nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(
    tmp_path: Path, arguments: list[str], culprit: str
) -> None:
    done = busbar("tune", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert culprit in done.stderr and len(done.stderr.splitlines()) == 1
    assert not any(tmp_path.iterdir())


def test_a_default_with_wrong_data_ends_the_search(tmp_path: Path) -> None:
    done = busbar(
        "tune", "all_reduce", "--ranks", "2", "-b", "1K", "-e", "1K", *QUICK, "--output", "found",
        engine="busbar-bench-faulty", fault="flip:1", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert "wrong elements" in done.stderr and "default" in done.stderr
    assert not (tmp_path / "found" / "tuned.json").exists()
