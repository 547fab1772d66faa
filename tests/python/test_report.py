"""The report: complete, self-contained, honest about what is missing, safe with hostile names."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import plotly.graph_objects as go
import pytest

from busbar import fabrics
from busbar.errors import UsageError
from busbar.record.fold import fold
from busbar.record.journal import write_record
from busbar.record.lines import LaunchLine
from busbar.record.models import RdmaPort, RunRecord
from busbar.report.evidence import lateness
from busbar.report.figures import bandwidth_figure, sizeless_figure, time_figure
from busbar.report.files import read, write_page
from busbar.report.judge import judge
from busbar.report.page import Source, render
from busbar.report.panels import panels
from busbar.report.ranges import bandwidth_top, leaves_picture
from busbar.report.rows import Judged
from busbar.report.static import draw
from busbar.report.system import system_view
from busbar.report.text import DASH
from factories import MIB, Example, Row, journal_lines, record, record_of

HOSTILE = "host1</script><script>alert(1)</script>"


FABRIC = fabrics.load("emulated-4x400m")


def judged(document: RunRecord, name: str = "record0") -> Judged:
    return judge(name, document, FABRIC)


def page_of(document: RunRecord) -> str:
    return page_of_judged(judged(document))


def page_of_judged(*judged: Judged) -> str:
    return render(judged, [Source(one.name, f"{one.name}.json", "0" * 64) for one in judged])


def rows_of(one: Judged) -> list[str]:
    return [row.id for row in one.rows]


class _Elements(HTMLParser):
    """What a browser would load, and the text of the embedded JSON."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.scripts = 0
        self.json: dict[str, str] = {}
        self._inside: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.links += [v for k in ("src", "href", "srcset", "data") if (v := values.get(k))]
        self.ids += [v for v in [values.get("id")] if v]
        self.scripts += tag == "script"
        if values.get("type") == "application/json":
            self._inside = values["id"]

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.json[self._inside] = self.json.get(self._inside, "") + data


# The page as a document.


def test_page_of_a_whole_run_is_quick_and_has_every_row() -> None:
    document = record()
    started = time.monotonic()
    page = page_of(document)
    assert time.monotonic() - started < 10
    ids = _Elements(page).ids
    assert len(ids) == len(set(ids))
    one = judged(document)
    assert len(one.rows) == len(document.run.plan.rows)
    assert {f"row-{row}" for row in rows_of(one)} <= set(ids)


def test_page_loads_nothing_from_elsewhere() -> None:
    page = page_of(record())
    assert all(link.startswith("#") for link in _Elements(page).links)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert not any("url(" in style or "@import" in style for style in styles)


def test_anchors_lead_somewhere() -> None:
    elements = _Elements(page_of(record()))
    assert {link[1:] for link in elements.links} <= set(elements.ids)


def test_hostile_names_stay_text() -> None:
    lines = [
        line.model_copy(
            update={
                "processes": [p.model_copy(update={"host": HOSTILE}) for p in line.processes],
                "settings": {"NCCL_DEBUG": HOSTILE},
            }
        )
        if isinstance(line, LaunchLine)
        else line
        for line in journal_lines(Example(rows=[Row("all_reduce", MIB, variant="a<b>&$x$")]))
    ]
    page = page_of_judged(judge("record0", fold(lines), None))  # no fabric has such a host
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    ordinary = page_of(record_of([Row("all_reduce", MIB)]))
    assert _Elements(page).scripts == _Elements(ordinary).scripts
    assert "a<b>" not in page


def test_hostile_text_cannot_end_the_embedded_json() -> None:
    page = page_of(record_of([Row("all_reduce", MIB, variant="</script><b>")]))
    embedded = _Elements(page).json["distribution-data"]
    assert "<" not in embedded
    assert json.loads(embedded)[0]["series"].startswith("</script><b>")


@pytest.mark.parametrize("kind", ["fake", "simulated", "emulated"])
def test_banner_says_what_is_not_real(kind: str) -> None:
    on = {"fake": "hostfile", "simulated": "simulated", "emulated": "emulated"}[kind]
    real = {"fake": False, "simulated": False, "emulated": False, "on": on, "emulation": None}
    rows = [Row("send_recv", MIB)]
    page = page_of(record_of(rows, overrides={**real, kind: True}))
    assert f'<div class="banner {kind}"' in page
    honest = page_of(record_of(rows, overrides={**real, "on": "hostfile"}))
    assert '<div class="banner' not in honest


def test_missing_figure_is_a_dash_never_zero() -> None:
    page = page_of(record_of([Row("all_reduce", MIB, launches=0), Row("send_recv", MIB)]))
    row = re.search(r'<tr id="row-record0-0".*?</tr>', page, re.DOTALL)
    assert row is not None
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", row[0])
    assert cells[-7:] == [DASH] * 7  # time, interval, p99, algbw, busbw, #wrong, % of bound
    assert "missing" in row[0]


def test_what_went_wrong_is_called_out_at_the_top() -> None:
    page = page_of(
        record_of(
            [
                Row("all_reduce", MIB, hang=True),
                Row("broadcast", MIB, wrong_elements=3),
                Row("send_recv", MIB, launches=0),
                Row("all_gather", MIB, spoiled=4),
            ]
        )
    )
    top = page[page.index('id="verdict"') : page.index("<nav")]
    for words in ("Wrong data in 1 row", "Hang in 1 row", "Required but not measured in 1 row",
                  "Spoiled samples in 1 row", "Rank 2 on host3 never arrived"):  # fmt: skip
        assert words in top
    worst = top[top.index("Worst rows") :]
    assert worst.index("wrong data") < worst.index("hang") < worst.index("missing")


