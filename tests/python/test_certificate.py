"""The certificate and the verdicts as JSON: every row, waivers apart, and what they rest on."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar import fabrics
from busbar.check import CheckResult, RowResult, Verdict
from busbar.check import check as judge
from busbar.check.label import label
from busbar.check.result import JUDGED
from busbar.check.sentence import verdict_sentence
from busbar.check.verdict_json import Verdicts, schema_text, verdicts_of, verdicts_text
from busbar.cli import run_command_line
from busbar.record.journal import write_record
from busbar.record.models import PlannedPoint, RunRecord
from busbar.report.certificate import certificate_of, render
from busbar.report.certificate_facts import Source, counters, versions
from busbar.report.text import DASH
from factories import IN_NETWORK, KIB, MIB, Row, point_key, record_of

FABRIC = fabrics.load("emulated-4x400m")
SOURCE = Source("run.json", "a" * 64, ["busbar", "check", "run.json"])
SCHEMA = Path(__file__).parents[2] / "results" / "schema" / "check-verdicts.schema.json"
STAGES = ("single node", "full system")


def staged(record: RunRecord) -> RunRecord:
    """The same with a plan of stages, rows dealt to them in turn."""
    plan = record.run.plan
    rows = [
        row.model_copy(update={"stage": STAGES[n % len(STAGES)]}) for n, row in enumerate(plan.rows)
    ]
    plan = plan.model_copy(update={"rows": rows, "name": "acceptance", "budget_seconds": 60.0})
    return record.model_copy(update={"run": record.run.model_copy(update={"plan": plan})})


ROWS = [
    Row("all_reduce", MIB),
    Row("all_reduce", 4 * MIB, 0.5),
    Row("all_reduce", MIB, variant=IN_NETWORK, in_network=True),
    Row("all_to_all", MIB, variant=IN_NETWORK, need="waived", launches=0,
        evidence="A reduction tree has nothing to do for <b>all_to_all</b>."),
    Row("send_recv", 4 * MIB, 0.985),
    Row("send_recv", KIB, hang=True),
    Row("broadcast", MIB, wrong_elements=3),
    Row("gather", MIB, launches=0),
]  # fmt: skip


def _judged(rows: list[Row]) -> tuple[CheckResult, RunRecord]:
    record = staged(record_of(rows))
    return judge(record, FABRIC, accept_fake=True), record


# Any verdicts.


DRAWN = st.tuples(st.sampled_from(list(Verdict)), st.sampled_from([0, 1, None]))


@settings(max_examples=40, deadline=None)
@given(st.lists(DRAWN, max_size=25))
def test_every_row_is_there_once_and_a_waiver_is_never_a_pass(
    drawn: list[tuple[Verdict, int | None]],
) -> None:
    """Rows of any verdict, of either stage or measured beyond the plan."""
    planned, rows = [], []
    for n, (verdict, stage) in enumerate(drawn):
        key = point_key("all_reduce", 4 * (n + 1), nodes=None)
        rows.append(RowResult(label(key), key, verdict, f"why {n}."))
        if stage is not None:
            need: dict[str, Any] = {"need": "required", "evidence": None}
            if verdict is Verdict.WAIVED:
                need = {"need": "waived", "evidence": "a fact"}
            planned.append(
                PlannedPoint.model_validate({"key": key, "stage": STAGES[stage], **need})
            )
    record = record_of([])
    plan = record.run.plan.model_copy(update={"rows": planned})
    record = record.model_copy(update={"run": record.run.model_copy(update={"plan": plan})})
    result = CheckResult("title", (), tuple(rows))
    view = certificate_of(result, record, FABRIC)

    shown = [line.reason for stage in view.stages for line in stage.lines]
    excused = [one.evidence for one in view.waivers for _ in range(one.count)]
    assert sorted(shown + excused) == sorted(row.reason for row in rows)
    assert sorted(excused) == sorted(r.reason for r in rows if r.verdict is Verdict.WAIVED)
    assert all(line.word != "waived" for stage in view.stages for line in stage.lines)
    passed = sum(verdict is Verdict.PASS for verdict, _ in drawn)
    judged = sum(verdict in JUDGED for verdict, _ in drawn)
    sentence = verdict_sentence(result)
    if judged:
        assert sentence.startswith(f"{passed} of {judged} judged rows pass")
    else:
        assert sentence.startswith("Nothing was judged, which is not a pass")
        assert view.verdict != "HOLDS"
    assert sum(number for _, _, number in view.tallies) == len(rows)

    document = verdicts_of(result, record, FABRIC, "run.json", "b" * 64)
    assert [row.reason for row in document.rows] == [row.reason for row in rows]
    assert document.counts.get("PASS", 0) == passed
    assert sum(document.counts.values()) == len(rows)
    assert Verdicts.model_validate_json(document.model_dump_json()) == document
    jsonschema.validate(json.loads(document.model_dump_json()), json.loads(SCHEMA.read_text()))


# One run with everything.


def test_the_page_says_what_was_judged_by_what_and_under_which_versions() -> None:
    result, record = _judged(ROWS)
    page = render(result, record, FABRIC, SOURCE)
    for text in (
        SOURCE.sha256, "busbar check run.json", "busbar run --on emulated", "acceptance: 8 rows",
        "within 60 s", "Open MPI v4.1.4", "Debian 12", "kernel", "FAKE", "EMULATED",
        "retransmits", "single node", "full system", "DOES NOT HOLD", "Signed",
        "only start-up", "tc tbf rate",
    ):  # fmt: skip
        assert text in page or text.replace("'", "&#39;") in page, text
    assert "<b>all_to_all</b>" not in page  # what a record says is text
    assert "&lt;b&gt;all_to_all" in page
    assert "http://" not in page and "https://" not in page
    assert page.count('<tr class="row">') == len(ROWS) - 1
    assert page.count('<tr class="waiver">') == 1


def test_a_run_without_stages_has_a_certificate_too() -> None:
    record = record_of([Row("send_recv", 4 * MIB, 0.985)])
    result = judge(record, FABRIC, accept_fake=True)
    view = certificate_of(result, record, FABRIC)
    assert [stage.name for stage in view.stages] == ["Rows of the plan"]
    assert (view.verdict, view.waivers) == ("HOLDS", ())


def test_counters_that_nobody_could_read_are_not_none() -> None:
    record = record_of([Row("send_recv", MIB, spoiled=2)])
    (point,) = record.points
    blocks = [
        block.model_copy(update={"errors": {"drops": 2 if n else None, "symbol_errors": None}})
        for n, block in enumerate(point.blocks)
    ]
    point = point.model_copy(update={"blocks": blocks})
    lines = {line[1]: line for line in counters(record.model_copy(update={"points": [point]}))[1]}
    assert lines["drops"] == ("error", "drops", "8", "4", "1")
    assert lines["symbol_errors"][2:] == (DASH, "0", "5")
    assert lines["spoiled"][2] == "10 of 100"


def test_versions_that_differ_each_have_a_line() -> None:
    record = record_of([Row("send_recv", MIB)])
    first = record.launches[0]
    hosts = [
        host.model_copy(update={"kernel": "6.2" if n else None})
        for n, host in enumerate(first.system.hosts)
    ]
    system = first.system.model_copy(update={"hosts": hosts, "versions": {"nccl": "2.28.9"}})
    launches = [first.model_copy(update={"system": system})]
    lines = versions(record.model_copy(update={"launches": launches}))[1]
    assert ("kernel", "6.2", "3 hosts") in lines
    assert ("kernel", "not recorded", "1 host") in lines
    assert ("nccl", "2.28.9", "1 launch") in lines


# The command.


def test_check_writes_all_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, record = _judged(ROWS)
    real = record.model_copy(update={"run": record.run.model_copy(update={"fake": False})})
    write_record(real, tmp_path / "run.json")
    page, document = tmp_path / "c.html", tmp_path / "v.json"
    arguments = ["--certificate", str(page), "--json", str(document)]
    assert run_command_line(["check", str(tmp_path / "run.json"), *arguments]) == 1
    digest = hashlib.sha256((tmp_path / "run.json").read_bytes()).hexdigest()
    found = Verdicts.model_validate_json(document.read_text())
    assert found.record.sha256 == digest
    assert (found.verdict, found.exit_code) == ("DOES NOT HOLD", 1)
    assert (found.record.emulated, found.record.fake) == (True, False)
    assert {row.stage for row in found.rows} == set(STAGES)
    assert digest in page.read_text()
    assert re.search(r"EMULATED</strong>", page.read_text())
    assert run_command_line(["check", str(tmp_path / "run.json"), "--json", str(tmp_path)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_an_infinite_limit_is_null_in_json() -> None:
    result, record = _judged([Row("send_recv", 4 * MIB, 0.985)])
    row = replace(result.rows[0], fraction_ci95=(0.9, float("inf")))
    document = verdicts_of(replace(result, rows=(row,)), record, FABRIC, "r.json", "c" * 64)
    assert document.rows[0].share_ci95 == (0.9, None)
    assert "Infinity" not in verdicts_text(document)


def test_the_schema_in_results_is_the_models() -> None:
    assert SCHEMA.read_text() == schema_text()
