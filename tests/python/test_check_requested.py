"""What a variant asks for must be what launches were given, and what ran."""

from __future__ import annotations

import pytest

from altered import GOOD, Document, document, judged
from busbar.check import Verdict
from factories import MIB, Row

RING = Row("all_reduce", 4 * MIB, 0.97, variant="ring")


def _asking(
    settings: dict[str, str], environment: dict[str, str], ran: str | None = None
) -> Document:
    """A sound row of variant `ring`, whose launches have what it asks for."""
    changed = document([RING, GOOD])
    variant = next(v for v in changed["run"]["plan"]["variants"] if v["name"] == "ring")
    variant.update(settings=settings, environment=environment)
    own = [{**launch, "id": launch["id"] + 5, "slot": launch["slot"] + 5,
            "variant_environment": environment,
            "settings": {**launch["settings"], **environment}}
           for launch in changed["launches"]]  # fmt: skip
    changed["launches"] += own
    changed["points"][0]["observed"]["algorithm"] = ran
    for block in changed["points"][0]["blocks"]:
        block["launch"] += 5
        block["observed"]["algorithm"] = ran
    return changed


@pytest.mark.parametrize(
    ("settings", "environment"),
    [({"algorithm": "ring"}, {}), ({}, {"NCCL_ALGO": "Ring"}), ({"algorithm": "RING"}, {})],
)
@pytest.mark.parametrize(
    ("ran", "verdict"),
    [("RING", Verdict.PASS), ("Tree", Verdict.NOT_USED), (None, Verdict.PASS)],
)
def test_another_algorithm_than_the_one_asked_for(
    settings: dict[str, str], environment: dict[str, str], ran: str | None, verdict: Verdict
) -> None:
    row = judged(_asking(settings, environment, ran)).rows[0]
    assert row.verdict is verdict, row.reason


@pytest.mark.parametrize("asked", ["^Tree", "Ring,Tree", "allreduce:ring"])
def test_a_choice_left_to_the_library_is_no_name(asked: str) -> None:
    assert judged(_asking({}, {"NCCL_ALGO": asked}, "NVLS")).rows[0].verdict is Verdict.PASS


def test_names_of_the_log_are_those_of_the_variable() -> None:
    found = judged(_asking({}, {"NCCL_ALGO": "NVLSTree"}, "NVLS_TREE")).rows[0]
    assert found.verdict is Verdict.PASS


def test_a_launch_that_was_given_something_else_is_named() -> None:
    changed = _asking({}, {"NCCL_ALGO": "Ring"})
    changed["launches"][7]["variant_environment"] = {}
    row = judged(changed).rows[0]
    assert row.verdict is Verdict.UNSURE
    assert row.reason.startswith("Launch 7 was given other variables than variant ring")


@pytest.mark.parametrize(
    ("variable", "verdict"),
    [
        ("NCCL_ALGO", Verdict.UNSURE),
        # Neither is in any record.
        ("SMPI_ALLREDUCE", Verdict.PASS),
        ("UCX_IB_PKEY", Verdict.PASS),
    ],
)
def test_a_variable_that_did_not_reach_the_ranks(variable: str, verdict: Verdict) -> None:
    changed = _asking({}, {variable: "Ring"})
    for launch in changed["launches"]:
        launch["settings"].pop(variable, None)
    row = judged(changed).rows[0]
    assert row.verdict is verdict
    assert verdict is Verdict.PASS or f"{variable}=Ring, and launch 5 had none" in row.reason