def test_a_record_without_a_fabric_is_shown_unjudged() -> None:
    none = {"fabric": None, "emulation": None, "on": "hostfile", "emulated": False}
    one = judge("x", record_of([Row("send_recv", MIB)], overrides=none), None)
    assert (one.verdict, one.fabric) == ("not judged", None)
    wrong = record_of([Row("send_recv", MIB, wrong_elements=1)], overrides=none)
    assert judge("x", wrong, None).verdict == "fail"


def test_the_fabric_that_a_run_names_is_taken() -> None:
    named = {"fabric": FABRIC.name, "emulation": None}
    assert judge("x", record_of([Row("send_recv", MIB)], overrides=named), None).fabric == FABRIC


def test_a_fabric_that_is_gone_is_said_and_the_report_still_made() -> None:
    gone = {"fabric": "gone", "emulation": None, "on": "hostfile", "emulated": False}
    one = judge("x", record_of([Row("send_recv", MIB)], overrides=gone), None)
    assert "gone" in one.notes[0]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [Row("barrier", 0)],
        [Row("all_reduce", MIB)],
        [Row("all_reduce", MIB, hang=True)],
        [Row("all_reduce", MIB, launches=0)],
    ],
    ids=["nothing", "no size", "one point", "only a hang", "only a missing row"],
)
@pytest.mark.parametrize("launches", [1, 2])
def test_small_records_make_a_page(rows: Sequence[Row], launches: int) -> None:
    assert "</html>" in page_of(record_of(rows, launches=launches))


# Figures.


def test_figures_are_valid_and_carry_their_bound() -> None:
    one = judged(record())
    for panel in panels(one.rows):
        for build in [bandwidth_figure, time_figure] if panel.has_sizes else [sizeless_figure]:
            figure = go.Figure(build(panel))
            assert figure.layout.xaxis.title.text
    reduced = next(panel for panel in panels(one.rows) if panel.op == "all_reduce")
    dashed = [t for t in go.Figure(time_figure(reduced)).data if t.line.dash]
    assert dashed and "link" in dashed[0].name


def test_bound_of_a_burst_does_not_squash_what_was_measured() -> None:
    one = judged(record_of([Row("send_recv", 1 << k) for k in range(10, 23)]))
    (panel,) = panels(one.rows)
    highest = max(row.busbw_gbs or 0 for row in panel.rows)
    top = bandwidth_top(panel) or 0
    line_rate = 0.05
    assert line_rate < top < 2.5 * line_rate
    above = leaves_picture(panel)  # the burst lets small messages beat the line, and it is said
    assert (above is not None) == (highest > top)


def test_records_are_overlaid_by_name() -> None:
    pair = [judged(record_of([Row("all_reduce", MIB)]), name) for name in ("ib", "roce")]
    (panel,) = panels([row for one in pair for row in one.rows])
    assert [curve.name for curve in panel.curves] == ["ib · default", "roce · default"]
    assert len({curve.style for curve in panel.curves}) == 2
    assert len(panel.bounds) == 1  # the same fabric: one line


def test_static_figures_are_written(tmp_path: Path) -> None:
    rows = [Row("all_reduce", MIB, variant="costs $5 or $6"), Row("barrier", 0)]
    written = draw([judged(record_of(rows))], tmp_path / "figures")
    assert sorted(path.suffix for path in written) == [".png", ".png", ".svg", ".svg"]
    assert all(path.stat().st_size > 1000 for path in written)


def test_who_was_last_has_a_name() -> None:
    one = judged(record_of([Row("all_reduce", MIB)]))
    late = lateness(one, panels(one.rows))
    assert late is not None
    first = late.stragglers[0]
    assert (first.rank, first.host, first.last_share) == (3, "host4", 1.0)
    assert late.even_share == 0.25


# Files.


def test_rdma_ports_are_listed_with_their_host() -> None:
    document = record_of([Row("send_recv", MIB)])
    port = RdmaPort(
        device="mlx5_0", port=1, kind="RoCE", link_layer="Ethernet", state="ACTIVE",
        physical_state="LinkUp", rate=None, lid="0x0", netdev="eth0",
        pci_address="0000:3b:00.0", numa_node=None, model=None, firmware=None, node_guid=None,
        sys_image_guid=None,
    )  # fmt: skip
    launch = document.launches[0]
    host = launch.system.hosts[0].model_copy(update={"rdma_ports": [port]})
    system = launch.system.model_copy(update={"hosts": [host]})
    one = document.model_copy(
        update={"launches": [launch.model_copy(update={"system": system}), *document.launches[1:]]}
    )
    head, lines = system_view(judge("r", one, None)).hosts
    cells = {line[0]: line[head.index("RDMA ports")] for line in lines}
    assert cells["host2"] == DASH
    only = document.model_copy(update={"launches": one.launches[:1]})
    (line,) = system_view(judge("r", only, None)).hosts[1]
    assert line[head.index("RDMA ports")] == "mlx5_0, RoCE, rate not known, active"


def test_same_file_names_are_told_apart(tmp_path: Path) -> None:
    paths = [tmp_path / name / "run.json" for name in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        write_record(record_of([Row("send_recv", MIB)]), path)
    every, sources = read(paths, None)
    assert [one.name for one in every] == ["run", "run (2)"]
    assert len(sources[0].sha256) == 64


def test_unwritable_output_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write_page([], [], tmp_path / "missing" / "report.html")
