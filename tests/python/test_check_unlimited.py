"""What a required row owes though no limit judges its time: it ran, as often as planned and right.

And what a row with a limit owes beside its interval.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import RootModel

from altered import GOOD, Document, document, judged
from busbar.check import Verdict
from busbar.record.figures import figures
from busbar.record.models import Block
from factories import KIB, MIB, Row

UNLIMITED = Row("gather", 4 * MIB, 0.9)


def test_a_row_in_fewer_launches_than_planned_is_unsure() -> None:
    row = Row("gather", 4 * MIB, 0.9, launches=1)
    found = judged(document([GOOD, row])).rows[1]
    assert found.verdict is Verdict.UNSURE
    assert found.reason.startswith("Measured in 1 of 5 planned launches")


@pytest.mark.parametrize("row", [GOOD, UNLIMITED])
@pytest.mark.parametrize("checked", [None, 0])
def test_results_that_nobody_looked_at_are_unsure(row: Row, checked: int | None) -> None:
    changed = document([row])
    for block in changed["points"][0]["blocks"]:
        if checked is None:
            block.update(verified="waived", wrong_elements=None)
        block["checked_elements"] = checked
    changed["points"][0]["checked_elements"] = checked
    if checked is None:
        changed["points"][0].update(verified="waived", wrong_elements=None)
    found = judged(changed).rows[0]
    assert found.verdict is Verdict.UNSURE
    assert "not verified" in found.reason


def test_a_point_is_as_verified_as_its_blocks() -> None:
    changed = document()
    changed["points"][0]["blocks"][2].update(verified="waived")
    assert judged(changed).rows[0].verdict is Verdict.UNSURE


def test_nothing_to_check_is_no_doubt() -> None:
    changed = document([GOOD, Row("barrier", 0)])
    assert changed["points"][1]["blocks"][0]["checked_elements"] == 0
    assert judged(changed).rows[1].verdict is Verdict.UNJUDGED


def test_what_is_optional_owes_nothing() -> None:
    row = Row("gather", 4 * MIB, 0.9, launches=1, need="optional")
    assert judged(document([GOOD, row])).rows[1].verdict is Verdict.UNJUDGED


def test_times_that_nothing_judges_may_stray() -> None:
    """Launches of small messages do, on sound systems: nothing rests on them."""
    row = Row("gather", 8 * KIB, 0.9, spread=0.4)
    assert judged(document([GOOD, row])).rows[1].verdict is Verdict.UNJUDGED


def _slowed(slow: int, factor: float) -> Document:
    """The sound row in twenty launches, of which some took that many times as long."""
    changed = document(launches=20)
    point = changed["points"][0]
    for block in point["blocks"][:slow]:
        block["samples_us"] = [factor * us for us in block["samples_us"]]
    blocks = [Block.model_validate_json(json.dumps(block)) for block in point["blocks"]]
    for name, value in vars(figures(blocks, blocks, point["algorithm_bytes"], 1.0)).items():
        if name != "wire":
            point[name] = json.loads(RootModel[Any](value).model_dump_json())
    return changed


@pytest.mark.parametrize(
    ("slow", "factor", "verdict"),
    [(5, 1.24, Verdict.UNSURE), (1, 1.20, Verdict.UNSURE), (1, 1.05, Verdict.PASS)],
)
def test_a_launch_well_below_the_limit_is_not_left_out(
    slow: int, factor: float, verdict: Verdict
) -> None:
    (row,) = judged(_slowed(slow, factor)).rows
    assert row.verdict is verdict, row.reason
    assert verdict is Verdict.PASS or row.reason.startswith("Launch 0 reached ")
