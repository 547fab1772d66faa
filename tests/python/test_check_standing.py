"""What is known of a row stands, wherever the record says it and whatever the plan excuses."""

from __future__ import annotations

import pytest

from altered import GOOD, Document, document, judged
from busbar.check import Verdict
from busbar.errors import ExitCode
from factories import MIB, Row

SLOW = Row("send_recv", 2 * MIB, 0.05)


def _problem(point: Document, status: str = "hang", size: int | None = None) -> Document:
    key = {**point["key"], "size_bytes": size or point["key"]["size_bytes"]}
    return {"launch": 0, "key": key, "status": status, "reason": "rank 2 hung"}


def test_a_problem_counts_though_its_point_says_ok() -> None:
    changed = document()
    changed["problems"].append(_problem(changed["points"][0]))
    result = judged(changed)
    assert (result.rows[0].verdict, result.rows[0].reason) == (Verdict.HANG, "rank 2 hung")
    assert result.exit_code is ExitCode.HANG


def test_so_does_one_under_the_planned_key_of_a_visit_that_never_answered() -> None:
    changed = document()
    problem = _problem(changed["points"][0])
    problem["key"]["group"] = {**problem["key"]["group"], "nodes": None}
    changed["problems"].append(problem)
    assert judged(changed).rows[0].verdict is Verdict.HANG


@pytest.mark.parametrize(
    ("status", "code"), [("wrong_data", ExitCode.NEGATIVE), ("hang", ExitCode.HANG)]
)
def test_a_problem_without_a_row_is_a_row(status: str, code: ExitCode) -> None:
    changed = document()
    changed["problems"] += [_problem(changed["points"][0], status, 2 * MIB)] * 3
    result = judged(changed)
    assert [row.verdict for row in result.rows] == [Verdict.PASS, Verdict[status.upper()]]
    assert result.exit_code is code


def test_rows_that_were_taken_out_leave_their_problems() -> None:
    changed = document([GOOD, Row("all_reduce", 2 * MIB, hang=True)])
    changed["run"]["plan"]["rows"].pop()
    changed["points"].pop()
    assert judged(changed).exit_code is ExitCode.HANG


@pytest.mark.parametrize("status", ["waived", "not_run"])
@pytest.mark.parametrize("planned", [True, False])
def test_a_status_does_not_hide_what_blocks_say(status: str, planned: bool) -> None:
    changed = document([GOOD, Row("send_recv", 2 * MIB, 0.05, need="optional")])
    if not planned:
        changed["run"]["plan"]["rows"].pop()
    changed["points"][1]["status"] = status
    assert judged(changed).rows[1].verdict is Verdict.FAIL


def test_nor_wrong_elements_in_them() -> None:
    changed = document([GOOD, Row("send_recv", 2 * MIB, wrong_elements=7, need="optional")])
    changed["points"][1].update(status="not_run", wrong_elements=0)
    assert judged(changed).rows[1].verdict is Verdict.WRONG_DATA


@pytest.mark.parametrize("status", ["hang", "wrong_data"])
def test_a_status_stands_though_nothing_else_tells_of_it(status: str) -> None:
    changed = document()
    changed["points"][0].update(status=status, reason="it was so")
    assert judged(changed).rows[0].verdict is Verdict[status.upper()]


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (SLOW, Verdict.FAIL),
        (Row("send_recv", 2 * MIB, hang=True), Verdict.HANG),
        (Row("send_recv", 2 * MIB, wrong_elements=7), Verdict.WRONG_DATA),
        (Row("send_recv", 2 * MIB, launches=0), Verdict.WAIVED),
        (Row("send_recv", 2 * MIB, 0.985), Verdict.WAIVED),
    ],
)
def test_a_waiver_excuses_what_was_not_measured_or_is_sound(row: Row, verdict: Verdict) -> None:
    changed = document([GOOD, row])
    changed["run"]["plan"]["rows"][1].update(need="waived", evidence="agreed by phone")
    assert judged(changed).rows[1].verdict is verdict
