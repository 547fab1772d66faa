"""Limits on counters of faults: what exceeds them, what was never read, what is too short."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from busbar.check import CheckResult, RowResult, Verdict
from busbar.check.junit import junit_text
from busbar.errors import ExitCode
from busbar.fabrics import CounterLimit, Fabric
from busbar.fabrics.load import fabric_of
from busbar.record.counters import COUNTERS
from busbar.record.models import RunRecord
from factories import MIB, Row
from rated import STAR, check, limit, rated, with_limits

SOUND = rated({Row("send_recv", 4 * MIB): [0.95] * 5})
SOURCES = Path(__file__).resolve().parents[2] / "src"


def _fabric(*counters: dict[str, Any]) -> Fabric:
    made = [CounterLimit.model_validate({"reason": "for a test", **one}) for one in counters]
    return with_limits(limit()).model_copy(update={"counters": made})


def _counted(name: str, counts: list[int | None], where: str = "errors") -> RunRecord:
    """A sound record whose blocks counted so much of it."""
    document = json.loads(SOUND.model_dump_json())
    for block, count in zip(document["points"][0]["blocks"], counts, strict=True):
        block[where] = {**(block[where] or {}), name: count}
    return RunRecord.model_validate_json(json.dumps(document))


def _judge(record: RunRecord, **counter: Any) -> tuple[RowResult, CheckResult]:
    result = check(record, _fabric(counter))
    (row,) = result.counters
    return row, result


def test_none_counted_passes_and_one_too_many_fails() -> None:
    row, result = _judge(SOUND, name="drops", at_most=0)
    assert (row.verdict, result.exit_code) == (Verdict.PASS, ExitCode.HOLDS)
    row, result = _judge(_counted("drops", [0, 0, 1, 0, 0]), name="drops", at_most=0)
    assert (row.verdict, result.exit_code) == (Verdict.FAIL, ExitCode.NEGATIVE)
    assert row.reason.startswith("1 counted, at most 0 per run is accepted, on host1 or host2 or")
    row, _ = _judge(_counted("drops", [0, 2, 1, 0, 0]), name="drops", at_most=3)
    assert row.verdict is Verdict.PASS


def test_a_counter_that_a_block_could_not_read_passes_nothing() -> None:
    row, result = _judge(
        _counted("symbol_errors", [0, 0, None, 0, 0]), name="symbol_errors", at_most=0
    )
    assert (row.verdict, result.exit_code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    assert "1 of 5 readings lack it" in row.reason
    row, result = _judge(SOUND, name="symbol_errors", at_most=0)
    assert (row.verdict, result.exit_code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    assert "No block could read it" in row.reason


def test_what_was_read_exceeds_whatever_was_not_read() -> None:
    row, _ = _judge(_counted("symbol_errors", [0, 9, None, 0, 0]), name="symbol_errors", at_most=5)
    assert row.verdict is Verdict.FAIL


@pytest.mark.parametrize("name", [name for name, one in COUNTERS.items() if one.where is None])
def test_what_nothing_reads_yet_is_unsure_unless_waived(name: str) -> None:
    row, result = _judge(SOUND, name=name, at_most=0)
    assert (row.verdict, result.exit_code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    row, result = _judge(SOUND, name=name, at_most=0, waived="the fabric manager's log of that day")
    assert (row.verdict, row.reason) == (Verdict.WAIVED, "the fabric manager's log of that day")
    assert result.exit_code is ExitCode.HOLDS


def test_a_waiver_excuses_no_count() -> None:
    record = _counted("symbol_errors", [0, 9, 0, 0, 0])
    row, _ = _judge(record, name="symbol_errors", at_most=0, waived="cannot be read here")
    assert row.verdict is Verdict.FAIL


def test_signs_of_congestion_are_counted_too() -> None:
    record = _counted("cnps_handled", [5, 5, 5, 5, 5], "congestion")
    row, _ = _judge(record, name="cnps_handled", at_most=24)
    assert row.verdict is Verdict.FAIL
    row, _ = _judge(record, name="cnps_handled", at_most=25)
    assert row.verdict is Verdict.PASS


def test_nvlinks_are_counted_by_gpu_and_name_it() -> None:
    document = json.loads(SOUND.model_dump_json())
    quiet = {"tx_bytes": 0.0, "rx_bytes": 0.0, "crc_errors": 0, "replays": 0, "recoveries": 0}
    for process in document["launches"][0]["processes"]:
        process["gpu"] = process["rank"]
    for block in document["points"][0]["blocks"]:
        block["nvlink"] = [quiet] * 4
    document["points"][0]["blocks"][0]["nvlink"] = [quiet, quiet, quiet | {"crc_errors": 7}, quiet]
    record = RunRecord.model_validate_json(json.dumps(document))
    row, _ = _judge(record, name="nvlink_crc_errors", at_most=0)
    assert row.reason == "7 counted, at most 0 per run is accepted, on host3 (GPU 2)."
    row, _ = _judge(record, name="nvlink_replays", at_most=0)
    assert row.verdict is Verdict.PASS


def test_rates_need_enough_of_what_they_are_per() -> None:
    """Five blocks of half a second show no rate per hour."""
    row, result = _judge(SOUND, name="drops", at_most=1, per="hour")
    assert (row.verdict, result.exit_code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    assert "3.69 hour without another one would tell" in row.reason
    row, _ = _judge(SOUND, name="drops", at_most=1e6, per="hour")
    assert row.verdict is Verdict.PASS
    row, _ = _judge(_counted("drops", [40] * 5), name="drops", at_most=1, per="hour")
    assert row.verdict is Verdict.FAIL


def test_rates_per_byte_need_the_bytes_of_every_block() -> None:
    row, _ = _judge(SOUND, name="drops", at_most=1e6, per="TB")
    assert row.verdict is Verdict.PASS
    document = json.loads(SOUND.model_dump_json())
    document["points"][0]["blocks"][2]["wire"] = None
    blind = RunRecord.model_validate_json(json.dumps(document))
    row, _ = _judge(blind, name="drops", at_most=1e6, per="TB")
    assert row.verdict is Verdict.UNSURE


def test_counters_alone_judge_no_operation() -> None:
    fabric = _fabric({"name": "drops", "at_most": 0}).model_copy(update={"limits": []})
    result = check(SOUND, fabric)
    assert [row.verdict for row in result.counters] == [Verdict.PASS]
    assert result.exit_code is ExitCode.INCOMPLETE


def test_they_are_in_the_summary_and_in_junit() -> None:
    _, result = _judge(_counted("drops", [1, 0, 0, 0, 0]), name="drops", at_most=0)
    assert "1 counters: 1 FAIL." in result.summary
    assert 'classname="busbar.check.counters" name="counter drops"' in junit_text(result)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "drips"}, "counter 'drips' is unknown, accepted: drops"),
        ({"per": "day"}, "'counters[0].per' is 'day'"),
        ({"at_most": -1.0}, "'counters[0].at_most' is -1.0"),
        ({"per": "hour"}, "at_most 0 per hour"),
        ({"reason": ""}, "'counters[0].reason'"),
    ],
)
def test_a_bad_limit_is_explained(change: dict[str, Any], sentence: str) -> None:
    document = STAR.model_dump(by_alias=True)
    document["counters"] = [{"name": "drops", "at_most": 0.0, "reason": "x", **change}]
    with pytest.raises(Exception) as error:
        fabric_of(document, "a test")
    assert sentence in str(error.value)


def test_two_limits_on_one_counter_are_refused() -> None:
    document = STAR.model_dump(by_alias=True)
    document["counters"] = [{"name": "drops", "at_most": 0.0, "reason": "x"}] * 2
    with pytest.raises(Exception, match="counter 'drops' has two limits"):
        fabric_of(document, "a test")


def test_every_name_that_the_engine_writes_is_known() -> None:
    """The names in `src/observe/counters.cpp`, which this package knows by plainer ones."""
    text = (SOURCES / "observe" / "counters.cpp").read_text()
    written = {
        name
        for table in re.findall(r"names\{([^}]*)\}", text)
        for name in re.findall(r'"(\w+)"', table)
    }
    known = {one.field for one in COUNTERS.values() if one.where in ("errors", "congestion")}
    assert written == known
