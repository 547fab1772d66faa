"""`busbar tune` on hosts that do not exist: winners are those of theory, and always the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from busbar.tune.journal import Answer, read_lines
from busbar.tune.tuned import Choice, load_tuned
from commands import busbar, valid
from simulations import MESSAGE_US, PER_US, fabric, needs_simgrid

pytestmark = needs_simgrid

HOSTS = 8
SMALL, LARGE = 16 << 10, 16 << 20
ON = ("--on", "simulated", "--fabric", "sim.toml")
SIZES = ("-b", str(SMALL), "-e", str(LARGE), "-f", str(LARGE // SMALL))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With two leaves of four hosts, whose uplinks are as fast as one host's link."""
    fabric(tmp_path, HOSTS, leaves=2, over=HOSTS / 2)
    return tmp_path


def _tune(folder: Path, *words: str, name: str = "found") -> list[Choice]:
    done = busbar("tune", *words, *ON, "--output", name, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "left out" not in done.stdout
    return load_tuned(folder / name).choices


def test_winners_are_those_of_theory_exactly_and_again(folder: Path) -> None:
    small, large = _tune(folder, "all_reduce", *SIZES)
    # Recursive doubling: three exchanges, of which the one across shares an uplink by four.
    assert small.settings == {"smpi/allreduce": "rdb"}
    assert small.tuned_us == pytest.approx(3 * MESSAGE_US + (2 + 4) * SMALL / PER_US, rel=0.001)
    # A ring crosses by one message at a time.
    steps = 2 * (HOSTS - 1)
    assert large.settings == {"smpi/allreduce": "lr"}
    assert large.tuned_us == pytest.approx(steps * (MESSAGE_US + LARGE / HOSTS / PER_US), rel=0.001)
    assert small.gain > 1.3 and large.gain > 1.3
    assert small.gain_interval is None and "exactly as in the search" in small.why

    # What was measured once was enough, and the proof is of a launch of its own.
    answers = [a for a in read_lines(folder / "found/search.jsonl") if isinstance(a, Answer)]
    assert all(len(times) == 1 for answer in answers for times in answer.times_us.values())
    proof = valid(folder / "found/proof.json")
    assert proof.run.simulated and len(proof.launches) == 1
    assert {point.status for point in proof.points} == {"ok"}

    assert _tune(folder, "all_reduce", *SIZES, "--seed", "2", name="again") == [small, large]


def test_what_is_left_says_that_nothing_is_real(folder: Path) -> None:
    _tune(folder, "all_reduce", *SIZES)
    found = folder / "found"
    assert {path.name for path in found.iterdir()} == {
        "search.jsonl", "proof.json", "tuned.json", "smpi-words.csv", "report.html",
    }  # fmt: skip
    assert json.loads((found / "tuned.json").read_text())["made_for"]["simulated"] is True
    words = (found / "smpi-words.csv").read_text()
    assert "# simulated: true" in words and "--cfg=smpi/allreduce:lr" in words
    assert "SIMULATED" in (found / "report.html").read_text()
    predicted = busbar("predict", "found", cwd=folder)
    assert predicted.returncode == 0 and predicted.stdout.startswith("simulated:")
    page = busbar("report", "found", "--output", "page.html", cwd=folder)
    assert page.returncode == 0, page.stderr
    for on in (("--on", "local", "--ranks", "2"), ON):
        refused = busbar("run", "all_reduce", *on, "--tuned", "found", cwd=folder)
        assert refused.returncode == 2
        assert "was tuned on simulated hosts" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


def test_operations_on_any_number_of_hosts(folder: Path) -> None:
    # Three hosts: what works with powers of two only is not tried, nor is it the default.
    choices = _tune(
        folder, "all_to_all", "all_to_allv", "all_gather", "reduce_scatter", "broadcast",
        "reduce", "gather", "scatter", "barrier", "--nodes", "3", "-b", "3000K", "-e", "3000K",
    )  # fmt: skip
    assert len(choices) == 9
    assert all(choice.default_us > 0 for choice in choices)


def test_variants_by_name_take_turns_in_one_launch(folder: Path) -> None:
    done = busbar(
        "run", "all_reduce", *ON, "-b", str(LARGE), "-e", str(LARGE), "--output", "r.json",
        "--variant", "default:", "--variant", "lr:smpi/allreduce=lr",
        "--variant", "rdb:smpi/allreduce=rdb", "--variant", "fresh:SMPI_ALLREDUCE=lr",
        "--variant", "trees:in_network=tree,in_network_trees=2",
        cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = valid(folder / "r.json")
    times = {p.key.variant: p.time_us.median for p in record.points if p.time_us is not None}
    assert times["lr"] == times["fresh"]
    assert times["rdb"] > times["default"] > times["lr"]
    assert times["trees"] > 0  # aggregators of two trees share a host at each switch
    assert len(record.launches) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--on", "simulated"), "--on simulated needs --fabric"),
        ((*ON, "--transport", "ucx"), "not ucx"),
        ((*ON, "--space", "mpi"), "--space mpi has no meaning with --on simulated"),
        ((*ON, "--launches", "5"), "--launches has no meaning"),
        ((*ON, "--no-processes"), "--processes has no meaning"),
        ((*ON, "--nodes", "9"), "9 nodes: fabric 'sim' has 8"),
        ((*ON, "--mpi-args", "--tag-output"), "--mpi-args has no effect"),
        (("--ranks", "2", "--nodes", "2"), "--nodes belongs to --on simulated"),
        (("--ranks", "2", "--space", "simulated"), "--space simulated has no meaning"),
    ],
)
def test_what_has_no_meaning_is_refused(folder: Path, words: Sequence[str], said: str) -> None:
    done = busbar("tune", "all_reduce", *words, "--output", "found", cwd=folder)
    assert done.returncode == 2
    assert said in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (folder / "found").exists()
