"""The report in a real browser: it draws, complains of nothing, and asks the network for nothing.

Needs the system's Chromium and Playwright; skipped, with the reason, where one is absent.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import scaled
from busbar import fabrics
from busbar.record.models import RunRecord
from busbar.report.judge import judge
from busbar.report.page import Source, render
from factories import IN_NETWORK, MIB, Row, record_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

ROWS = [
    Row("all_reduce", 64 * 1024),
    Row("all_reduce", MIB, spoiled=2),
    Row("all_reduce", 64 * 1024, variant="</script><script>throw 1</script>"),
    Row("send_recv", MIB, hang=True),
    Row("barrier", 0),
]


class Page:
    """The report, opened and drawn."""

    def __init__(self, browser: Browser, path: Path) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page = browser.new_page(viewport={"width": 1280, "height": 900})
        self.page.on("console", lambda m: self.complaints.append(m.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-figures=drawn]", timeout=120_000)

    def fits(self, width: int) -> None:
        """Returns once nothing is wider than the window; charts follow its size with a delay."""
        self.page.set_viewport_size({"width": width, "height": 900})
        root = "document.documentElement"
        self.page.wait_for_function(f"{root}.scrollWidth <= {root}.clientWidth", timeout=30_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def opened(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Page:
    return _open(browser, record_of(ROWS), tmp_path_factory.mktemp("report"))


def _open(browser: Browser, document: RunRecord, folder: Path) -> Page:
    path = folder / "report.html"
    one = judge("run", document, fabrics.load("emulated-4x400m"))
    path.write_text(render([one], [Source("run", "run.json", "0" * 64)]), encoding="utf-8")
    return Page(browser, path)


def test_every_chart_is_drawn_without_a_complaint(opened: Page) -> None:
    charts = opened.page.locator(".chart")
    drawn = opened.page.locator(".chart.js-plotly-plot svg.main-svg:first-child")
    assert charts.count() == drawn.count() == 4  # two of all_reduce, barrier, the distribution
    assert opened.complaints == []


def test_only_the_file_itself_is_requested(opened: Page) -> None:
    assert all(url.startswith(("file:", "data:", "blob:")) for url in opened.requests)
    assert sum(url.startswith("file:") for url in opened.requests) == 1


def test_page_never_scrolls_sideways(opened: Page) -> None:
    for width in (1280, 800):
        opened.fits(width)


def test_table_sorts_with_missing_figures_last(opened: Page) -> None:
    head = opened.page.get_by_role("button", name="time µs")
    for _ in range(2):
        head.click()
        last = opened.page.locator("#points tbody tr").last
        assert "hang" in last.inner_text()


def test_table_filters_by_words(opened: Page) -> None:
    opened.page.fill("#filter", "all_reduce 1M")
    assert opened.page.locator("#points tbody tr:visible").count() == 1
    opened.page.fill("#filter", "")


def test_row_opens_its_distribution(opened: Page) -> None:
    row = opened.page.locator("#points tbody tr", has_text="1M").filter(has_text="all_reduce")
    identity = row.get_attribute("data-distribution")
    row.click()
    opened.page.wait_for_selector(f"#distribution-chart[data-point='{identity}']")
    assert opened.page.locator("#choose-size").input_value() == "1M"
    opened.page.check("#choose-clean")  # it has spoiled samples to leave out
    assert opened.complaints == []


def test_gains_are_drawn_each_with_a_legend_of_its_own(browser: Browser, tmp_path: Path) -> None:
    rows = [
        Row("all_reduce", size, variant=variant)
        for size in (MIB, 4 * MIB)
        for variant in ("default", "ring", IN_NETWORK)
    ]
    opened = _open(browser, record_of(rows), tmp_path)
    figures = opened.page.locator("#in-network figure")
    assert figures.count() == figures.locator(".js-plotly-plot").count() == 2  # gain, bytes
    figures.nth(0).get_by_role("button", name="over ring", exact=True).click()
    hidden = "chart => chart.data.filter((trace) => trace.visible === false).length"
    assert [figures.nth(i).locator(".chart").evaluate(hidden) for i in (0, 1)] == [1, 0]
    opened.fits(390)
    assert opened.complaints == []


def test_scaling_is_drawn_and_its_baseline_chosen(browser: Browser, tmp_path: Path) -> None:
    shares = {
        (variant, MIB, hosts): 0.9
        for variant in ("default", "ring", IN_NETWORK)
        for hosts in (4, 8, 16)
    }
    path = tmp_path / "report.html"
    one = scaled.judged(scaled.scaled(shares, op="all_reduce"))
    path.write_text(render([one], [Source("run", "run.json", "0" * 64)]), encoding="utf-8")
    opened = Page(browser, path)
    section = opened.page.locator("#scaling")
    charts = section.locator(".chart:visible")
    drawn = section.locator(".chart.js-plotly-plot:visible")
    assert charts.count() == drawn.count() == 9  # bandwidth, two for each variant, two of gains
    section.locator("select").select_option(label="in_network over ring")
    opened.page.wait_for_function(
        "document.querySelectorAll('#scaling .js-plotly-plot').length === 11"
    )
    for width in (1280, 390):
        opened.fits(width)
    assert opened.complaints == []
