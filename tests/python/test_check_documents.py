"""What a check leaves beside its verdict: all of it, of this check, saying what was accepted."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from busbar.cli import run_command_line
from busbar.launch.plans.groups import THINNINGS
from busbar.record.journal import write_record
from busbar.record.load import load, load_with_sha256
from factories import MIB, Example, Row, record_of, write_journal

SITE = """[[limits]]
op = "all_reduce"
from = "1M"
at_least = 0.0005
reason = "agreed"

[[counters]]
name = "drops"
at_most = 7
reason = "agreed"
"""


def _record(folder: Path, efficiency: float = 0.97) -> str:
    path = folder / "run.json"
    write_record(
        record_of([Row("all_reduce", 4 * MIB, efficiency)], overrides={"fake": False}), path
    )
    return str(path)


def _outputs(folder: Path) -> tuple[Path, Path, Path, list[str]]:
    junit, verdicts, page = folder / "j.xml", folder / "v.json", folder / "c.html"
    words = ["--junit", str(junit), "--json", str(verdicts), "--certificate", str(page)]
    return junit, verdicts, page, words


def test_loosened_limits_and_thresholds_are_told_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site.toml").write_text(SITE)
    junit, verdicts, page, words = _outputs(tmp_path)
    words += ["--limits", str(tmp_path / "site.toml"), "--max-dip", "0.5"]
    assert run_command_line(["check", _record(tmp_path, 0.05), *words]) == 0
    told = [
        "site.toml",
        "Limit of all_reduce default from 1M: at least 0.05% of the bound in place of at least",
        "Limit of counter drops: at most 7 per run in place of ",
        "--max-dip 0.5 in place of",
        "0.05%",
    ]
    shown = " ".join(capsys.readouterr().out.split())
    suite = xml.parse(junit).getroot()[0]
    notes = " ".join(one.get("value", "") for one in suite.iter("property"))
    for text in told:
        assert text in shown
        assert text in page.read_text()
        assert text in verdicts.read_text()
        assert text in notes or text == "0.05%"


def test_without_them_nothing_is_noted_and_the_fabric_has_another_hash(tmp_path: Path) -> None:
    _, verdicts, page, words = _outputs(tmp_path)
    record = _record(tmp_path)
    assert run_command_line(["check", record, *words]) == 0
    usual = json.loads(verdicts.read_text())
    assert usual["notes"] == []
    assert usual["fabric_sha256"] in page.read_text()
    (tmp_path / "site.toml").write_text(SITE)
    words += ["--limits", str(tmp_path / "site.toml")]
    assert run_command_line(["check", record, *words]) == 0
    assert json.loads(verdicts.read_text())["fabric_sha256"] != usual["fabric_sha256"]


def test_a_check_that_fails_leaves_nothing_of_an_earlier_one(tmp_path: Path) -> None:
    junit, verdicts, page, words = _outputs(tmp_path)
    assert run_command_line(["check", _record(tmp_path), *words]) == 0
    assert all(path.exists() for path in (junit, verdicts, page))
    assert run_command_line(["check", str(tmp_path / "nowhere.json"), *words]) == 2
    assert not any(path.exists() for path in (junit, verdicts, page))


def test_all_documents_are_written_or_none(tmp_path: Path) -> None:
    junit, verdicts, _, words = _outputs(tmp_path)
    words[-1] = str(tmp_path / "nowhere" / "c.html")
    assert run_command_line(["check", _record(tmp_path), *words]) == 2
    assert not junit.exists() and not verdicts.exists()


def test_what_is_read_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = _record(tmp_path)
    before = Path(record).read_bytes()
    assert run_command_line(["check", record, "--json", record]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert Path(record).read_bytes() == before


def test_a_hash_is_of_what_was_read(tmp_path: Path) -> None:
    journal = write_journal(tmp_path / "r.journal.jsonl", Example(rows=[Row("send_recv", MIB)]))
    with journal.open("ab") as file:
        file.write(b'{"torn')
    found, sha256 = load_with_sha256(journal)
    assert found == load(journal)
    assert len(sha256) == 64
    journal.write_bytes(journal.read_bytes() + b" ")
    assert load_with_sha256(journal)[1] != sha256


def test_what_a_budget_left_out_is_told(tmp_path: Path) -> None:
    record = record_of([Row("all_reduce", 4 * MIB)], overrides={"fake": False})
    plan = record.run.plan.model_copy(update={"thinned": THINNINGS[1].sentence()})
    run = record.run.model_copy(update={"plan": plan})
    write_record(record.model_copy(update={"run": run}), tmp_path / "run.json")
    _, verdicts, page, words = _outputs(tmp_path)
    assert run_command_line(["check", str(tmp_path / "run.json"), *words]) == 0
    assert "pairs are left out" in verdicts.read_text()
    assert "pairs are left out" in page.read_text()
