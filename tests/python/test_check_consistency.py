"""A record with a row removed, a figure gone or one wrong element never passes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from busbar.check import RowResult, Verdict
from busbar.check import check as judge
from busbar.errors import ExitCode
from busbar.fabrics import Fabric
from busbar.record.models import RunRecord
from factories import MIB, Row
from rated import limit, rated, with_limits
from replays import recorded

SHARES = [0.91, 0.911, 0.909, 0.91, 0.912]
NEVER_MISSED = ("late_rank",)
"""Null says that nobody was late, which most samples say; no verdict rests on it."""


def _made() -> tuple[RunRecord, Fabric]:
    """Two rows that are judged and one that is not."""
    fabric = with_limits(limit("send_recv", 0.8), limit("all_reduce", 0.8))
    rows = {Row(op, 4 * MIB): SHARES for op in ("send_recv", "all_reduce", "gather")}
    return rated(rows), fabric


def _measured() -> tuple[RunRecord, Fabric]:
    """One row that was really measured, on an emulated network."""
    source = recorded()
    point = next(p for p in source.points if any(b.spoiled_samples for b in p.blocks))
    plan = source.record.run.plan
    rows = [row for row in plan.rows if row.key == point.key.planned()]
    run = source.record.run.model_copy(update={"plan": plan.model_copy(update={"rows": rows})})
    visited = {block.launch for block in point.blocks}
    launches = [launch for launch in source.record.launches if launch.id in visited]
    update = {"run": run, "points": [point], "launches": launches}
    return source.record.model_copy(update=update), source.fabric


RECORDS = {"made": _made, "measured": _measured}


def _code(document: dict[str, Any], fabric: Fabric) -> ExitCode:
    """As `busbar check` would exit."""
    try:
        record = RunRecord.model_validate_json(json.dumps(document))
    except ValidationError:
        return ExitCode.USAGE
    return judge(record, fabric, accept_fake=True).exit_code


def _numbers(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Paths of all numbers; of a list of numbers the first and the last."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, (*path, name))
    elif isinstance(value, list):
        ends = range(len(value))
        if len(value) > 2 and not isinstance(value[0], dict | list):
            ends = range(0, len(value), len(value) - 1)
        for place in ends:
            yield from _numbers(value[place], (*path, place))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


def _with(document: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    changed: Any = copy.deepcopy(document)
    at = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    found: dict[str, Any] = changed
    return found


@pytest.mark.parametrize("name", RECORDS)
def test_the_whole_record_passes(name: str) -> None:
    record, fabric = RECORDS[name]()
    assert _code(json.loads(record.model_dump_json()), fabric) is ExitCode.HOLDS


@pytest.mark.parametrize("name", RECORDS)
def test_no_row_can_be_removed(name: str) -> None:
    record, fabric = RECORDS[name]()
    document = json.loads(record.model_dump_json())
    for place in range(len(document["points"])):
        changed = copy.deepcopy(document)
        del changed["points"][place]
        assert _code(changed, fabric) is ExitCode.INCOMPLETE


@pytest.mark.parametrize("name", RECORDS)
def test_no_launch_of_a_row_can_be_removed(name: str) -> None:
    record, fabric = RECORDS[name]()
    document = json.loads(record.model_dump_json())
    timed = {launch.id for launch in record.launches if launch.purpose == "measure"}
    for place, point in enumerate(document["points"]):
        for launch in timed:
            changed = copy.deepcopy(document)
            left = [block for block in point["blocks"] if block["launch"] != launch]
            changed["points"][place]["blocks"] = left
            assert _code(changed, fabric) is ExitCode.INCOMPLETE, (place, launch)


@pytest.mark.parametrize(
    ("name", "value"), [("made", None), ("measured", None), ("made", float("nan"))]
)
def test_no_figure_can_be_missing(name: str, value: float | None) -> None:
    """Of every measured point, and of every one of its blocks."""
    record, fabric = RECORDS[name]()
    document = json.loads(record.model_dump_json())
    paths = [("points", *path) for path in _numbers(document["points"])]
    assert len(paths) > 150
    passed = [
        path
        for path in paths
        if not (value is None and set(NEVER_MISSED) & set(path))
        and _code(_with(document, path, value), fabric) is ExitCode.HOLDS
    ]
    assert passed == []


@pytest.mark.parametrize("name", RECORDS)
def test_no_element_can_be_wrong(name: str) -> None:
    record, fabric = RECORDS[name]()
    document = json.loads(record.model_dump_json())
    for path in _numbers(document["points"]):
        if path[-1] == "wrong_elements":
            assert _code(_with(document, ("points", *path), 1), fabric) is ExitCode.NEGATIVE


def test_a_figure_that_does_not_follow_from_the_blocks_is_named() -> None:
    record, fabric = _made()
    document = json.loads(record.model_dump_json())
    document["points"][0]["busbw_gbs"] *= 1.001
    changed = RunRecord.model_validate_json(json.dumps(document))
    row = judge(changed, fabric, accept_fake=True).rows[0]
    assert row.verdict is Verdict.UNSURE
    assert row.reason.startswith("The record contradicts itself: busbw_gbs is not what its blocks")


def test_contradictions_do_not_soften_what_is_worse() -> None:
    fabric = with_limits(limit("send_recv", 0.8))
    record = rated({Row("send_recv", 4 * MIB): [0.5, 0.501, 0.5, 0.502, 0.5]})
    document = json.loads(record.model_dump_json())
    document["points"][0]["busbw_gbs"] = None
    assert _code(document, fabric) is ExitCode.NEGATIVE


def _edited(change: Callable[[dict[str, Any]], None]) -> RowResult:
    record, fabric = _made()
    document = json.loads(record.model_dump_json())
    change(document["points"][0])
    made = RunRecord.model_validate_json(json.dumps(document))
    return judge(made, fabric, accept_fake=True).rows[0]


def test_bytes_of_fewer_nodes_than_there_are_contradict_it() -> None:
    def shorten(point: dict[str, Any]) -> None:
        for wire in (point["wire"], *(block["wire"] for block in point["blocks"])):
            wire["tx_bytes_per_node"] = wire["tx_bytes_per_node"][:1]
            wire["rx_bytes_per_node"] = wire["rx_bytes_per_node"][:1]

    row = _edited(shorten)
    assert row.verdict is Verdict.UNSURE
    assert "wire is not of the 4 nodes" in row.reason


def test_bytes_of_other_nodes_in_one_block_are_no_crash() -> None:
    row = _edited(lambda point: point["blocks"][0]["wire"].update(tx_bytes_per_node=[1.0]))
    assert row.verdict is Verdict.UNSURE


def test_a_counter_that_one_block_does_not_name_is_gone() -> None:
    row = _edited(lambda point: point["blocks"][1].update(errors={}))
    assert row.verdict is Verdict.UNSURE
    assert "lacks errors.drops" in row.reason
