"""`busbar tune --transport nccl` on fakes: the whole loop, and no setting for a real program."""

from __future__ import annotations

from pathlib import Path

from busbar.tune.journal import Answer, read_lines
from busbar.tune.tuned import load_tuned
from nccl_fakes import busbar_on_fakes, needs_nccl

pytestmark = needs_nccl


def test_the_loop_runs_on_fakes_and_writes_no_settings(tmp_path: Path) -> None:
    done = busbar_on_fakes(
        "tune", "all_reduce", "--transport", "nccl", "--ranks", "2", "-b", "64K", "-e", "64K",
        "--budget", "6", "--no-processes", "--max-seconds", "0.1", "--output", "found",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no setting is written" in done.stdout
    tuned = load_tuned(tmp_path / "found")
    assert tuned.made_for.fake and tuned.made_for.versions["nccl"].startswith("2.28")
    written = {path.name for path in (tmp_path / "found").iterdir()}
    assert written <= {"search.jsonl", "proof.json", "tuned.json", "report.html"}
    answers = [
        line for line in read_lines(tmp_path / "found" / "search.jsonl") if isinstance(line, Answer)
    ]
    measured = {name for answer in answers for name in answer.times_us}
    # One process and one launch took them all: algorithm, protocol and channels by the table.
    assert "algorithm=ring channels=8 protocol=ll" in measured
    assert any(name.startswith("algorithm=tree") for name in measured)
    # What NCCL passes over is not credited with the time of what it ran in its place.
    assert all("instead" in why for answer in answers for why in answer.failed.values())
