"""Who is named where a launch does not go on."""

from __future__ import annotations

from typing import Any

from busbar.launch.hang import Member, explain_hang, explain_start, stuck_variants


def _report(rank: int, sequence: int, phase: str = "start", **more: Any) -> dict[str, Any]:
    return {
        "rank": rank, "host": f"host{rank}", "sequence": sequence, "phase": phase,
        "role": "worker", "operation": "all_reduce", "size_bytes": 8, "variant": "ring",
        "waits_for": None, **more,
    }  # fmt: skip


def _aggregator(rank: int, waits_for: int | str | None, phase: str = "operation") -> dict[str, Any]:
    more = {"role": "aggregator", "host": f"agg{rank}", "variant": None, "waits_for": waits_for}
    return _report(rank, 99, phase, **more)


def _members(workers: int, aggregators: int = 0) -> list[Member]:
    ranks = range(workers, workers + aggregators)
    first = [Member(rank, "worker", f"host{rank}") for rank in range(workers)]
    return [*first, *(Member(rank, "aggregator", f"agg{rank}") for rank in ranks)]


def test_a_hang_names_who_did_not_arrive() -> None:
    three, two = _members(3), _members(2)
    behind = explain_hang("late", [_report(0, 9), _report(1, 7, "prepare"), _report(2, 9)], three)
    assert "rank 1 (host1) did not arrive" in behind
    assert "all_reduce of 8 bytes, variant ring" in behind
    assert "prepare" in behind
    silent = explain_hang("late", [_report(0, 9), _report(2, 9)], three)
    assert "rank 1 (host1) did not arrive (silent)" in silent
    assert "all ranks wait" in explain_hang("late", [_report(0, 9), _report(1, 9)], two)
    assert "no rank" in explain_hang("late", [], two)
    many = explain_hang("late", [_report(0, 9)], _members(1000))
    assert "rank 1 (host1), 2 (host2)" in many
    assert "and 991 more" in many


def test_a_hang_in_a_group_blames_nobody_outside() -> None:
    """Ranks outside are idle: one that speaks has been through fewer phases, with good reason."""
    reports = [_report(0, 9), _report(1, 9), _report(2, 3, "idle")]
    assert "all ranks wait in phase start" in explain_hang("late", reports, _members(2))


def test_a_silent_aggregator_is_named() -> None:
    members, trees = _members(2, 2), {"ring"}
    both = [_report(0, 9, "operation"), _report(1, 9, "operation")]
    told = explain_hang("late", [*both, _aggregator(2, 3)], members, trees)
    assert "aggregator rank 3 (agg3) did not arrive (silent)" in told
    assert "aggregator rank 2 (agg2) waits for aggregator rank 3 (agg3)." in told
    # It is idle, and silent, while host algorithms run and while workers meet.
    assert "aggregator" not in explain_hang("late", both, members)
    meeting = [_report(0, 9), _report(1, 8)]
    assert "rank 1 (host1) did not arrive" in explain_hang("late", meeting, members, trees)


def test_an_aggregator_that_waits_is_a_witness() -> None:
    members, trees = _members(2, 2), {"ring"}
    leaf, spine = _aggregator(2, 1), _aggregator(3, 2)
    silent = explain_hang("late", [leaf, spine, _report(0, 9, "operation")], members, trees)
    assert "variant ring: rank 1 (host1) did not arrive (silent)" in silent
    assert silent.endswith("; aggregator rank 2 (agg2) waits for rank 1 (host1).")
    reports = [_report(0, 9, "operation"), _report(1, 7, "prepare"), leaf, spine]
    behind = explain_hang("late", reports, members, trees)
    assert "rank 1 (host1) did not arrive, it is in phase prepare; aggregator rank 2" in behind
    equal = [_report(0, 9, "operation"), _report(1, 9, "operation"), _aggregator(2, "host1"), spine]
    told = explain_hang("late", equal, members, trees)
    assert "all ranks wait in phase operation" in told
    assert "aggregator rank 2 (agg2) waits for host1" in told
    stuck = stuck_variants([leaf, _report(0, 9), _report(1, 9, variant="default")])
    assert stuck == {"ring", "default"}
    assert stuck_variants([leaf]) == set()


def test_a_launch_that_does_not_begin_names_the_hosts_that_said_nothing() -> None:
    starting = {"rank": None, "host": "host1", "sequence": 0, "phase": "init", "operation": None}
    told = explain_start("late", [starting], ["host1", "host2", "switch-agg"])
    assert "in initialisation: nothing was heard from host2, switch-agg" in told
    assert "who is missing" in explain_start("late", [starting], ["localhost"])
    assert "no rank" in explain_start("late", [], ["host1"])
