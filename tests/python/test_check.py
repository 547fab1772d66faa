"""The judge fails closed: each way a row may not be good, one by one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO
from typing import Any
from xml.etree import ElementTree as xml

import pytest
from rich.console import Console

from busbar import fabrics
from busbar.check import CheckResult, RowResult, Verdict
from busbar.check import check as judge
from busbar.check.junit import junit_text
from busbar.check.table import print_result
from busbar.check.thresholds import Thresholds
from busbar.errors import ExitCode, UsageError
from busbar.fabrics import Limit
from busbar.record.fold import fold
from busbar.record.lines import ProblemLine
from busbar.record.models import RunRecord, Wire
from busbar.theory.bound import bound
from factories import (
    Example,
    Row,
    block_line,
    journal_lines,
    launch_line,
    mixed_rows,
    record,
    record_of,
)

MIB = 1 << 20
# Limits of its own: those of the catalogue may change.
STAR = fabrics.load("emulated-4x400m").model_copy(
    update={
        "limits": [
            Limit.model_validate(
                {
                    "op": "send_recv",
                    "from": "1M",
                    "at_least": 0.97,
                    "reason": "Only start-up is lost",
                }
            )
        ]
    }
)
BOUND = bound(STAR, "send_recv", 4 * MIB, STAR.placement())
assert BOUND is not None
GOOD = Row("send_recv", 4 * MIB, 0.985)
END = journal_lines()[-1]


def _check(document: RunRecord, **more: Any) -> CheckResult:
    return judge(document, STAR, accept_fake=True, **more)


def _row(row: Row, **fields: Any) -> tuple[RowResult, ExitCode]:
    result = _check(record_of([row], **fields))
    (only,) = result.rows
    return only, result.exit_code


def _measured(fractions: Sequence[float], row: Row = GOOD) -> tuple[RowResult, ExitCode]:
    """A point whose launches reached these fractions of its bound."""
    assert BOUND is not None
    lines = journal_lines(Example(rows=[row], launches=1))[:1]
    for launch, fraction in enumerate(fractions):
        lines.append(launch_line(launch))
        lines.append(block_line(row, launch, [BOUND.time_us / fraction] * 3))
    result = _check(fold([*lines, END]))
    (only,) = result.rows
    return only, result.exit_code


# Verdicts and exit codes


def test_a_row_wholly_above_its_limit_passes() -> None:
    row, code = _measured([0.981, 0.982, 0.98, 0.981, 0.982])
    assert (row.verdict, code) == (Verdict.PASS, ExitCode.HOLDS)
    assert row.limit == 0.97
    assert row.fraction == pytest.approx(0.981)
    assert row.fraction_ci95 is not None
    assert 0.97 < row.fraction_ci95[0] < 0.981 < row.fraction_ci95[1]


def test_a_row_wholly_below_its_limit_fails_and_names_the_cut() -> None:
    row, code = _measured([0.90, 0.91, 0.90, 0.91, 0.90])
    assert (row.verdict, code) == (Verdict.FAIL, ExitCode.NEGATIVE)
    assert "link of host1, egress" in row.reason


def test_an_interval_around_the_limit_is_unsure_and_says_what_would_tell() -> None:
    row, code = _measured([0.95, 0.98, 0.99, 0.96, 0.985])
    assert (row.verdict, code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    assert "launches would tell" in row.reason


def test_a_row_at_its_limit_is_unsure_for_good() -> None:
    row, _ = _measured([0.95, 0.97, 0.99])
    assert row.verdict is Verdict.UNSURE
    assert "at the limit" in row.reason


def test_one_launch_proves_nothing() -> None:
    row, code = _measured([0.99])
    assert (row.verdict, code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    assert "at least two" in row.reason


def test_two_launches_that_differ_prove_nothing() -> None:
    row, _ = _measured([0.99, 0.5])
    assert row.verdict is Verdict.UNSURE
    assert row.fraction_ci95 is not None
    assert row.fraction_ci95[1] > 1


@pytest.mark.parametrize("fractions", [[1.2] * 5, [1.03, 1.031], [1.5]])
def test_faster_than_physics_is_never_good(fractions: list[float]) -> None:
    row, code = _measured(fractions)
    assert (row.verdict, code) == (Verdict.IMPOSSIBLE, ExitCode.NEGATIVE)


def test_perhaps_faster_than_physics_is_unsure() -> None:
    row, code = _measured([1.2, 0.9, 1.3])
    assert (row.verdict, code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)


def test_one_percent_over_the_bound_is_tolerated() -> None:
    assert _measured([1.005, 1.006, 1.005])[0].verdict is Verdict.PASS


def test_beating_physics_counts_where_no_limit_applies() -> None:
    row, code = _row(Row("broadcast", 4 * MIB, 1.3))
    assert (row.verdict, code) == (Verdict.IMPOSSIBLE, ExitCode.NEGATIVE)


def test_wrong_data_is_the_worst_verdict() -> None:
    row, code = _row(Row("send_recv", 4 * MIB, 0.97, wrong_elements=1))
    assert (row.verdict, code) == (Verdict.WRONG_DATA, ExitCode.NEGATIVE)


def test_wrong_data_counts_even_where_waived() -> None:
    waived = Row("barrier", 0, need="waived", evidence="known", wrong_elements=1)
    row, code = _row(waived)
    assert (row.verdict, code) == (Verdict.WRONG_DATA, ExitCode.NEGATIVE)


def test_a_hang() -> None:
    row, code = _row(Row("send_recv", 4 * MIB, hang=True))
    assert (row.verdict, code) == (Verdict.HANG, ExitCode.HANG)
    assert row.reason == "Rank 2 on host3 never arrived."


def test_a_launch_that_never_began_is_a_hang() -> None:
    lines = journal_lines(Example(rows=[GOOD]))
    stuck = ProblemLine(launch=5, key=None, status="hang", reason="host3 never reported.")
    result = _check(fold([*lines[:-1], stuck, lines[-1]]))
    assert [(row.label, row.verdict) for row in result.rows][-1] == ("launch 5", Verdict.HANG)
    assert result.exit_code is ExitCode.HANG


def test_a_required_row_that_was_not_measured_is_missing() -> None:
    row, code = _row(Row("send_recv", 4 * MIB, launches=0))
    assert (row.verdict, code) == (Verdict.MISSING, ExitCode.INCOMPLETE)


def test_an_optional_row_may_be_missing_but_then_nothing_is_judged() -> None:
    row, code = _row(Row("send_recv", 4 * MIB, launches=0, need="optional"))
    assert (row.verdict, code) == (Verdict.UNJUDGED, ExitCode.INCOMPLETE)


def test_an_optional_row_that_was_measured_counts() -> None:
    row, code = _row(Row("send_recv", 4 * MIB, 0.5, need="optional"))
    assert (row.verdict, code) == (Verdict.FAIL, ExitCode.NEGATIVE)


def test_a_waiver_is_shown_and_never_counted_as_a_pass() -> None:
    row, code = _row(Row("send_recv", 4 * MIB, need="waived", evidence="cable on order"))
    assert (row.verdict, row.reason) == (Verdict.WAIVED, "cable on order")
    assert code is ExitCode.INCOMPLETE


@pytest.mark.parametrize("status", ["waived", "not_run"])
def test_a_required_row_cannot_be_excused_by_the_run(status: str) -> None:
    lines = journal_lines(Example(rows=[GOOD]))
    block = block_line(GOOD, 0, [1.0])
    excuse = ProblemLine.model_validate(
        {"launch": 0, "key": block.key, "status": status, "reason": "Not possible here."}
    )
    result = _check(fold([*lines[:2], excuse, END]))
    assert [row.verdict for row in result.rows] == [Verdict.MISSING]


def test_a_row_without_a_time_is_missing() -> None:
    document = json.loads(record_of([GOOD]).model_dump_json())
    document["points"][0]["time_us"] = None
    result = _check(RunRecord.model_validate_json(json.dumps(document)))
    assert [row.verdict for row in result.rows] == [Verdict.MISSING]
    assert result.exit_code is ExitCode.INCOMPLETE


def test_a_time_of_zero_is_missing() -> None:
    lines = journal_lines(Example(rows=[GOOD]))
    result = _check(fold([*lines[:2], block_line(GOOD, 0, [0.0, 0.0]), END]))
    assert [row.verdict for row in result.rows] == [Verdict.MISSING]


@pytest.mark.parametrize(("field", "value"), [("verified", "waived"), ("wrong_elements", None)])
def test_a_result_that_was_not_verified_does_not_pass(field: str, value: object) -> None:
    document = json.loads(record_of([Row("send_recv", 4 * MIB, 0.985)]).model_dump_json())
    document["points"][0][field] = value
    result = _check(RunRecord.model_validate_json(json.dumps(document)))
    assert [row.verdict for row in result.rows] == [Verdict.UNSURE]
    assert "verif" in result.rows[0].reason


def test_spoiled_samples_above_their_share_do_not_pass() -> None:
    row, code = _measured([0.981, 0.982, 0.981], Row("send_recv", 4 * MIB, spoiled=1))
    assert (row.verdict, code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    assert "33% of the samples saw drops" in row.reason
    document = record_of([Row("send_recv", 4 * MIB, 0.985, spoiled=1)])
    assert (
        _check(document, thresholds=Thresholds(spoiled=0.5)).rows[0].verdict is not Verdict.UNSURE
    )


def test_no_limit_no_judgement() -> None:
    row, code = _row(Row("broadcast", 4 * MIB, 0.9))
    assert (row.verdict, code) == (Verdict.UNJUDGED, ExitCode.INCOMPLETE)
    assert row.fraction is not None


def test_a_limit_is_for_its_variant() -> None:
    row, _ = _row(Row("send_recv", 4 * MIB, 0.5, variant="odd"))
    assert row.verdict is Verdict.UNJUDGED


def test_the_limit_of_the_largest_size_reached_holds() -> None:
    limits = [
        Limit.model_validate({"op": "send_recv", "from": size, "at_least": share, "reason": "x"})
        for size, share in (("1M", 0.5), ("4M", 0.999), ("8M", 0.1))
    ]
    result = _check(record_of([GOOD]), limits=limits)
    assert [(row.limit, row.verdict) for row in result.rows] == [(0.999, Verdict.FAIL)]


def test_shared_memory_is_not_judged() -> None:
    result = judge(record_of([GOOD]), fabrics.load("local"), accept_fake=True)
    assert [row.verdict for row in result.rows] == [Verdict.UNJUDGED]
    assert result.exit_code is ExitCode.INCOMPLETE
    assert "Nothing was judged" in result.summary


def test_a_row_beyond_the_plan_is_judged_too() -> None:
    lines = journal_lines(Example(rows=[GOOD]))
    extra = block_line(Row("all_reduce", 4 * MIB), 0, [1.0, 1.0])
    result = _check(fold([*lines, extra]))
    assert [row.verdict for row in result.rows][1:] == [Verdict.IMPOSSIBLE]


def test_negative_comes_before_hang_before_incomplete() -> None:
    fine = Row("send_recv", 2 * MIB, 0.985)
    fails = Row("send_recv", 4 * MIB, 0.5)
    hangs = Row("all_reduce", 4 * MIB, hang=True)
    absent = Row("all_reduce", 2 * MIB, launches=0)
    codes = [
        _check(record_of(rows)).exit_code
        for rows in ([fine, fails, hangs, absent], [fine, hangs, absent], [fine, absent])
    ]
    assert codes == [ExitCode.NEGATIVE, ExitCode.HANG, ExitCode.INCOMPLETE]


# What is refused, what is said


def test_fake_records_are_refused() -> None:
    with pytest.raises(UsageError, match="marked fake"):
        judge(record(), STAR)


def test_hosts_that_the_fabric_lacks_are_refused() -> None:
    with pytest.raises(UsageError, match="'host4' is not in fabric 'emulated-3x400m'"):
        judge(record_of([GOOD]), fabrics.emulated(3), accept_fake=True)


def test_what_is_not_real_hardware_says_so_first() -> None:
    assert _check(record()).title == (
        "Run example (fake, emulated: not real hardware) against fabric emulated-4x400m"
    )


def test_what_a_reader_must_know_is_noted() -> None:
    document = record_of([GOOD], overrides={"fabric": "other"})
    assert _check(document).notes == (
        "The run names fabric other, it is judged against emulated-4x400m.",
    )


@pytest.mark.parametrize("status", ["running", "interrupted", "failed"])
def test_a_run_that_did_not_come_to_its_end_is_incomplete_whatever_is_there(status: str) -> None:
    document = record_of([GOOD])
    assert _check(document).exit_code is ExitCode.HOLDS
    run = document.run.model_copy(update={"status": status})
    result = _check(document.model_copy(update={"run": run}))
    assert result.exit_code is ExitCode.INCOMPLETE
    (row,) = (row for row in result.rows if row.verdict is not Verdict.PASS)
    assert (row.label, row.verdict) == ("run", Verdict.MISSING)
    assert f"is marked {status}" in row.reason


def test_every_reason_is_one_sentence() -> None:
    for row in _check(record()).rows:
        assert row.reason.endswith(".")
        assert "\n" not in row.reason


# JUnit and table


def test_junit_has_one_case_per_row_and_no_false_pass() -> None:
    result = _check(record_of(mixed_rows()))
    suite = xml.fromstring(junit_text(result)).find("testsuite")
    assert suite is not None
    tags = [[child.tag for child in case if child.tag != "system-out"] for case in suite]
    assert [row.verdict.value for row in result.rows] == [
        "PASS", "FAIL", "HANG", "MISSING", "UNSURE", "WAIVED", "UNJUDGED"
    ]  # fmt: skip
    assert tags == [[], ["failure"], ["error"], ["error"], ["error"], ["skipped"], ["skipped"]]
    assert {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7", "failures": "1", "errors": "3", "skipped": "2"
    }  # fmt: skip
    skipped = suite[5].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "WAIVED: not <asked> for (fake, emulated: not real hardware)"


def test_junit_of_nothing_judged_is_no_pass() -> None:
    text = junit_text(_check(record_of([Row("gather", 4 * MIB, 0.9)])))
    suite = xml.fromstring(text).find("testsuite")
    assert suite is not None
    assert suite.get("errors") == "1"


def test_the_table_shows_every_row() -> None:
    console = Console(width=200, record=True, file=StringIO())
    print_result(console, _check(record_of(mixed_rows())))
    text = console.export_text()
    for word in ("send_recv 2M", "PASS", "FAIL", "HANG", "MISSING", "UNSURE", "<asked>", "97%"):
        assert word in text


def test_bytes_that_went_another_way_are_found() -> None:
    document = record(Example())
    sends = [p for p in document.points if p.key.op == "send_recv"]
    point = max(sends, key=lambda p: p.key.size_bytes)
    key, nodes = point.key, point.key.group.nodes
    assert nodes is not None
    assert point.wire is not None
    some = Wire(
        tx_bytes_per_node=[1.003 * key.size_bytes] * (nodes - 1) + [4600.0],
        rx_bytes_per_node=[1.003 * key.size_bytes] * nodes,
    )
    bypassed = point.model_copy(update={"wire": some})
    changed = document.model_copy(
        update={"points": [bypassed if p is point else p for p in document.points]}
    )
    result = judge(changed, fabrics.load("emulated-4x400m"), accept_fake=True)
    (row,) = [r for r in result.rows if r.verdict is Verdict.IMPOSSIBLE]
    assert row.key == key
    assert "sent 4600 bytes" in row.reason
    assert result.exit_code is ExitCode.NEGATIVE
