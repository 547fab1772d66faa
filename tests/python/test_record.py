"""The record: schema, reading of damaged files, journal, statistics."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar import fabrics
from busbar.check import Verdict
from busbar.check import check as judge
from busbar.errors import UsageError
from busbar.record.fold import fold
from busbar.record.journal import JournalWriter, journal_path, record_path, write_record
from busbar.record.key import format_ranks, parse_ranks
from busbar.record.lines import JournalLine, ProblemLine, SegmentLine
from busbar.record.load import load
from busbar.record.models import Observed, Point, RunRecord
from busbar.record.schema import schema, schema_text
from factories import (
    FINISHED,
    Example,
    Row,
    block_line,
    default_rows,
    journal_lines,
    launch_line,
    point_key,
    record,
    record_of,
    write_journal,
)

SCHEMA = Path(__file__).parents[2] / "results" / "schema" / "run-record.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(schema())
ONE = Row("all_reduce", 1024)
SMALL = Example(rows=[ONE], launches=2, samples=2)


def _point(rows: list[Row], **fields: Any) -> Point:
    return record_of(rows, **fields).points[0]


# Schema


@pytest.mark.parametrize(
    "row",
    [
        *{(row.op, row.variant): row for row in default_rows()}.values(),
        Row("all_reduce", 1024, wrong_elements=3),
        Row("all_reduce", 1024, hang=True),
        Row("all_reduce", 1024, spoiled=2),
        Row("all_reduce", 1024, need="waived", evidence="no switch"),
        Row("all_reduce", 1024, launches=0),
    ],
    ids=lambda row: f"{row.op}-{row.size_bytes}-{row.variant}",
)
def test_every_kind_of_point_validates(row: Row) -> None:
    VALIDATOR.validate(json.loads(record_of([row], launches=2, samples=3).model_dump_json()))


def test_the_schema_in_results_is_the_models() -> None:
    assert SCHEMA.read_text() == schema_text()


def test_the_schema_refuses_an_unknown_field() -> None:
    document = json.loads(record(SMALL).model_dump_json())
    document["run"]["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError, match="surprise"):
        VALIDATOR.validate(document)


# Reading


def test_a_record_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    whole = record()
    write_record(whole, path)
    assert load(path) == whole
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]


def test_a_record_cut_anywhere_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(record(Example(rows=[ONE], launches=1, samples=1)).model_dump_json())
    for length in reversed(range(path.stat().st_size)):
        os.truncate(path, length)
        with pytest.raises(UsageError) as error:
            load(path)
        assert error.value.message.startswith(str(path))
        assert "\n" not in error.value.message


def _set(document: dict[str, Any], where: str, value: Any) -> None:
    *path, last = [int(k) if k.isdigit() else k for k in where.split("/")]
    target: Any = document
    for key in path:
        target = target[key]
    target[last] = value


@pytest.mark.parametrize(
    ("where", "value", "sentence"),
    [
        ("points/0/time_us/median", math.nan, r"'points\[0\]\.time_us\.median' is nan"),
        ("points/0/algbw_gbs", math.inf, r"'points\[0\]\.algbw_gbs' is inf"),
        ("points/0/blocks/0/samples_us/1", math.nan, r"samples_us\[1\]' is nan"),
        ("points/0/blocks/0/samples_us/1", -1.0, r"samples_us\[1\]' is -1.0.*greater"),
        ("points/0/key/size_bytes", -8, "key.size_bytes' is -8"),
        ("points/0/key/size_bytes", "8", "key.size_bytes' is '8'.*integer"),
        ("points/0/key/group/ranks", "3-0", "ranks '3-0' do not rise"),
        ("points/0/key/group/ranks", "0,1,2,3", "write '0-3'"),
        ("points/0/key/group/ranks", "0-99999999999", "rank 99999999999 is not below"),
        ("points/0/status", "fine", "status' is 'fine'.*'ok'"),
        ("points/0/blocks/0/launch", 9, "launch 9, which is not described"),
        ("points/0/blocks/0/spoiled_samples", [2], "beyond the 2 there are"),
        ("points/0/blocks/0/late_rank", [None], "late_rank has 1 entries for 2 samples"),
        ("points/0/surprise", 1, r"unknown field 'points\[0\]\.surprise', accepted there: key, st"),
        ("run/emulation/rate_bps", math.nan, "rate_bps.*is nan"),
        ("run/emulated", False, "must say emulated: true"),
        ("run/started", "yesterday", "run.started' is 'yesterday'"),
        ("run/plan/rows/0/evidence", "none", "evidence belongs to a waived row"),
        ("launches/0/environment/load_1m", math.nan, "load_1m.*is nan"),
        ("schema_version", "2.0.0", "schema_version '2.0.0': accepted are 1.0"),
        ("schema_version", "1.99.0", "schema_version '1.99.0': accepted are 1.0"),
        ("schema_version", "one", "schema_version 'one': accepted are 1.0"),
        ("schema_version", 1, "schema_version' is 1"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, where: str, value: Any, sentence: str) -> None:
    document = json.loads(record(SMALL).model_dump_json())
    _set(document, where, value)
    path = tmp_path / "run.json"
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=sentence) as error:
        load(path)
    assert str(path) in error.value.message
    assert "\n" not in error.value.message


def _as_directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "No such file"),
        (_as_directory, "Is a directory"),
        (lambda path: path.write_bytes(b""), "not JSON"),
        (lambda path: path.write_bytes(b"\xff\xfe{}"), "not JSON"),
        (lambda path: path.write_bytes(b"["), "not JSON"),
        (lambda path: path.write_bytes(b"[" * 10**5), "not JSON"),
        (lambda path: path.write_bytes(b"[]"), "not a run record"),
        (lambda path: path.write_bytes(b"{}"), "'schema_version' is missing"),
    ],
)
@pytest.mark.parametrize("name", ["run.json", "run.journal.jsonl"])
def test_no_file_ends_in_a_stack_trace(
    tmp_path: Path, name: str, make: Callable[[Path], Any], sentence: str
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(UsageError, match=sentence if name == "run.json" else None) as error:
        load(path)
    assert error.value.message.startswith(str(path))


# Journal


def test_a_journal_reads_as_its_record_does(tmp_path: Path) -> None:
    path = write_journal(tmp_path / "run.journal.jsonl", end=True)
    assert load(path) == record()


def test_finish_leaves_the_record_alone(tmp_path: Path) -> None:
    path = write_journal(journal_path(tmp_path / "run.json"))
    with JournalWriter.reopen(path) as writer:
        target = writer.finish("complete", FINISHED)
    assert target == record_path(path) == tmp_path / "run.json"
    assert load(target) == record()
    assert list(tmp_path.iterdir()) == [target]


def test_a_journal_torn_anywhere_keeps_every_whole_line(tmp_path: Path) -> None:
    path = write_journal(tmp_path / "run.journal.jsonl", SMALL)
    text = path.read_bytes()
    lines = journal_lines(SMALL)
    for length in range(text.index(b"\n") + 1, len(text), 11):
        path.write_bytes(text[:length])
        assert load(path) == fold(lines[: text[:length].count(b"\n")])


def test_a_reopened_journal_goes_on_after_its_last_whole_line(tmp_path: Path) -> None:
    path = write_journal(tmp_path / "run.journal.jsonl", SMALL)
    text = path.read_bytes()
    path.write_bytes(text[:-7])
    with JournalWriter.reopen(path) as writer:
        writer.append(journal_lines(SMALL)[-2])
    assert path.read_bytes() == text


def test_each_line_is_there_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    rest = journal_lines(SMALL)[1:]
    writer = JournalWriter.create(tmp_path / "run.journal.jsonl", record(SMALL).run)
    for count, line in enumerate(rest, start=2):
        writer.append(line)
        assert writer.path.read_bytes().count(b"\n") == count
    writer.close()


def test_a_journal_is_not_overwritten(tmp_path: Path) -> None:
    path = write_journal(tmp_path / "run.journal.jsonl", SMALL)
    with pytest.raises(UsageError, match="already exists"):
        JournalWriter.create(path, record(SMALL).run)


def test_a_damaged_line_before_the_last_is_an_error(tmp_path: Path) -> None:
    path = write_journal(tmp_path / "run.journal.jsonl", SMALL)
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2][:40]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(UsageError, match="line 3: not JSON"):
        load(path)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda lines: lines[1:], "first line must be of type 'run'"),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], "launch 0 appears twice"),
        (lambda lines: [lines[0], *lines[2:]], "launch 0, which no line before it describes"),
        (lambda lines: [*lines, b'{"type": "noise"}'], "noise"),
        (lambda lines: [*lines, lines[2].replace(b'"round"', b'"sound"')], "unknown field 'block."),
        (lambda lines: [*lines, lines[2].replace(b'"bus_factor":1.5', b'"bus_factor":2')],
         "disagree on algorithm_bytes or bus_factor"),
        (lambda lines: [*lines, re.sub(rb'"finish_us":\[[^,]*,', b'"finish_us":[', lines[2])],
         "finish_us has 3 entries, the group has 4"),
    ],
)  # fmt: skip
def test_contradictions_are_named(
    tmp_path: Path, damage: Callable[[list[bytes]], list[bytes]], sentence: str
) -> None:
    path = write_journal(tmp_path / "run.journal.jsonl", SMALL)
    lines = damage(path.read_bytes().splitlines())
    path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(UsageError, match=sentence):
        load(path)


def _resumed() -> list[JournalLine]:
    lines = journal_lines(Example(rows=[ONE], launches=5))
    segment = SegmentLine(started=FINISHED, fingerprint="other")
    return [*lines[:6], segment, *lines[6:]]


def test_a_resumed_run_has_one_more_segment() -> None:
    run = fold(_resumed()).run
    assert [segment.fingerprint for segment in run.segments] == ["0f1e2d", "other"]
    assert run.status == "complete"


# Folding


def test_wrong_data_outweighs_everything() -> None:
    bad = record_of([Row("all_reduce", 1024, wrong_elements=2)], launches=3).points[0]
    assert bad.status == "wrong_data"
    assert bad.reason == "6 elements of the result were wrong in launch 0, 1, 2."


def test_a_hang_is_not_undone_by_a_later_time() -> None:
    lines = journal_lines(SMALL)
    planned = point_key("all_reduce", 1024, nodes=None)
    problem = ProblemLine(launch=0, key=planned, status="hang", reason="Rank 2 never arrived.")
    folded = fold([*lines[:2], problem, *lines[2:]])
    assert [(p.status, p.reason) for p in folded.points] == [("hang", "Rank 2 never arrived.")]
    assert folded.points[0].key == point_key("all_reduce", 1024)


def test_launches_that_observe_say_what_ran_but_not_how_fast() -> None:
    lines = journal_lines(SMALL)
    seen = Observed(algorithm="ring", protocol=None, channels=None, in_network=False,
                    how=["monitoring"], bytes_per_peer=[[0.0, 8.0], [8.0, 0.0]])  # fmt: skip
    block = block_line(ONE, 7, [1e9])
    block = block.model_copy(update={"block": block.block.model_copy(update={"observed": seen})})
    with_observer = fold([*lines[:-1], launch_line(7, purpose="observe"), block, lines[-1]])
    point, plain = with_observer.points[0], fold(lines).points[0]
    assert point.time_us == plain.time_us
    assert point.observed.algorithm == "ring"
    assert point.observed.how == ["NIC byte counters", "monitoring"]
    assert point.observed.bytes_per_peer == [[0.0, 8.0], [8.0, 0.0]]
    assert len(point.blocks) == len(plain.blocks) + 1


def test_spoiled_samples_are_kept_and_shown_apart() -> None:
    lines = journal_lines(SMALL)
    spoiled = block_line(Row("all_reduce", 1024, spoiled=1), 0, [900.0, 100.0, 100.0])
    point = fold([*lines[:2], spoiled, lines[-1]]).points[0]
    assert point.time_us is not None
    assert point.clean_time_us is not None
    assert (point.time_us.max, point.clean_time_us.max) == (900.0, 100.0)
    assert point.spoiled_share == pytest.approx(1 / 3)
    assert _point([ONE]).clean_time_us is None


def test_bandwidths_follow_from_the_median() -> None:
    point = _point([Row("all_reduce", 1 << 20)])
    assert point.time_us is not None
    assert point.algbw_gbs == pytest.approx((1 << 20) / point.time_us.median / 1000)
    assert point.busbw_gbs == pytest.approx(1.5 * (1 << 20) / point.time_us.median / 1000)
    barrier = _point([Row("barrier", 0)])
    assert (barrier.algbw_gbs, barrier.busbw_gbs) == (None, None)


def test_a_limit_that_any_block_hit_is_the_stop_reason() -> None:
    lines = journal_lines(SMALL)
    block = block_line(ONE, 1, [5.0, 5.0])
    hit = block.model_copy(
        update={"block": block.block.model_copy(update={"stop_reason": "max_seconds"})}
    )
    assert fold([*lines[:-1], hit]).points[0].stop_reason == "max_seconds"
    assert fold(lines).points[0].stop_reason == "relative_ci"


def test_keys_are_equal_only_if_everything_is() -> None:
    key = point_key("all_reduce", 1024)
    assert key == point_key("all_reduce", 1024)
    assert hash(key) == hash(point_key("all_reduce", 1024))
    assert key != point_key("all_reduce", 1024, nodes=2)
    assert key != point_key("all_reduce", 1024, variant="ring")
    assert key.planned() == point_key("all_reduce", 1024, nodes=None)


def test_a_planned_key_finds_its_point() -> None:
    found = record(SMALL).point(point_key("all_reduce", 1024, nodes=None))
    assert found is not None
    assert found.key.group.nodes == 4
    assert record(SMALL).point(point_key("all_reduce", 2048)) is None


@settings(deadline=None)
@given(st.sets(st.integers(0, 60), min_size=1))
def test_ranks_have_one_text(ranks: set[int]) -> None:
    text = format_ranks(ranks)
    assert parse_ranks(text) == tuple(sorted(ranks))
    assert format_ranks(parse_ranks(text)) == text


def test_the_models_round_trip_through_json() -> None:
    whole = record()
    assert RunRecord.model_validate_json(whole.model_dump_json()) == whole


@pytest.mark.parametrize("path", sorted(SCHEMA.parents[1].glob("*.json")), ids=lambda p: p.name)
def test_reference_runs_are_valid_and_nothing_in_them_is_impossible(path: Path) -> None:
    VALIDATOR.validate(json.loads(path.read_text()))
    reference = load(path)
    assert reference.run.status == "complete"
    fabric = fabrics.for_run(reference.run)
    assert fabric is not None
    result = judge(reference, fabric)
    wrong = {Verdict.WRONG_DATA, Verdict.IMPOSSIBLE, Verdict.HANG, Verdict.MISSING}
    assert [row.label for row in result.rows if row.verdict in wrong] == []
