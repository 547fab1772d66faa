"""The report of runs with reduction in the network: gains, bytes, proof, aggregators."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from busbar import fabrics
from busbar.check import Verdict
from busbar.record.fold import fold
from busbar.record.key import Group
from busbar.record.lines import BlockLine, JournalLine, LaunchLine, RunLine
from busbar.record.models import RunRecord, Wire
from busbar.report.axes import ratio_axis
from busbar.report.figures import bandwidth_figure
from busbar.report.gain_figures import above_top, gain_figure, study_figures, wire_figure
from busbar.report.gains import Study, studies, theory_from
from busbar.report.headline import headline
from busbar.report.judge import judge
from busbar.report.legend import study_legends
from busbar.report.page import Source, render
from busbar.report.panels import CurveNames, panels
from busbar.report.rows import Grade, Judged
from busbar.report.static import draw
from busbar.report.system import system_view
from busbar.report.text import DASH, TIMES
from factories import IN_NETWORK, KIB, MIB, Example, Row, journal_lines, record_of

FABRIC = fabrics.load("emulated-4x400m")
SIZES = (64 * KIB, 256 * KIB, MIB, 4 * MIB)
REPORTED = "busbar reduced on switch-agg: 1 tree(s), levels 1, chunk 32768 bytes, window 8"


def rows_of(*sizes: int) -> list[Row]:
    """all_reduce by two variants of the hosts, the second better at large sizes, and reduced."""
    return [
        row
        for size in sizes
        for row in (
            Row("all_reduce", size, 0.6 if size > MIB else 0.9),
            Row("all_reduce", size, 0.8, variant="ring"),
            Row("all_reduce", size, 0.97, variant=IN_NETWORK),
        )
    ]


def on_groups(rows: Sequence[Row], hosts: Sequence[int] = (2, 3, 4)) -> RunRecord:
    """Measured on the first hosts of four as well, beside one aggregator."""
    lines: list[JournalLine] = []
    for line in journal_lines(Example(rows=rows)):
        if isinstance(line, RunLine):
            lines.append(_planned(line, hosts))
        elif isinstance(line, LaunchLine):
            lines.append(_with_aggregator(line))
        elif isinstance(line, BlockLine):
            lines += [_first_hosts(line, count) for count in hosts]
        else:
            lines.append(line)
    return fold(lines)


def _planned(line: RunLine, hosts: Sequence[int]) -> RunLine:
    plan = line.run.plan
    rows = [
        row.model_copy(
            update={"key": row.key.model_copy(update={"group": _group(count).model_copy(
                update={"nodes": None})})}
        )
        for row in plan.rows
        for count in hosts
    ]  # fmt: skip
    run = line.run.model_copy(update={"plan": plan.model_copy(update={"rows": rows})})
    return line.model_copy(update={"run": run})


def _with_aggregator(line: LaunchLine) -> LaunchLine:
    extra = {"rank": 4, "host": "switch-agg", "role": "aggregator", "pid": 1}
    last = line.processes[0].model_copy(update=extra)
    return line.model_copy(update={"processes": [*line.processes, last]})


def _group(hosts: int) -> Group:
    name = "all" if hosts == 4 else f"first {hosts} hosts"
    return Group(name=name, ranks=f"0-{hosts - 1}", nodes=hosts)


def _first_hosts(line: BlockLine, hosts: int) -> BlockLine:
    """Hosts move 2(N-1)/N, not the 1.5 of four; what is reduced in the network does not change."""
    block, key = line.block, line.key.model_copy(update={"group": _group(hosts)})
    reduced = line.key.variant == IN_NETWORK
    share = 1.0 if reduced else (2 * (hosts - 1) / hosts) / 1.5
    counted = [value * share for value in (block.wire.tx_bytes_per_node if block.wire else [])
               if value is not None][:hosts]  # fmt: skip
    changes: dict[str, Any] = {
        "samples_us": [sample * share for sample in block.samples_us],
        "last_rank": [hosts - 1] * len(block.samples_us),
        "ranks": None,
        "wire": Wire(tx_bytes_per_node=counted, rx_bytes_per_node=counted),
    }
    if reduced:
        changes["observed"] = block.observed.model_copy(update={"how": [REPORTED]})
    return line.model_copy(update={"key": key, "block": block.model_copy(update=changes)})


def judged(document: RunRecord) -> Judged:
    return judge("run", document, FABRIC)


def study_of(document: RunRecord) -> Study:
    one = judged(document)
    (study,) = studies([one], CurveNames(one.rows))
    return study


def page_of(one: Judged) -> str:
    return render([one], [Source("run", "run.json", "0" * 64)])


@pytest.fixture(scope="module")
def grouped() -> RunRecord:
    return on_groups(rows_of(*SIZES))


# Gains.


def test_a_curve_for_each_baseline_and_the_theory(grouped: RunRecord) -> None:
    study = study_of(grouped)
    assert [group.name for group in study.groups] == ["all", "first 3 hosts", "first 2 hosts"]
    chart = study.groups[0].gain
    assert chart is not None
    assert [(curve.name, curve.kind) for curve in chart.curves] == [
        ("over the best host variant", "best"), ("over default", "variant"),
        ("over ring", "variant"), ("over ring at its bound", "bound"),
    ]  # fmt: skip
    best = [point.gain.baseline for point in chart.curves[0].points]
    assert best[-1] == "ring" and "default" in best
    assert len(chart.curves[1].points) == len(SIZES)


def test_theory_starts_where_bursts_no_longer_decide(grouped: RunRecord) -> None:
    study = study_of(grouped)
    assert study.most_from == theory_from(FABRIC) == 256 * KIB
    chart = study.groups[0].gain
    assert chart is not None
    (theory,) = chart.most
    assert [at for at, _ in theory] == [256 * KIB, MIB, 4 * MIB]
    assert theory[-1][1] == pytest.approx(1.508, rel=1e-3)
    assert [line.most is None for line in study.groups[0].lines] == [True, False, False, False]


def test_gain_over_hosts_has_the_theory_of_each_group(grouped: RunRecord) -> None:
    chart = study_of(grouped).over_hosts
    assert chart is not None
    # 2(N-1)/N, but for the burst of 64 KiB that each side need not send
    (theory,) = chart.most
    assert [at for at, _ in theory] == [2, 3, 4]
    assert [most for _, most in theory] == pytest.approx([1.0, 4 / 3, 1.5], rel=0.01)
    over_bound = next(curve for curve in chart.curves if curve.kind == "bound")
    ratios = [point.gain.ratio for point in over_bound.points]
    assert ratios == pytest.approx([0.97 * most for _, most in theory], rel=0.02)


def test_one_group_has_no_gain_over_hosts() -> None:
    study = study_of(record_of(rows_of(*SIZES)))
    assert (len(study.groups), study.over_hosts) == (1, None)
    assert study.groups[0].label == "all: 4 hosts"


def test_without_a_variant_that_asks_nothing_is_said() -> None:
    one = judged(record_of([Row("all_reduce", MIB)]))
    assert studies([one], CurveNames(one.rows)) == []
    page = page_of(one)
    assert 'id="in-network"' not in page
    assert "In-network reduction" not in page
    assert headline(one).gains == ()


def test_a_record_without_a_fabric_still_shows_gains() -> None:
    none = {"fabric": None, "emulation": None, "on": "hostfile", "emulated": False}
    one = judge("run", record_of(rows_of(*SIZES), overrides=none), None)
    (study,) = studies([one], CurveNames(one.rows))
    assert study.baselines == ("default", "ring")
    chart = study.groups[0].gain
    assert chart is not None and chart.most == ()
    assert "(best variant of the hosts)" in page_of(one)


# Bytes and proof.


def test_bytes_stand_beside_the_hypotheses(grouped: RunRecord) -> None:
    group = study_of(grouped).groups[0]
    assert group.wire is not None
    assert [h.name for h in group.wire.hypotheses] == [
        "1: in the network", "1.5: any host algorithm, at least; ring",
        "2: recursive doubling; binomial tree",
    ]  # fmt: skip
    shares = {curve.name: curve.points[-1][1] for curve in group.wire.curves}
    assert shares == pytest.approx({"default": 1.5, "ring": 1.5, IN_NETWORK: 1.0}, rel=0.02)
    assert {(proof.word, proof.grade) for proof in group.proofs} == {("proved", Grade.GOOD)}
    assert "less than the 6 that hosts alone need" in group.proofs[-1].because


def test_what_bytes_cannot_tell_is_unsure_with_its_reason(grouped: RunRecord) -> None:
    pair = study_of(grouped).groups[-1]
    assert {proof.word for proof in pair.proofs} == {"unsure"}
    assert "measure on 3 hosts or more" in pair.proofs[0].because


def test_what_hosts_did_is_called_out() -> None:
    row = Row("all_reduce", 4 * MIB, 0.97, variant=IN_NETWORK, wire_share=1.5)
    one = judged(record_of([Row("all_reduce", 4 * MIB), row]))
    assert (one.verdict, one.grade) == ("fail", Grade.BAD)
    found = next(r for r in one.rows if r.asks)
    assert (found.verdict, found.grade) == (Verdict.NOT_USED, Grade.BAD)
    page = page_of(one)
    top = page[page.index('id="verdict"') : page.index("<nav")]
    for words in ("Not carried out as its variant asks in 1 row", "hosts did it: ",
                  "In-network reduction: hosts did it in 1 row, so no gain."):  # fmt: skip
        assert words in top
    (study,) = studies([one], CurveNames(one.rows))
    assert [proof.word for proof in study.groups[0].proofs] == ["not used"]
    assert study.groups[0].gain is None


def test_not_measured_is_not_proved() -> None:
    rows = [Row("all_reduce", MIB), Row("all_reduce", MIB, variant=IN_NETWORK, launches=0)]
    one = judged(record_of(rows))
    (study,) = studies([one], CurveNames(one.rows))
    assert [proof.word for proof in study.groups[0].proofs] == ["not measured"]
    assert "no row of it says what was gained" in page_of(one)


def test_small_messages_leave_the_picture_of_bytes_and_it_is_said() -> None:
    """Eight bytes beside what the engine says to agree on each start."""
    tiny = Row("all_reduce", 8, variant=IN_NETWORK, wire_share=150.0)
    chart = study_of(record_of([*rows_of(MIB), tiny])).groups[0].wire
    assert chart is not None
    assert above_top(chart) == "▲ up to 151 at 8"  # headers included


def test_operations_without_data_have_a_table_and_no_chart() -> None:
    one = judged(record_of([Row("barrier", 0), Row("barrier", 0, variant=IN_NETWORK)]))
    (study,) = studies([one], CurveNames(one.rows))
    (group,) = study.groups
    assert (group.gain, group.wire) == (None, None)
    assert len(group.lines) == 1
    assert "log of the library" in group.proofs[0].because
    assert "What it gained" in page_of(one)


# The page.


def test_the_headline_says_what_was_gained_and_how_it_is_proved(grouped: RunRecord) -> None:
    (sentence,) = headline(judged(grouped)).gains
    assert re.fullmatch(
        r"In-network reduction: 1\.4\dx \(1\.4\d-1\.\d\d\) over a ring at its bound and "
        r"1\.8\dx \(1\.8\d-1\.\d\d\) over ring \(best variant of the hosts\) "
        r"at all_reduce 4M on 4 hosts; theory 1\.51x; proved by bytes on the wire\.",
        sentence.replace(TIMES, "x").replace(DASH, "-"),
    ), sentence


@pytest.mark.parametrize("hosts", [(2, 4), (2, 3, 4)])
def test_the_page_has_the_section_and_its_figures(hosts: tuple[int, ...]) -> None:
    one = judged(on_groups(rows_of(*SIZES), hosts))
    page = page_of(one)
    section = page[page.index('id="in-network"') : page.index('id="distribution"')]
    (study,) = studies([one], CurveNames(one.rows))
    gains = len(hosts) < 3  # else the section on scaling has them
    figures, legends = study_figures(study, gains=gains), study_legends(study)
    assert figures.keys() == {name for name in legends if gains or name.endswith("-bytes")}
    assert ("Gains against size and hosts" in section) is not gains
    for identity, figure in figures.items():
        assert f'data-figure="{identity}"' in section
        assert len(go.Figure(figure).data) == len(legends[identity])
    for words in ("may exceed the line rate", "below 4 bursts", "theory, at most", "switch-agg",
                  REPORTED, "first 2 hosts"):  # fmt: skip
        assert words in section
    ids = re.findall(' id="([^"]+)"', page[: page.index("<script")])
    assert len(ids) == len(set(ids))


def test_theory_is_dashed_and_one_is_marked(grouped: RunRecord) -> None:
    group = study_of(grouped).groups[0]
    assert group.gain is not None and group.wire is not None
    traces = {trace.name: trace for trace in go.Figure(gain_figure(group.gain)).data}
    assert traces["theory over ring at its bound"].line.dash == "dash"
    assert set(traces["as fast as the baseline"].y) == {1.0}
    assert traces["over ring"].error_y.array is not None
    dashes = [trace.line.dash for trace in go.Figure(wire_figure(group.wire)).data]
    assert len([dash for dash in dashes if dash]) == len(group.wire.hypotheses)


def test_each_way_has_a_bound_of_its_own(grouped: RunRecord) -> None:
    drawn = panels(judged(grouped).rows)
    assert [panel.group for panel in drawn] == ["all", "first 3 hosts", "first 2 hosts"]
    names = [bound.name.split(":")[0] for bound in drawn[0].bounds]
    assert names == ["bound of hosts", "bound in the network"]
    lines = [t for t in go.Figure(bandwidth_figure(drawn[0])).data if t.line.dash]
    assert len({line.line.dash for line in lines}) == 2
    # at two hosts both ways move S, and one line says so
    assert [bound.name.split(":")[0] for bound in drawn[-1].bounds] == [
        "bound of hosts and in the network"
    ]


def test_aggregators_are_no_ranks(grouped: RunRecord) -> None:
    one = judged(grouped)
    view = system_view(one)
    assert [line[0] for line in view.ranks[1]] == ["0", "1", "2", "3"]
    assert [line[:2] for line in view.aggregators[1]] == [("4", "switch-agg")]
    assert "4 ranks on 4 hosts" in headline(one).what
    assert "no ranks" in page_of(one)


def test_figures_are_drawn_of_each_group_and_over_hosts(tmp_path: Path) -> None:
    two = on_groups(rows_of(MIB), (2, 4))
    written = [path.name for path in draw([judged(two)], tmp_path) if path.suffix == ".png"]
    assert [name for name in written if name.startswith("gain")] == [
        "gain-run-s0-g0.png", "gain-run-s0-g1.png", "gain-run-s0-hosts.png"
    ]  # fmt: skip


@pytest.mark.parametrize("ratios", [[1.0], [1.44, 1.52], [0.3, 2.0], [0.01, 40.0], [2.0, 9e4]])
def test_every_axis_of_ratios_has_one_and_ticks_within_its_range(ratios: list[float]) -> None:
    axis = ratio_axis(ratios)
    assert 2 <= len(axis.ticks) <= 9
    assert 1.0 in axis.ticks
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    assert axis.low < min(ratios) and max(ratios) < axis.high
