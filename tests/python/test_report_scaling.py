"""The section on scaling: shares of the bound and gains against hosts and sizes."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
import pytest

from busbar import fabrics
from busbar.record.key import Group
from busbar.record.models import RunRecord
from busbar.report.axes import hosts_axis
from busbar.report.gain_figures import gain_figure
from busbar.report.gains import studies
from busbar.report.judge import judge
from busbar.report.legend import scaling_legends
from busbar.report.nested import nested_groups
from busbar.report.page import Source, render
from busbar.report.panels import CurveNames
from busbar.report.scaling import Scaling, scalings, spread
from busbar.report.scaling_curves import cell_text, hosts_bounds
from busbar.report.scaling_figures import hosts_figure, map_figure, scaling_figures
from busbar.report.scaling_words import conclusions, cut_sentences, floored
from busbar.report.static import draw
from busbar.report.style import ramp
from busbar.report.text import TIMES
from factories import IN_NETWORK, KIB, MIB
from scaled import At, judged, scaled

COUNTS = (2, 4, 8, 16)


def studies_of(record: RunRecord) -> list[Scaling]:
    one = judged(record)
    names = CurveNames(one.rows)
    return scalings([one], names, studies([one], names))


def study_of(record: RunRecord) -> Scaling:
    (study,) = studies_of(record)
    return study


def table_of(study: Scaling, variant: int = 0) -> list[list[float | None]]:
    return [[c.percent for c in line] for line in study.variants[variant].cells]


def shares(*lines: tuple[str, int, tuple[float | None, ...]]) -> dict[At, float | None]:
    """Shares of the bound by variant and size, one for each number of hosts."""
    return {
        (variant, size, hosts): share
        for variant, size, each in lines
        for hosts, share in zip(COUNTS, each, strict=True)
    }


TWO_SIZES = shares(
    ("default", 64 * KIB, (0.6, 0.5, 0.4, 0.3)), ("default", MIB, (0.99, 0.98, 0.97, 0.9697))
)
REDUCED = shares(
    ("default", MIB, (0.9, 0.9, 0.8, 0.75)),
    ("ring", MIB, (0.8, 0.8, 0.8, 0.8)),
    (IN_NETWORK, MIB, (0.9, 0.9, 0.9, 0.9)),
)


# What is in it.


def test_the_table_has_the_share_of_each_size_on_each_number_of_hosts() -> None:
    study = study_of(scaled(TWO_SIZES))
    assert (study.op, study.table.hosts) == ("all_to_all", [2, 4, 8, 16])
    assert study.table.sizes == [64 * KIB, MIB]
    for found, wanted in zip(table_of(study), [[60, 50, 40, 30], [99, 98, 97, 96.97]], strict=True):
        assert found == pytest.approx(wanted)


def test_fewer_than_three_numbers_of_hosts_say_nothing_of_scaling() -> None:
    assert studies_of(scaled({at: s for at, s in TWO_SIZES.items() if at[2] in (2, 16)})) == []
    assert studies_of(scaled({at: s for at, s in TWO_SIZES.items() if at[2] == 16})) == []


def test_without_a_bound_there_is_no_study() -> None:
    one = judge("run", scaled(TWO_SIZES), fabrics.load("local"))
    assert scalings([one], CurveNames(one.rows), []) == []


def test_missing_cells_are_missing_and_their_number_of_hosts_stays() -> None:
    study = study_of(scaled(TWO_SIZES | shares(("default", MIB, (0.99, None, 0.97, 0.9)))))
    assert table_of(study)[1] == [pytest.approx(99), None, pytest.approx(97), pytest.approx(90)]
    (trace,) = go.Figure(map_figure(study, study.variants[0])).data
    assert [list(line) for line in trace.text] == [
        ["60.0", "50.0", "40.0", "30.0"], ["99.0", "", "97.0", "90.0"]
    ]  # fmt: skip
    assert trace.z[1][1] is None
    curves = go.Figure(hosts_figure(study, study.variants[0])).data
    # What was not measured everywhere has no curve of its own where something was.
    assert [curve.name for curve in curves] == ["64K"]


def test_a_number_of_hosts_that_nobody_measured_is_a_missing_one() -> None:
    study = study_of(scaled(shares(("default", MIB, (0.9, None, 0.8, 0.7)),
                                   ("default", 64 * KIB, (0.9, None, 0.8, 0.7)))))  # fmt: skip
    assert study.table.hosts == [2, 4, 8, 16]
    assert [line[1] for line in table_of(study)] == [None, None]
    (sentence,) = conclusions(study)
    assert sentence == (
        "all_to_all keeps 70.0 % of the bound or more on 2, 8 and 16 hosts at 1M; "
        "no figure on 4 hosts there."
    )


def test_what_is_faster_than_physics_is_no_figure_and_is_named() -> None:
    study = study_of(scaled(TWO_SIZES | shares(("default", MIB, (0.9, 0.9, 1.4, 0.9)))))
    assert table_of(study)[1][2] is None
    assert study.refused == ("default 1M on 8 hosts: impossible",)
    (trace,) = go.Figure(map_figure(study, study.variants[0])).data
    assert (trace.z[1][2], trace.text[1][2]) == (None, "✕")


def test_sizes_that_differ_by_some_elements_are_one() -> None:
    """A total that each rank has the same share of is raised to fit."""
    uneven = {("default", MIB + 4 * hosts, hosts): 0.9 for hosts in COUNTS}
    study = study_of(scaled(uneven))
    assert study.table.sizes == [MIB + 8]
    assert table_of(study)[0] == pytest.approx([90.0] * 4)


def test_a_size_on_one_number_of_hosts_is_left_out() -> None:
    assert study_of(scaled(TWO_SIZES | {("default", 4 * MIB, 16): 0.9})).table.sizes == [
        64 * KIB, MIB
    ]  # fmt: skip


def test_nested_are_the_first_hosts_of_the_largest_alone() -> None:
    record = scaled(TWO_SIZES)

    def group(ranks: str, **more: object) -> Group:
        return Group.model_validate({"name": ranks, "ranks": ranks, "nodes": None} | more)

    groups = [group("0-15"), group("0-1"), group("4-7"), group("0,2"), group("0-7", split="node"),
              group("0-3", parts=["0-1", "2-3"]), group("0-99")]  # fmt: skip
    assert nested_groups(groups, record) == {"0-1": 2, "0-15": 16}
    assert nested_groups([], record) == {}


def test_curves_are_few_and_have_the_ends() -> None:
    assert spread(range(3), 5) == [0, 1, 2]
    assert spread(range(9), 5) == [0, 2, 4, 6, 8]
    assert len({ramp(i, 5).colour for i in range(5)}) == 5
    assert ramp(0, 1).colour == ramp(4, 5).colour


# What it says.


def test_it_concludes_without_rounding_in_favour() -> None:
    (sentence,) = conclusions(study_of(scaled(TWO_SIZES)))
    assert sentence == (
        "all_to_all keeps 96.9 % of the bound or more from 2 to 16 hosts at 1M; "
        "below half of it from 8 hosts on at 64K."
    )


@pytest.mark.parametrize(
    ("each", "words"),
    [
        ((0.4, 0.4, 0.3, 0.2), "below half of it on all numbers of hosts at 64K."),
        ((0.9, 0.4, 0.9, 0.4), "below half of it on 4 and 16 hosts at 64K."),
        ((0.9, 0.9, 0.9, 0.4), "below half of it on 16 hosts at 64K."),
        ((0.9, 0.4, None, 0.4), "below half of it on 4 and 16 hosts at 64K."),
    ],
)
def test_where_it_is_below_half(each: tuple[float | None, ...], words: str) -> None:
    record = scaled(TWO_SIZES | shares(("default", 64 * KIB, each)))
    (sentence,) = conclusions(study_of(record))
    assert sentence.endswith(words), sentence


def test_what_is_half_is_not_below() -> None:
    record = scaled(shares(("default", MIB, (0.9, 0.6, 0.500001, 0.500001))))
    (sentence,) = conclusions(study_of(record))
    assert sentence == "all_to_all keeps 50.0 % of the bound or more from 2 to 16 hosts at 1M."


def test_the_cut_that_sets_the_bound_is_named_where_it_changes() -> None:
    study = study_of(scaled(TWO_SIZES))
    (sentence,) = cut_sentences(study)
    assert sentence == (
        "The bound is set by link of host1, egress, up to 4 hosts; uplink of leaf1, egress, from "
        "8 hosts on, at 1M."
    )
    (limit,) = hosts_bounds(study)
    assert (limit.name, [n for n, _ in limit.points]) == ("bound", [2, 4, 8, 16])


@pytest.mark.parametrize(
    ("value", "digits", "down"), [(96.97, 1, 96.9), (99.99, 0, 99), (50, 1, 50)]
)
def test_figures_are_rounded_down(value: float, digits: int, down: float) -> None:
    assert floored(value, digits) == down


# Gains.


def test_gains_are_over_each_baseline_by_name_with_what_theory_allows() -> None:
    study = study_of(scaled(REDUCED, op="all_reduce"))
    assert [family.name for family in study.families] == [
        f"in_network over {name}"
        for name in ("default", "ring", "the best host variant", "ring at its bound")
    ]
    chart = study.families[0].over_hosts
    (theory,) = chart.most
    assert [at for at, _ in theory] == list(COUNTS)
    assert [most for _, most in theory] == pytest.approx([2 * (n - 1) / n for n in COUNTS])
    ratios = [point.gain.ratio for point in chart.curves[0].points]
    # Both at the share of their own bound that the record was made by.
    wanted = [m * 0.9 / s for (_, m), s in zip(theory, (0.9, 0.9, 0.8, 0.75), strict=True)]
    assert ratios == pytest.approx(wanted)
    assert [curve.name for curve in study.families[0].over_size.curves] == [
        f"{n} hosts" for n in COUNTS
    ]
    assert [len(line) for line in study.families[0].over_size.most] == [1] * 4


def test_a_gain_that_is_missing_is_a_hole() -> None:
    small = shares((IN_NETWORK, 64 * KIB, (0.5, 0.5, 0.5, 0.5)),
                   ("default", 64 * KIB, (0.5, 0.5, None, 0.5)))  # fmt: skip
    record = scaled(REDUCED | small, op="all_reduce")
    curve, *_ = go.Figure(gain_figure(study_of(record).families[0].over_hosts)).data
    assert curve.name == "64K"
    assert [y is None for y in curve.y] == [False, False, True, False]


def test_the_sentence_of_a_gain_is_rounded_down_too() -> None:
    found = list(conclusions(study_of(scaled(REDUCED, op="all_reduce"))))
    assert len(found) == 5
    assert found[0].startswith("all_reduce (default) keeps ")
    assert found[3] == (
        f"all_reduce (in_network) is 1.00{TIMES} (on 2 hosts) and 2.25{TIMES} (on 16 hosts) as "
        f"fast as default, at 1M; theory 1.00{TIMES} and 1.88{TIMES} over ring at its bound."
    )


# The page and the pictures.


def page_of(record: RunRecord) -> str:
    return render([judged(record)], [Source("run", "run.json", "0" * 64)])


def test_the_page_has_the_section_with_its_figures_and_legends() -> None:
    record = scaled(REDUCED, op="all_reduce")
    page, study = page_of(record), study_of(record)
    section = page[page.index('id="scaling"') : page.index('id="in-network"')]
    figures, legends = scaling_figures(study), scaling_legends(study)
    assert figures.keys() == legends.keys()
    for identity, figure in figures.items():
        assert f'data-figure="{identity}"' in section
        drawn = go.Figure(figure).data
        assert len(legends[identity]) == (0 if identity.endswith("-map") else len(drawn))
    for sentence in (*conclusions(study), *cut_sentences(study)):
        assert sentence in section
    # Gains are shown once.
    assert "-gain" not in page[page.index('id="in-network"') : page.index('id="distribution"')]


def test_a_record_on_one_group_has_no_section() -> None:
    assert 'id="scaling"' not in page_of(scaled({("default", MIB, 16): 0.9}))


def test_static_figures_have_the_same(tmp_path: Path) -> None:
    written = draw([judged(scaled(REDUCED, op="all_reduce"))], tmp_path)
    names = [path.stem for path in written if path.suffix == ".png"]
    assert [name for name in names if name.startswith("scaling")] == [
        "scaling-run-s0-bandwidth", "scaling-run-s0-v0", "scaling-run-s0-v1", "scaling-run-s0-v2",
        "scaling-run-s0-g0-0", "scaling-run-s0-g0-1", "scaling-run-s0-g0-2", "scaling-run-s0-g0-3",
    ]  # fmt: skip


def test_cells_of_many_columns_have_whole_figures() -> None:
    cell = study_of(scaled(TWO_SIZES)).variants[0].cells[1][3]
    assert (cell_text(cell, 4), cell_text(cell, 12)) == ("96.9", "96")


@pytest.mark.parametrize(
    ("places", "log"),
    [([2, 3, 4], False), ([4, 8, 16, 32, 64], True), (list(range(4, 65, 4)), False), ([8], False)],
)
def test_numbers_of_hosts_stand_as_far_apart_as_they_can(places: list[int], log: bool) -> None:
    axis, logarithmic = hosts_axis(places)
    assert logarithmic is log
    assert axis.low < places[0] and places[-1] < axis.high
    assert axis.ticks == tuple(places)


def test_too_many_numbers_of_hosts_are_thinned_from_the_largest() -> None:
    axis, _ = hosts_axis(range(1, 41))
    assert len(axis.ticks) <= 16 and axis.ticks[-1] == 40
