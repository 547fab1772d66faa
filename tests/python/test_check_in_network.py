"""Runs with reduction in the network: what is judged, what is called out, what was gained."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from busbar import fabrics
from busbar.check import CheckResult, RowResult, Verdict
from busbar.check import check as judge
from busbar.check.gain import GainRow
from busbar.check.table import print_result
from busbar.errors import ExitCode
from busbar.fabrics import Limit
from busbar.record.fold import fold
from busbar.record.models import RunRecord
from busbar.theory.bound import bound
from factories import (
    BURST_BYTES,
    IN_NETWORK,
    RATE_BYTES_PER_US,
    WIRE_PER_PAYLOAD,
    Example,
    Row,
    block_line,
    journal_lines,
    launch_line,
    record_of,
)

MIB = 1 << 20
SIZE = 4 * MIB
AT_LEAST = {"op": "all_reduce", "variant": IN_NETWORK, "from": "1M", "at_least": 0.9, "reason": "x"}
STAR = fabrics.load("emulated-4x400m").model_copy(
    update={"limits": [Limit.model_validate(AT_LEAST)]}
)
ASKED = Row("all_reduce", SIZE, 0.97, variant=IN_NETWORK)
BY_HOSTS = Row("all_reduce", SIZE, 0.9)


def _check(document: RunRecord) -> CheckResult:
    return judge(document, STAR, accept_fake=True)


def _row(row: Row, **fields: Any) -> tuple[RowResult, ExitCode]:
    result = _check(record_of([row], **fields))
    (only,) = result.rows
    return only, result.exit_code


# Verdicts


def test_it_is_judged_against_the_bound_in_the_network() -> None:
    row, code = _row(ASKED)
    assert (row.verdict, code) == (Verdict.PASS, ExitCode.HOLDS)
    assert row.bound is not None
    assert row.bound.time_us == pytest.approx(
        (SIZE * WIRE_PER_PAYLOAD - BURST_BYTES) / RATE_BYTES_PER_US, rel=1e-3
    )


def test_slower_than_its_limit_fails() -> None:
    row, code = _row(Row("all_reduce", SIZE, 0.8, variant=IN_NETWORK))
    assert (row.verdict, code) == (Verdict.FAIL, ExitCode.NEGATIVE)


def test_faster_than_the_links_is_impossible_there_too() -> None:
    row, _ = _row(Row("all_reduce", SIZE, 1.3, variant=IN_NETWORK))
    assert row.verdict is Verdict.IMPOSSIBLE


def test_asked_for_and_shown_not_to_have_happened() -> None:
    row, code = _row(Row("all_reduce", SIZE, 0.97, variant=IN_NETWORK, wire_share=1.5))
    assert (row.verdict, code) == (Verdict.NOT_USED, ExitCode.NEGATIVE)
    assert row.reason.startswith("Variant in_network asks for reduction in the network, and hosts")
    assert "6.05 times the size" in row.reason


def test_not_asked_for_and_shown_to_have_happened() -> None:
    row, code = _row(Row("all_reduce", SIZE, 0.97, wire_share=1.0))
    assert (row.verdict, code) == (Verdict.NOT_USED, ExitCode.NEGATIVE)
    assert row.reason.startswith("Variant default does not ask for it, and the network did it")


def test_what_bytes_cannot_tell_is_unsure_and_names_what_would() -> None:
    row, code = _row(Row("all_reduce", 1024, variant=IN_NETWORK))
    assert (row.verdict, code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    assert row.reason == (
        "Not shown to be reduced in the network: 1K are too few to stand out: measure 32K or more."
    )


def test_a_barrier_in_the_network_needs_a_log() -> None:
    row, _ = _row(Row("barrier", 0, variant=IN_NETWORK))
    assert row.verdict is Verdict.UNSURE
    assert "log of the library" in row.reason


def test_a_log_settles_what_bytes_cannot() -> None:
    row, _ = _row(Row("all_reduce", 1024, variant=IN_NETWORK, in_network=True))
    assert row.verdict is Verdict.UNJUDGED
    row, code = _row(Row("all_reduce", 1024, variant=IN_NETWORK, in_network=False))
    assert (row.verdict, code) == (Verdict.NOT_USED, ExitCode.NEGATIVE)


def test_a_log_and_bytes_that_differ_prove_nothing() -> None:
    document = record_of([Row("all_reduce", SIZE, 0.97, variant=IN_NETWORK, in_network=False)])
    assert document.points[0].observed.in_network is None
    result = _check(document)
    assert [row.verdict for row in result.rows] == [Verdict.UNSURE]
    assert "contradicts itself" in result.rows[0].reason


def test_what_switches_cannot_do_is_not_proven() -> None:
    row, _ = _row(Row("all_to_all", SIZE, 0.97, variant=IN_NETWORK))
    assert row.verdict is Verdict.UNSURE
    assert "nothing to reduce or copy in all_to_all" in row.reason


def test_worse_verdicts_come_first() -> None:
    wrong = Row("all_reduce", SIZE, variant=IN_NETWORK, wire_share=1.5, wrong_elements=1)
    assert _row(wrong)[0].verdict is Verdict.WRONG_DATA
    assert _row(Row("all_reduce", SIZE, variant=IN_NETWORK, hang=True))[0].verdict is Verdict.HANG


def test_a_way_around_the_links_is_impossible_in_the_network_too() -> None:
    row, _ = _row(Row("all_reduce", SIZE, 0.97, variant=IN_NETWORK, wire_share=0.01))
    assert row.verdict is Verdict.IMPOSSIBLE
    assert "another way" in row.reason


def test_a_fabric_that_does_not_say_it_can_is_noted() -> None:
    plain = STAR.model_copy(update={"in_network": None})
    result = judge(record_of([ASKED]), plain, accept_fake=True)
    assert any("does not say that its switches reduce" in note for note in result.notes)


def test_aggregators_are_in_no_group() -> None:
    lines = journal_lines(Example(rows=[ASKED], launches=2))
    for index, line in enumerate(lines):
        if line.type == "launch":
            extra = line.processes[0].model_copy(
                update={"rank": 4, "host": "switch-agg", "role": "aggregator"}
            )
            lines[index] = line.model_copy(update={"processes": [*line.processes, extra]})
    document = fold(lines)
    assert document.points[0].observed.in_network is True
    (row,) = _check(document).rows
    assert row.verdict is Verdict.PASS
    assert _check(document).gains[0].hosts == 4


# The record


def test_the_record_has_the_bytes_of_each_hypothesis() -> None:
    point = record_of([ASKED]).points[0]
    assert point.wire is not None
    assert point.wire.expected["in the network"] == SIZE
    assert point.wire.expected["ring"] == 1.5 * SIZE
    assert any(text.startswith("bytes counted: the hosts") for text in point.observed.how)


def test_hosts_are_shown_to_be_hosts() -> None:
    point = record_of([BY_HOSTS]).points[0]
    assert point.observed.in_network is False


def test_launches_on_other_hosts_prove_nothing() -> None:
    lines = journal_lines(Example(rows=[ASKED], launches=2))
    at = next(n for n, line in enumerate(lines) if line.type == "launch" and line.launch == 1)
    moved = launch_line(1)
    others = [p.model_copy(update={"host": f"other{p.rank}"}) for p in moved.processes]
    lines[at] = moved.model_copy(update={"processes": others})
    point = fold(lines).points[0]
    assert point.observed.in_network is None
    assert point.wire is not None
    assert point.wire.expected == {}


# Gains


def _gains(*rows: Row, **fields: Any) -> tuple[GainRow, ...]:
    return _check(record_of(rows, **fields)).gains


def test_a_gain_for_each_baseline_best_first() -> None:
    slow = Row("all_reduce", SIZE, 0.6)
    ring = Row("all_reduce", SIZE, 0.9, variant="ring")
    (row,) = _gains(slow, ring, ASKED)
    assert [(g.baseline, g.kind) for g in row.gains] == [
        ("ring", "best"), ("default", "variant"), ("ring at its bound", "bound")
    ]  # fmt: skip
    times = {  # the network takes 1/1.5 of the ring's bytes
        "ring": 1.508 / 0.9 * 0.97, "default": 1.508 / 0.6 * 0.97, "ring at its bound": 1.508 * 0.97
    }  # fmt: skip
    for gain in row.gains:
        assert gain.ratio == pytest.approx(times[gain.baseline], rel=0.02)
        assert gain.ci95 is not None
        assert gain.ci95[0] < gain.ratio < gain.ci95[1]
    assert row.most is not None
    assert row.most.gain == pytest.approx(1.508, rel=1e-3)
    assert row.sent_over_size == pytest.approx(1.009, rel=1e-3)
    assert (row.hosts, row.in_network) == (4, True)


def test_gains_are_paired_by_launch() -> None:
    """Launches that differ by a factor of two, both variants alike: the gain does not vary."""
    lines = journal_lines(Example(rows=[BY_HOSTS, ASKED], launches=1))[:1]
    for launch, drift in enumerate((1.0, 2.0, 1.3)):
        lines.append(launch_line(launch))
        lines.append(block_line(BY_HOSTS, launch, [3e5 * drift] * 3))
        lines.append(block_line(ASKED, launch, [2e5 * drift] * 3))
    (row,) = _check(fold(lines)).gains
    best = row.gains[0]
    assert best.ratio == pytest.approx(1.5)
    assert best.ci95 == pytest.approx((1.5, 1.5))


def test_launches_of_different_environments_are_paired_in_their_order() -> None:
    lines = journal_lines(Example(rows=[BY_HOSTS, ASKED], launches=1))[:1]
    for launch, (row, time_us) in enumerate([(BY_HOSTS, 3e5), (ASKED, 2e5)] * 2):
        lines.append(launch_line(launch))
        lines.append(block_line(row, launch, [time_us] * 3))
    (row,) = _check(fold(lines)).gains
    assert row.gains[0].ratio == pytest.approx(1.5)
    assert row.gains[0].ci95 == pytest.approx((1.5, 1.5))


def test_one_launch_has_a_gain_without_an_interval() -> None:
    (row,) = _gains(BY_HOSTS, ASKED, launches=1)
    assert row.gains[0].ci95 is None


def test_what_hosts_did_is_no_gain() -> None:
    assert _gains(BY_HOSTS, Row("all_reduce", SIZE, variant=IN_NETWORK, wire_share=1.5)) == ()
    assert _gains(BY_HOSTS) == ()
    (row,) = _gains(Row("all_reduce", SIZE, wire_share=1.0), ASKED)  # no baseline of hosts
    assert [gain.kind for gain in row.gains] == ["bound"]


def test_the_table_has_the_gains_and_fits_100_columns() -> None:
    rows = [BY_HOSTS, Row("all_reduce", SIZE, 0.9, variant="ring"), ASKED]
    rows += [Row("reduce_scatter", SIZE, variant=v) for v in ("default", IN_NETWORK)]
    rows += [Row("all_reduce", 1024, variant=IN_NETWORK)]
    console = Console(width=100, record=True, file=StringIO())
    print_result(console, _check(record_of(rows)))
    text = console.export_text()
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "…" not in text
    for word in ("Gain of variant in_network", "ring at its bound", "(best)", "1.51",
                 "Not proven to be reduced in the network: all_reduce 1K."):  # fmt: skip
        assert word in text


def test_no_gain_no_table() -> None:
    console = Console(width=100, record=True, file=StringIO())
    print_result(console, _check(record_of([BY_HOSTS])))
    assert "Gain of" not in console.export_text()


def test_the_bound_in_the_network_is_that_of_theory() -> None:
    own = bound(STAR, "all_reduce", SIZE, STAR.placement(), in_network=True)
    assert _row(ASKED)[0].bound == own
