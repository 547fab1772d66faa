"""The report's pairs: culprits on top, missing cells missing, figures that Plotly accepts."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from networks import two_levels

from busbar.fabrics import Fabric
from busbar.pairs.blame import blame
from busbar.pairs.groups import Kind
from busbar.pairs.sites import Attachment, Sites
from busbar.report.headline import headline
from busbar.report.judge import judge
from busbar.report.page import Source, render
from busbar.report.pair_figures import map_figure, pair_figures, pair_legends, shown_names
from busbar.report.pair_view import PairView, curve_rows, pair_views, view
from busbar.report.rows import Judged
from busbar.report.static import draw
from pair_records import record_of
from synthetic_pairs import Fault, World, matrix, sites

WORLD = World(
    9, leaves=3, missing=0.15, concurrent=True, collisions=0.2,
    faults=[Fault(Kind.HOST_EGRESS, (1,)), Fault(Kind.LEAF_DOWN, (1,), 0.5)],
)  # fmt: skip


def _fabric() -> Fabric:
    return two_levels([(400e9, 400e9)] * 9, [(1600e9, 1600e9)] * 3)


@pytest.fixture(scope="module")
def judged() -> Judged:
    return judge("run", record_of(matrix(WORLD)), _fabric())


@pytest.fixture(scope="module")
def page(judged: Judged) -> str:
    return render([judged], [Source("run", "run.json", "0" * 64)])


def _view(world: World) -> PairView:
    return view("run", blame(matrix(world), sites(world)))


def test_the_verdict_is_negative_and_names_who_first(judged: Judged) -> None:
    assert judged.verdict == "fail"
    first = headline(judged).alarms[0]
    assert first.title.startswith("2 culprits")
    assert any("host2 sends at" in sentence for sentence in first.sentences)


def test_a_record_without_a_fabric_is_judged_by_its_pairs() -> None:
    document = record_of(matrix(WORLD))
    run = document.run.model_copy(update={"fabric": None, "emulation": None, "emulated": False,
                                          "on": "local"})  # fmt: skip
    found = judge("run", document.model_copy(update={"run": run}), None, sites(WORLD))
    assert {c.name for one in found.blames for c in one.culprits} == {"host2", "leaf2"}


def test_the_page_has_the_culprits_on_top(page: str) -> None:
    section = page[page.index('<section id="pairs">') : page.index('<section id="bound">')]
    assert section.index("<b>host2</b>") < section.index('data-figure="pairs-run-0-map"')
    assert 'data-figure="pairs-run-0-ports"' in section
    assert '<a href="#pairs">' in page


def test_pairs_are_no_curves_over_size(judged: Judged, page: str) -> None:
    assert curve_rows([judged]) == []
    assert "one_way: bus bandwidth over size" not in page


def test_figures_are_in_the_page_and_plotly_accepts_them(page: str, judged: Judged) -> None:
    data = re.search(r'id="figure-data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    embedded = json.loads(data[1])
    for name, figure in pair_figures(pair_views([judged])).items():
        assert name in embedded
        go.Figure(figure)


def test_missing_cells_are_null_and_the_ground_is_hatched(judged: Judged) -> None:
    (one,) = pair_views([judged])
    figure = map_figure(one)
    trace = figure["data"][0]  # type: ignore[index]
    cells = np.array(trace["z"], dtype=float)  # type: ignore[index,call-overload]
    np.testing.assert_array_equal(np.isnan(cells), np.isnan(one.percent))
    assert np.isnan(cells).sum() > 9
    assert not (cells == 0).any()
    assert figure["layout"]["images"]  # type: ignore[index,call-overload]


def test_endpoints_are_ordered_by_leaf_and_marks_follow_them() -> None:
    made = matrix(WORLD)
    spread = [2, 0, 1]  # host1 on leaf3 and so on: neighbours in rank, apart in the fabric
    found = blame(made, _turned(spread))
    one = view("run", found)
    assert [leaf.name for leaf in one.leaves] == ["leaf3", "leaf1", "leaf2"]
    assert one.names == tuple(
        f"host{n + 1}" for leaf in range(3) for n in range(9) if n % 3 == leaf
    )
    (mark,) = [
        m for m, c in zip(one.marks, one.culprits, strict=False) if c.culprit.name == "host2"
    ]
    assert one.names[mark.sources[0]] == one.names[mark.sources[1]] == "host2"


def _turned(order: list[int]) -> Sites:
    return Sites(tuple(Attachment(f"host{n + 1}", f"leaf{order[n % 3] + 1}") for n in range(9)))


def test_a_slow_uplink_does_not_make_its_hosts_look_guilty(judged: Judged) -> None:
    (one,) = pair_views([judged])
    below = {name: 100 - value for name, value in zip(one.names, one.receives, strict=True)}
    assert all(not below[f"host{n}"] > 5 for n in (4, 5, 6))


def test_an_uplink_is_framed_without_the_pairs_below_its_leaf(judged: Judged) -> None:
    (one,) = pair_views([judged])
    number = next(c.number for c in one.culprits if c.culprit.name == "leaf2")
    rows = sorted(m.sources for m in one.marks if m.number == number)
    assert all(last < 3 or first > 5 for first, last in rows)
    assert {m.targets for m in one.marks if m.number == number} == {(3, 5)}


def test_concurrent_pairs_alone_are_shown_as_such() -> None:
    world = World(16, isolated=False, concurrent=True, collisions=0.2,
                  faults=[Fault(Kind.HOST_INGRESS, (4,), 0.5)])  # fmt: skip
    one = _view(world)
    assert not one.isolated and "prove nothing" in one.summary
    assert one.culprits == () and len(one.suspects) == 1


def test_many_endpoints_are_labelled_by_leaf() -> None:
    one = _view(World(96, leaves=6, launches=2))
    assert [name for _, name in shown_names(one)] == [f"leaf{n}" for n in range(1, 7)]
    assert "customdata" not in json.dumps(map_figure(_view(World(208, launches=1)))["data"])


def test_names_from_a_record_are_escaped() -> None:
    made = matrix(World(4))
    bad = [e.__class__(f"<b>{e.host}", e.index, e.rank) for e in made.endpoints]
    one = view("run", blame(made.__class__(**{**made.__dict__, "endpoints": tuple(bad)})))
    assert "<b>host" not in json.dumps(pair_figures([one]))


def test_legends_have_an_entry_for_each_trace(judged: Judged) -> None:
    views = pair_views([judged])
    figures, legends = pair_figures(views), pair_legends(views)
    assert len(legends["pairs-run-0-ports"]) == len(figures["pairs-run-0-ports"]["data"])  # type: ignore[arg-type]


def test_static_figures_are_drawn(judged: Judged, tmp_path: Path) -> None:
    written = {path.name for path in draw([judged], tmp_path)}
    assert {"pairs-run-0.png", "pairs-run-0.svg"} <= written


def test_the_page_draws_in_a_browser_without_a_complaint(page: str, tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        seen: list[str] = []
        opened.on("console", lambda m: seen.append(m.text))
        opened.on("pageerror", lambda error: seen.append(str(error)))
        opened.on("request", lambda request: seen.append(request.url))
        opened.goto(path.as_uri())
        opened.wait_for_selector("html[data-figures=drawn]", timeout=120_000)
        charts = opened.locator("#pairs .chart.js-plotly-plot svg.main-svg:first-child").count()
        browser.close()
    assert charts == 2
    assert [text for text in seen if not text.startswith("file:")] == []
