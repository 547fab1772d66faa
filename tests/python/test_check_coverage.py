"""A part of a system is not taken for the whole."""

from __future__ import annotations

import pytest
from clusters import Spec

from altered import GOOD, STAR, document, judged
from busbar.check import Verdict
from busbar.errors import ExitCode
from busbar.fabrics import Fabric

_SENTENCE = "Measured were 4 of the 64 hosts of fabric emulated-4x400m."


def _of(hosts: int) -> Fabric:
    assert STAR.hosts is not None
    return Fabric.model_validate(
        STAR.model_copy(update={"hosts": STAR.hosts.model_copy(update={"count": hosts})})
        .model_dump(mode="json", by_alias=True)
    )  # fmt: skip


@pytest.mark.parametrize("stage", [None, "full system"])
def test_four_of_64_hosts_are_no_whole_system(stage: str | None) -> None:
    changed = document()
    changed["run"]["plan"]["rows"][0]["stage"] = stage
    result = judged(changed, _of(64))
    assert _SENTENCE in result.notes
    if stage is None:  # a sweep says what it is of, and that is all
        assert result.exit_code is ExitCode.HOLDS
        return
    assert result.exit_code is ExitCode.INCOMPLETE
    row = result.rows[-1]
    assert (row.verdict, row.label) == (Verdict.MISSING, "full system: whole of it")
    assert row.reason.startswith(_SENTENCE[:-1])


@pytest.mark.parametrize(("need", "group"), [("optional", "all"), ("required", "first 4 hosts")])
def test_nothing_is_asked_of_all_hosts_where_the_plan_does_not(need: str, group: str) -> None:
    changed = document()
    changed["run"]["plan"]["rows"][0].update(stage="some", need=need)
    changed["run"]["plan"]["rows"][0]["key"]["group"]["name"] = group
    changed["points"][0]["key"]["group"]["name"] = group
    assert judged(changed, _of(64)).exit_code is ExitCode.HOLDS


def test_all_hosts_are_the_whole_system() -> None:
    changed = document()
    changed["run"]["plan"]["rows"][0]["stage"] = "full system"
    result = judged(changed, _of(4))
    assert (result.exit_code, result.notes) == (ExitCode.HOLDS, ())


def test_gpus_that_no_rank_has_are_missing_too() -> None:
    changed = document([GOOD])
    changed["run"].update(emulation=None, on="slurm", emulated=False)
    for point in changed["points"]:
        point["key"]["memory"] = "gpu"
    changed["run"]["plan"]["rows"][0]["key"]["memory"] = "gpu"
    fabric = Spec(nodes=5).fabric()
    notes = judged(changed, fabric).notes
    assert "Measured were 4 of the 5 hosts and 4 of the 40 GPUs of fabric made up." in notes
