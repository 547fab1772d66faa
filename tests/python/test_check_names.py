"""What documents say of rows: each has a name of its own, and nothing breaks what reads them."""

from __future__ import annotations

import copy
import json
from xml.etree import ElementTree as xml

from altered import GOOD, STAR, Document, document, judged
from busbar.check.junit import junit_text
from busbar.check.sentence import verdict_sentence
from busbar.fabrics.counters import CounterLimit
from busbar.record.models import RunRecord
from busbar.report.certificate import certificate_of
from factories import MIB, Row


def _twins() -> Document:
    """Two rows that differ in their ranks alone, under one name of group."""
    changed = document()
    twin = copy.deepcopy(changed["points"][0])
    twin["key"]["group"].update(ranks="0-1", nodes=2)
    twin["wire"] = None
    for block in twin["blocks"]:
        block["wire"] = None
    planned = copy.deepcopy(changed["run"]["plan"]["rows"][0])
    planned["key"]["group"].update(ranks="0-1")
    changed["points"].append(twin)
    changed["run"]["plan"]["rows"].append(planned)
    return changed


def test_rows_that_differ_in_ranks_alone_have_names_of_their_own() -> None:
    changed = _twins()
    result = judged(changed)
    names = [row.label for row in result.rows]
    assert names == [
        "send_recv 4M default ranks 0-3 on 4 nodes",
        "send_recv 4M default ranks 0-1 on 2 nodes",
    ]
    cases = xml.fromstring(junit_text(result)).iter("testcase")
    assert [case.get("name") for case in cases] == names
    record = RunRecord.model_validate_json(json.dumps(changed))
    lines = [x for s in certificate_of(result, record, STAR).stages for x in s.lines]
    assert [line.group for line in lines] == [
        "all, ranks 0-3 on 4 nodes",
        "all, ranks 0-1 on 2 nodes",
    ]


def test_the_certificate_says_how_a_row_was_carried_out_and_its_tail() -> None:
    changed = document([Row("all_reduce", 4 * MIB), Row("all_reduce", 2 * MIB)])
    unusual = {"timing": "pipelined", "in_place": True, "registration": "symmetric",
               "datatype": "int8", "graph": True}  # fmt: skip
    changed["points"][0]["key"].update(unusual)
    changed["run"]["plan"]["rows"][0]["key"].update(unusual)
    record = RunRecord.model_validate_json(json.dumps(changed))
    (stage,) = certificate_of(judged(changed), record, STAR).stages
    one, other = stage.lines
    assert one.op == "all_reduce int8 in place graph symmetric buffers pipelined"
    assert other.op == "all_reduce"
    assert other.tail.startswith("p90 ")


def test_control_characters_of_a_program_leave_a_document_that_can_be_read() -> None:
    changed = document([GOOD, Row("all_reduce", 4 * MIB, hang=True)])
    changed["points"][1]["reason"] = "bad \u0000\u001b[31m rank \ufffe"
    text = junit_text(judged(changed))
    (error,) = xml.fromstring(text).iter("error")
    assert "bad \N{REPLACEMENT CHARACTER}" in (error.get("message") or "")


def test_the_sentence_has_counters_that_do_not_pass() -> None:
    changed = document()
    for block in changed["points"][0]["blocks"]:
        block["errors"]["drops"] = 3
    limit = CounterLimit(name="drops", at_most=0, reason="a test")
    result = judged(changed, STAR.model_copy(update={"counters": [limit]}))
    assert verdict_sentence(result) == (
        "1 of 1 judged rows pass; 1 of 1 counters FAIL. Fake, emulated: not real hardware."
    )
