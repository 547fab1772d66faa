"""Rows whose ranks theory places, and rows that it cannot place: no verdict is lost."""

from __future__ import annotations

import pytest
from clusters import Spec

from altered import GOOD, STAR, Document, document, judged
from busbar.check import Verdict
from busbar.errors import ExitCode
from busbar.fabrics import Fabric, Limit
from busbar.theory.bound import bound, unknown_because
from factories import IN_NETWORK, MIB, Row

FILLED = ["n1", "n1", "n2", "n2"]
IN_TURN = ["n1", "n2", "n1", "n2"]
BOXES = Spec(nodes=2).fabric().model_copy(
    update={
        "limits": [
            Limit.model_validate({"op": op, "from": "1M", "at_least": 0.5, "reason": "agreed"})
            for op in ("all_reduce", "send_recv")
        ]
    }
)  # fmt: skip


def _on(hosts: list[str], row: Row, fabric: Fabric = BOXES) -> Document:
    """A record of a row on these hosts, in a hundredth of the time that their links allow."""
    changed = document([row])
    changed["run"].update(fabric=fabric.name, emulation=None, on="slurm", emulated=False)
    for launch in changed["launches"]:
        for process, host in zip(launch["processes"], hosts, strict=True):
            process["host"] = host
    for point in changed["points"]:
        point["key"]["group"]["nodes"] = len(set(hosts))
        point["wire"] = None
        for block in point["blocks"]:
            block["wire"] = None
    return changed


@pytest.mark.parametrize("op", ["all_reduce", "all_gather", "all_to_all", "broadcast", "gather"])
@pytest.mark.parametrize(
    ("hosts", "root", "filled", "same_root"),
    [
        (IN_TURN, 1, FILLED, 2),
        (["n1", "n2", "n2", "n2"], 0, ["n2", "n2", "n2", "n1"], 3),
        (["n1", "n2", "n2", "n2"], 3, ["n2", "n2", "n2", "n1"], 2),
        (["n1", "n2", "n3"] * 2 + ["n2", "n3"], 0, ["n2"] * 3 + ["n3"] * 3 + ["n1"] * 2, 6),
    ],
)
def test_the_order_of_ranks_changes_no_bound(
    op: str, hosts: list[str], root: int, filled: list[str], same_root: int
) -> None:
    fabric = Spec(nodes=3).fabric()
    found = bound(fabric, op, MIB, hosts, root=root)
    assert found is not None
    assert found == bound(fabric, op, MIB, filled, root=same_root)


def test_an_operation_that_finds_its_partners_by_order_has_no_such_bound() -> None:
    assert bound(BOXES, "send_recv", MIB, IN_TURN) is None
    assert "do not fill hosts" in unknown_because(BOXES, "send_recv", IN_TURN)
    assert unknown_because(BOXES, "send_recv", FILLED) == ""
    assert unknown_because(BOXES, "all_reduce", IN_TURN) == ""
    assert unknown_because(BOXES, "barrier", IN_TURN) == ""


@pytest.mark.parametrize("hosts", [FILLED, IN_TURN, ["n1", "n2", "n2", "n2"]])
def test_ranks_dealt_out_in_any_order_are_judged(hosts: list[str]) -> None:
    (row,) = judged(_on(hosts, Row("all_reduce", 4 * MIB)), BOXES).rows
    assert row.verdict is Verdict.FAIL, row.reason


@pytest.mark.parametrize("needs_limit", [False, True])
def test_a_required_row_that_theory_cannot_place_is_unsure(needs_limit: bool) -> None:
    fabric = BOXES if not needs_limit else BOXES.model_copy(update={"limits": []})
    changed = _on(IN_TURN, Row("send_recv", 4 * MIB))
    changed["run"]["plan"]["rows"][0]["needs_limit"] = needs_limit
    result = judged(changed, fabric)
    (row,) = result.rows
    assert (row.verdict, result.exit_code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    assert "do not fill hosts one after another" in row.reason


def test_no_link_within_a_host_is_no_doubt() -> None:
    """Theory does not know too little here: it knows that nothing waits for a link."""
    changed = _on(["host1"] * 4, GOOD, STAR)
    changed["run"]["plan"]["rows"][0]["needs_limit"] = True
    (row,) = judged(changed).rows
    assert row.verdict is Verdict.UNJUDGED
    assert row.reason == "No byte of it has to wait for a link."


def test_what_switches_have_nothing_to_do_with_is_held_against_hosts() -> None:
    changed = document([GOOD, Row("all_to_all", 4 * MIB, 0.02, IN_NETWORK)])
    for block in changed["points"][1]["blocks"]:
        block["observed"]["in_network"] = True
    changed["points"][1]["observed"]["in_network"] = True
    limit = {"op": "all_to_all", "from": "1M", "at_least": 0.5, "reason": "agreed"}
    fabric = STAR.model_copy(update={"limits": [*STAR.limits, Limit.model_validate(limit)]})
    row = judged(changed, fabric).rows[1]
    assert row.verdict is Verdict.FAIL


def test_ranks_that_share_a_gpu_leave_a_limit_unanswered() -> None:
    changed = document()
    for launch in changed["launches"]:
        for process in launch["processes"]:
            process.update(gpu=0, host="host1" if process["rank"] < 2 else process["host"])
    for point in changed["points"]:
        point["key"]["group"]["nodes"] = 3
        point["wire"] = None
        for block in point["blocks"]:
            block["wire"] = None
    (row,) = judged(changed).rows
    assert row.verdict is Verdict.UNSURE
    assert "shared a GPU" in row.reason


def test_an_expected_time_that_is_not_known_leaves_its_limit_unanswered() -> None:
    limit = {"op": "all_reduce", "from": "1M", "of": "expected", "at_least": 0.9, "reason": "ours"}
    fabric = STAR.model_copy(update={"limits": [*STAR.limits, Limit.model_validate(limit)]})
    fabric = fabric.model_copy(update={"limits": fabric.limits[::-1], "latency": None})
    row = judged(document([GOOD, Row("all_reduce", 4 * MIB, 0.03)]), fabric).rows[1]
    assert row.verdict is Verdict.UNSURE
    assert "expected time, which is unknown" in row.reason
