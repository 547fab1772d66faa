"""Claims: sizes that have no figure, and figures that cannot be trusted, on either side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from busbar import fabrics
from busbar.claims.judge import ClaimResult, Measured, Outcome, judge
from busbar.claims.model import Claim
from busbar.record.models import RunRecord
from factories import IN_NETWORK, MIB, Row, record_of

FABRIC = fabrics.load("emulated-4x400m")
SIZES = (MIB, 2 * MIB, 4 * MIB)
GAIN = {"compare": "in_network", "baseline": "best", "at_least": 1.4}
TUNED = {"compare": "variants", "variant": "ring", "baseline": "default", "at_least": 1.5}
SHARE = {"compare": "bound", "variant": "ring", "at_least": 0.95}
RECORDS = {"compare": "records", "variant": "ring", "at_least": 1.5}


def _judge(figure: dict[str, Any], *records: RunRecord, **scenario: Any) -> ClaimResult:
    claim = Claim.model_validate({
        "name": "it", "claim": "it is fast", "source": "a test", "how": "measure",
        "scenario": {"operations": ["all_reduce"], "from": "1M", "least_nodes": 4} | scenario,
        "figure": [figure],
    })  # fmt: skip
    measured = [Measured(f"{n}.json", one, FABRIC) for n, one in enumerate(records, start=1)]
    return judge(claim, measured, accept_fake=True)


def _record(
    claimed: dict[str, Any], baseline: dict[str, Any], middle: str, trouble: dict[str, Any]
) -> RunRecord:
    """Two variants at three sizes, with the trouble of one at the size in the middle."""
    return record_of(
        Row("all_reduce", size, **(own | (trouble if size == 2 * MIB and side == middle else {})))
        for size in SIZES
        for side, own in (("baseline", baseline), ("claimed", claimed))
    )


COMPARISONS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "in_network": (GAIN, {"variant": IN_NETWORK}, {}),
    "variants": (TUNED, {"variant": "ring"}, {"efficiency": 0.5}),
    "bound": (SHARE, {"variant": "ring", "efficiency": 0.985}, {}),
    "records": (RECORDS, {"variant": "ring"}, {}),
}


def _of(kind: str, side: str, trouble: dict[str, Any]) -> ClaimResult:
    figure, claimed, baseline = COMPARISONS[kind]
    if kind != "records":
        return _judge(figure, _record(claimed, baseline, side, trouble))
    slow = claimed | {"efficiency": 0.5}
    healthy = {"variant": "default"}
    return _judge(
        figure,
        _record(claimed, healthy, "claimed", trouble if side == "claimed" else {}),
        _record(slow, healthy, "claimed", trouble if side == "baseline" else {}),
    )


@pytest.mark.parametrize("kind", COMPARISONS)
@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        ({}, Outcome.HOLDS),
        ({"hang": True}, Outcome.DOES_NOT_HOLD),
        ({"wrong_elements": 1}, Outcome.DOES_NOT_HOLD),
        ({"launches": 0}, Outcome.UNSURE),
        ({"launches": 4}, Outcome.UNSURE),
        ({"spoiled": 20}, Outcome.UNSURE),
        ({"launches": 0, "need": "optional"}, Outcome.HOLDS),
        ({"launches": 0, "need": "waived", "evidence": "not there"}, Outcome.HOLDS),
    ],
)
def test_a_claim_rests_on_every_size_that_the_plan_required(
    kind: str, trouble: dict[str, Any], outcome: Outcome
) -> None:
    assert _of(kind, "claimed", trouble).outcome is outcome


@pytest.mark.parametrize("kind", ["in_network", "variants", "records"])
@pytest.mark.parametrize(
    "trouble",
    [{"hang": True}, {"wrong_elements": 1}, {"launches": 0}, {"launches": 4}, {"spoiled": 20}],
)
def test_a_baseline_that_cannot_be_trusted_proves_no_claim(
    kind: str, trouble: dict[str, Any]
) -> None:
    assert _of(kind, "baseline", trouble).outcome is Outcome.UNSURE


def test_a_size_that_hosts_carried_out_is_not_skipped() -> None:
    result = _of("in_network", "claimed", {"wire_share": 1.5})
    assert [one.outcome for one in result.tested].count(Outcome.UNSURE) == 1
    assert result.outcome is Outcome.UNSURE


def test_a_hang_that_never_answered_is_found_by_its_ranks() -> None:
    record = _record({"variant": "ring"}, {"efficiency": 0.5}, "claimed", {"hang": True})
    unanswered = [
        point.model_copy(update={"key": point.key.planned()}) if not point.blocks else point
        for point in record.points
    ]
    seen = record.model_copy(update={"points": unanswered})
    assert _judge(TUNED, seen).outcome is Outcome.DOES_NOT_HOLD
    assert _judge(TUNED, seen, least_nodes=5).outcome is Outcome.NOT_TESTED


def _unverified(block: dict[str, Any]) -> None:
    block.update(verified="waived", wrong_elements=None, checked_elements=None)


def _throttled(block: dict[str, Any]) -> None:
    block.update(throttled=True)


@pytest.mark.parametrize("variant", ["default", "ring"])
@pytest.mark.parametrize("spoil", [_unverified, _throttled])
def test_what_check_would_not_accept_proves_no_claim(
    variant: str, spoil: Callable[[dict[str, Any]], None]
) -> None:
    record = record_of([Row("all_reduce", 4 * MIB, 0.5), Row("all_reduce", 4 * MIB, 0.97, "ring")])
    document = record.model_dump(mode="json")
    for point in document["points"]:
        for block in point["blocks"]:
            if point["key"]["variant"] == variant:
                spoil(block)
    assert _judge(TUNED, record).outcome is Outcome.HOLDS
    assert _judge(TUNED, RunRecord.model_validate(document)).outcome is Outcome.UNSURE


def test_simulated_runs_verify_nothing_of_large_messages() -> None:
    record = record_of([Row("all_reduce", 4 * MIB, 0.5), Row("all_reduce", 4 * MIB, 0.97, "ring")])
    document = record.model_dump(mode="json")
    document["run"].update(on="simulated", simulated=True, emulated=False, emulation=None)
    for point in document["points"]:
        _unverified(point)
        for block in point["blocks"]:
            _unverified(block)
    assert _judge(TUNED, RunRecord.model_validate(document)).outcome is Outcome.HOLDS


def test_a_scenario_is_meant_word_for_word() -> None:
    fast = record_of([Row("all_reduce", 4 * MIB, 0.97, "ring")], overrides={"scenario": "loss"})
    for told, outcome in (
        ("loss", Outcome.HOLDS), ("no loss", Outcome.NOT_TESTED), (None, Outcome.NOT_TESTED)
    ):  # fmt: skip
        slow = record_of([Row("all_reduce", 4 * MIB, 0.5, "ring")], overrides={"scenario": told})
        assert _judge(RECORDS, fast, slow, scenario="loss").outcome is outcome


def test_every_operation_of_a_claim_has_to_be_measured() -> None:
    record = record_of([Row("all_reduce", 4 * MIB, 0.985, "ring")])
    assert _judge(SHARE, record).outcome is Outcome.HOLDS
    result = _judge(SHARE, record, operations=["all_reduce", "all_gather"])
    assert result.outcome is Outcome.NOT_TESTED
    assert "all_gather" in result.missing[0] and "all_reduce" not in result.missing[0]
