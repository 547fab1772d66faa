"""A plan of stages as a user runs it: acceptance with its certificate, budgets, kills."""

from __future__ import annotations

import random
from pathlib import Path

from test_run import _kill_after

from busbar.check.verdict_json import Verdicts
from busbar.fabrics.load import CATALOGUE
from busbar.launch.plans.document import PLANS
from commands import busbar, needs_emulation, valid

HOSTS = 4


def _quick_acceptance(folder: Path) -> str:
    """The stages that are shipped, as few times as there is a verdict."""
    text = (PLANS.folder / "acceptance.toml").read_text()
    for wanted, least in (("wanted = 5", "wanted = 2"), ("most_samples = 100", "most_samples = 5")):
        assert wanted in text
        text = text.replace(wanted, least)
    (folder / "plan.toml").write_text(text)
    return "plan.toml"


def _small_fabric(folder: Path) -> str:
    """The emulated fabric with a sweep that ends early."""
    text = (CATALOGUE / "emulated-4x400m.toml").read_text()
    assert 'max = "4M"' in text
    (folder / "site.toml").write_text(text.replace('max = "4M"', 'max = "256K"'))
    return "site.toml"


@needs_emulation
def test_acceptance_of_emulated_hosts_ends_in_a_certificate(tmp_path: Path) -> None:
    where = ["--on", "emulated", "--hosts", str(HOSTS), "--fabric", _small_fabric(tmp_path)]
    plan = ["--plan", _quick_acceptance(tmp_path), "--observe", "none"]
    done = busbar("run", *plan, *where, "--budget", "200", "--output", "r.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "Plan acceptance: 4 ranks on 4 hosts" in said
    assert "single node: One rank on every host" in said
    record = valid(tmp_path / "r.json")
    planned = record.run.plan
    assert (planned.name, planned.budget_seconds, planned.launches) == ("acceptance", 200.0, 2)
    assert {row.stage for row in planned.rows} == {
        "single node", "pairs", "leaf groups", "doubling node counts", "full system"
    }  # fmt: skip
    # What is required was measured, and nothing that is waived.
    measured = {point.key.planned() for point in record.points}
    assert measured == {row.key for row in planned.rows if row.need == "required"}
    assert all(len(point.blocks) == 2 for point in record.points)
    judged = busbar(
        "check", "r.json", "--fabric", "site.toml", "--certificate", "c.html", "--json", "v.json",
        cwd=tmp_path,
    )  # fmt: skip
    assert judged.returncode in (0, 1, 3), judged.stderr  # two short launches on a busy machine
    verdicts = Verdicts.model_validate_json((tmp_path / "v.json").read_text())
    assert verdicts.exit_code == judged.returncode
    assert len(verdicts.rows) == len(planned.rows)
    waived = [row for row in planned.rows if row.need == "waived"]
    assert verdicts.counts["WAIVED"] == len(waived) == 7
    page = (tmp_path / "c.html").read_text()
    assert page.count('<tr class="row">') == len(planned.rows) - len(waived)
    assert verdicts.record.sha256 in page
    assert page.index("EMULATED") < page.index("Busbar certificate</p>")


def test_a_budget_that_is_too_small_says_what_it_takes(tmp_path: Path) -> None:
    plan = ["--plan", "acceptance", "--on", "local", "--ranks", "2", "--budget", "0.001"]
    done = busbar("run", *plan, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    (sentence,) = done.stderr.strip().splitlines()
    assert "2 launches of 5 samples, takes about" in sentence
    assert list(tmp_path.iterdir()) == []


PLAN = """name = "own"
description = "Two stages of small points"
[launches]
least = 2
wanted = 2
[block]
least_samples = 2
most_samples = 4
[[stage]]
name = "pair"
groups = "pairs"
[[stage.measure]]
operations = ["one_way", "ping_pong"]
sizes = ["8", "4K"]
[[stage]]
name = "all"
groups = "all"
[[stage.measure]]
operations = ["all_reduce", "all_to_all"]
sizes = ["8", "4K"]
"""


def test_a_plan_is_shown_killed_and_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(PLAN)
    arguments = ["run", "--plan", "plan.toml", "--ranks", "2", "--output", "r.json"]
    dry = busbar(*arguments, "--dry-run", cwd=tmp_path)
    assert dry.returncode == 0, dry.stderr
    assert "one_way 8, 4K" in " ".join(dry.stdout.split())
    assert not (tmp_path / "r.journal.jsonl").exists()
    lines = random.Random(3).randint(12, 16)  # the plan itself is as many lines
    _kill_after(arguments, lines, tmp_path)
    assert (tmp_path / "r.journal.jsonl").exists()
    done = busbar("run", "--resume", "r.journal.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = valid(tmp_path / "r.json")
    slot_of = {launch.id: launch.slot for launch in record.launches}
    timed = {launch.id for launch in record.launches if launch.purpose == "measure"}
    measured = [
        (slot_of[block.launch], point.key)
        for point in record.points
        for block in point.blocks
        if block.launch in timed
    ]
    assert len(measured) == len(set(measured)) == 2 * len(record.run.plan.rows)
