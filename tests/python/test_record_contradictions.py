"""Records that contradict themselves are none."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from busbar.launch.plans.document import Stage
from busbar.record.models import RunRecord
from factories import MIB, Row, record_of

Document = dict[str, Any]


def _fake_launch(document: Document) -> None:
    document["launches"][1]["fake"] = True


def _waives_verification(document: Document) -> None:
    document["run"]["simulated"] = True


def _hides_emulation(document: Document) -> None:
    document["run"].update(on="hostfile", emulated=False)


def _one_launch_twice(document: Document) -> None:
    document["launches"].append(document["launches"][0])


def _a_row_twice(document: Document) -> None:
    again = copy.deepcopy(document["run"]["plan"]["rows"][0])
    again.update(need="waived", evidence="agreed")
    document["run"]["plan"]["rows"].append(again)


def _blank_evidence(document: Document) -> None:
    document["run"]["plan"]["rows"][0].update(need="waived", evidence=" \t")


@pytest.mark.parametrize(
    ("spoil", "culprit"),
    [
        (_fake_launch, "launch that was fake"),
        (_waives_verification, "simulated"),
        (_hides_emulation, "emulation"),
        (_one_launch_twice, "launch 0 is described twice"),
        (_a_row_twice, "planned twice"),
        (_blank_evidence, "evidence"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(
    spoil: Callable[[Document], None], culprit: str
) -> None:
    document = record_of([Row("send_recv", 4 * MIB)], overrides={"fake": False}).model_dump()
    RunRecord.model_validate(document)
    spoil(document)
    with pytest.raises(ValidationError, match=culprit):
        RunRecord.model_validate(document)


def test_a_stage_is_not_waived_by_blanks() -> None:
    measure = [{"operations": ["all_reduce"], "sizes": ["large"]}]
    with pytest.raises(ValidationError, match="evidence"):
        Stage.model_validate({
            "name": "it", "groups": "all", "measure": measure, "need": "waived", "evidence": " ",
        })  # fmt: skip
