"""The certificate in a real browser: it fits, asks the network for nothing, and prints.

Needs the system's Chromium and Playwright; skipped, with the reason, where one is absent.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_certificate import FABRIC, ROWS, SOURCE, _judged

from busbar.report.certificate import render

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def test_the_certificate_fits_screen_and_paper_and_needs_no_network(tmp_path: Path) -> None:
    result, record = _judged(ROWS)
    path = tmp_path / "certificate.html"
    path.write_text(render(result, record, FABRIC, SOURCE), encoding="utf-8")
    requests: list[str] = []
    complaints: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(path.as_uri())
        root = "document.documentElement"
        for width in (1280, 800, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function(f"{root}.scrollWidth <= {root}.clientWidth", timeout=30_000)
        # What nothing real measured is said before anything else.
        assert page.locator("main > :first-child").inner_text().startswith("FAKE")
        assert page.locator("tr.row").count() == len(ROWS) - 1
        assert page.locator("tr.waiver").count() == 1
        # On paper there is nothing to click, and no table is cut off at its side.
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 1030, "height": 730})  # A4 landscape less its margins
        assert page.locator("nav").is_hidden()
        cut = "boxes => boxes.filter((box) => box.scrollWidth > box.clientWidth + 1).length"
        assert page.locator(".scroll").evaluate_all(cut) == 0
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
        browser.close()
    assert complaints == []
    assert requests == [path.as_uri()]
