"""The page of a tuning: what it says is what the folder holds, and it says what it is not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from tuned_folders import ALGORITHM, KIB, MIB, FolderSpec, write_folder

from busbar import cli
from busbar.record.models import PointKey
from busbar.report.figures import Figure
from busbar.report.static_tuning import draw_tuning
from busbar.report.tuning_figures import gain_figure, times_figure, tuning_figures, tuning_legends
from busbar.report.tuning_page import PAGE, PURPOSES, render, write_page
from busbar.report.tuning_view import OpView, TuningView, tuning_view
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.journal import Answer, Pruned, SearchJournal
from busbar.tune.measured import Tuning, measured_in, read_tuning
from busbar.tune.searched import Searched, read_searched
from busbar.tune.tuned import Choice, Tuned
from factories import STARTED, point_key

HOSTILE = "</script><script>throw 1</script>"
RING = Candidate.of({ALGORITHM: "4"})


@pytest.fixture(scope="module")
def tuning(tmp_path_factory: pytest.TempPathFactory) -> Tuning:
    return read_tuning(write_folder(tmp_path_factory.mktemp("tuned") / "found", FolderSpec()))


@pytest.fixture(scope="module")
def view(tuning: Tuning) -> TuningView:
    return tuning_view(tuning.tuned, tuning.searched)


def page_of(tuned: Tuned, tuning: Tuning) -> str:
    return render(tuning_view(tuned, tuning.searched), [])


def text_of(page: str) -> str:
    """What is read, without scripts and styles."""
    visible = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", visible).split())


def changed(tuned: Tuned, **fields: object) -> Tuned:
    return tuned.model_copy(update=fields)


def traces_of(figure: Figure) -> list[dict[str, Any]]:
    data = figure["data"]
    assert isinstance(data, list)
    return [trace for trace in data if isinstance(trace, dict)]


def op_of(view: TuningView, name: str = "all_reduce") -> OpView:
    return next(op for op in view.ops if op.name == name)


def test_every_choice_is_there_with_settings_times_gain_and_why(tuning: Tuning) -> None:
    read = text_of(page_of(tuning.tuned, tuning))
    for choice in tuning.tuned.choices:
        assert choice.why in read
        assert Candidate.of(choice.tried).name in read
        assert f"{choice.gain:.3f}" in read
    assert "kept" in read and "not proven" in read


def test_the_headline_is_the_gain_of_the_workload(tuning: Tuning) -> None:
    tuned = tuning.tuned
    assert tuned.total_gain is not None and tuned.total_gain_interval is not None
    low, high = tuned.total_gain_interval
    read = text_of(page_of(tuned, tuning))
    assert f"runs {tuned.total_gain:.3f} times as fast ({low:.3f} to {high:.3f}" in read
    assert f"{len(tuned.kept())} of {len(tuned.choices)} points" in read


def test_where_nothing_is_kept_it_says_so_first(tmp_path: Path) -> None:
    nothing = read_tuning(write_folder(tmp_path / "found", FolderSpec(gain=1.0)))
    assert not nothing.tuned.kept()
    read = text_of(page_of(nothing.tuned, nothing))
    assert "Nothing beats the default here" in read
    assert "times as fast (1." not in read.split("Operations")[0]


@pytest.mark.parametrize(
    ("fake", "on", "words"),
    [
        (True, "emulated", ["FAKE", "EMULATED"]),
        (False, "emulated", ["EMULATED"]),
        (False, "simulated", ["SIMULATED"]),
        (False, "slurm", []),
    ],
)
def test_what_is_not_real_hardware_is_marked(
    fake: bool, on: str, words: list[str], tuning: Tuning
) -> None:
    made_for = tuning.tuned.made_for.model_copy(update={"fake": fake, "on": on})
    view = tuning_view(changed(tuning.tuned, made_for=made_for), tuning.searched)
    assert [banner.word for banner in view.banners] == words
    page = render(view, [])
    assert all(f"<strong>{word}</strong>" in page for word in words)


def test_of_virtual_time_it_speaks_of_no_interval(tmp_path: Path) -> None:
    tuning = read_tuning(write_folder(tmp_path / "found", FolderSpec(on="simulated", fake=False)))
    exact = changed(tuning.tuned, total_gain_interval=None)
    read = text_of(page_of(exact, tuning))
    assert "SIMULATED" in read and "the hosts do not exist" in read
    assert "times as fast in virtual time, as exactly in a fresh launch" in read
    assert "There is no interval" in read and "95 %" not in read


def test_filled_is_kept_and_hollow_is_not(view: TuningView) -> None:
    op = op_of(view)
    states = {row.choice.size_bytes: row.state for row in op.rows}
    assert states[64 * KIB] == "not proven" and states[4 * MIB] == "kept"
    traces = {trace["name"]: trace for trace in traces_of(gain_figure(op))}
    assert traces["kept"]["x"] == [n for n, state in states.items() if state == "kept"]
    assert traces["kept"]["marker"]["color"] != "#ffffff"
    assert traces["tried, the default stays"]["marker"]["color"] == "#ffffff"
    assert traces["the default"]["y"] == [1.0, 1.0]


def test_a_point_whose_proof_failed_is_not_drawn_at_nothing(tuning: Tuning) -> None:
    first, *rest = tuning.tuned.choices
    lost = first.model_copy(
        update={"settings": {}, "gain": 0.0, "gain_interval": None, "default_us": 0.0,
                "tuned_us": 0.0, "why": "ring ended as hang in the proof"}
    )  # fmt: skip
    view = tuning_view(changed(tuning.tuned, choices=[lost, *rest]), tuning.searched)
    row = next(r for r in op_of(view, first.op).rows if r.choice == lost)
    assert row.state == "not measured" and row.gain is None and row.share is None
    drawn = [n for t in traces_of(gain_figure(op_of(view, first.op))) for n in t["x"]]
    assert lost.size_bytes not in drawn
    assert "ring ended as hang in the proof" in text_of(render(view, []))
    assert any("proof" in alarm.title for alarm in view.alarms)


def test_all_points_count_as_kept_under_an_environment(tuning: Tuning) -> None:
    tuned = changed(tuning.tuned, environment={"OMPI_MCA_btl_tcp_eager_limit": "131072"})
    view = tuning_view(tuned, tuning.searched)
    assert {row.state for op in view.ops for row in op.rows} == {"kept"}
    assert "OMPI_MCA_btl_tcp_eager_limit=131072" in text_of(render(view, []))


def test_environments_that_were_tried_are_listed_by_the_workloads_time(tuning: Tuning) -> None:
    searched = Searched(tuning.searched.command, dict(tuning.searched.points))
    links = Candidate.of({"OMPI_MCA_btl_tcp_links": "2"})
    searched.environments.tell({DEFAULT: [110.0, 110.0], links: [100.0, 100.0]})
    searched.failed_environments[Candidate.of({"A": "1"})] = "the launch died"
    view = tuning_view(tuning.tuned, searched)
    assert view.environments == ((links.name, 2, 100.0, 1.1), ("no setting", 2, 110.0, 1.0))
    read = text_of(render(view, []))
    assert links.name in read and "A=1: the launch died (the workload)" in read


def test_the_default_is_bold_winners_are_coloured_and_the_rest_is_grey(view: TuningView) -> None:
    op = op_of(view)
    data = traces_of(times_figure(op))
    legend = tuning_legends(view)[f"{op.id}-times"]
    assert len(legend) == len(data)
    default, *winners, rest = data
    assert default["line"]["width"] > max(one["line"]["width"] for one in winners)
    assert default["y"] == [1.0] * len(op.sizes)
    tried = {Candidate.of(row.choice.tried) for row in op.rows if row.choice.tried}
    assert len(winners) == len(tried)
    assert rest["y"].count(None) == len(op.curves) - 1 - len(tried)


def test_what_was_pruned_failed_or_never_seen_is_told_apart(tuning: Tuning) -> None:
    view = tuning_view(tuning.tuned, tuning.searched)
    rows = {row.settings: row for row in op_of(view).grid}
    assert {cell.kind for cell in rows[f"{ALGORITHM}=1"].cells} == {"pruned"}
    assert {cell.kind for cell in rows[f"{ALGORITHM}=6"].cells} == {"failed"}
    assert next(iter(rows)) == "default"
    best = [[row.cells[n].kind for row in rows.values()].count("best") for n in range(4)]
    assert best == [1, 1, 1, 1]
    read = text_of(render(view, []))
    assert "≥" in read and "17 wrong elements" in read


def test_cost_and_what_it_was_made_for(tuning: Tuning) -> None:
    cost, made_for = tuning.tuned.cost, tuning.tuned.made_for
    read = text_of(page_of(tuning.tuned, tuning))
    assert f"{cost.candidates_measured} of {cost.candidates}" in read
    assert "42.5 s, strategy halving" in read and "61.0 s" in read
    for word in (made_for.fabric, *made_for.versions.values(), "2026-01-01"):
        assert word and word in read


def test_shares_of_the_workload_add_up(view: TuningView) -> None:
    shares = [row.share for op in view.ops for row in op.rows]
    assert sum(share for share in shares if share is not None) == pytest.approx(1.0)


def test_every_figure_is_one_that_plotly_takes(view: TuningView) -> None:
    figures, legends = tuning_figures(view), tuning_legends(view)
    assert set(figures) == set(legends) and len(figures) == 2 * len(view.ops)
    for name, figure in figures.items():
        go.Figure(figure)  # raises for what it does not know
        assert len(legends[name]) == len(traces_of(figure))


def test_static_figures_are_drawn_for_every_operation(view: TuningView, tmp_path: Path) -> None:
    written = draw_tuning(view, tmp_path / "figures")
    assert {path.suffix for path in written} == {".png", ".svg"}
    assert len(written) == 2 * len(view.ops)
    assert all(path.stat().st_size > 1000 for path in written)


def test_an_operation_without_bytes_has_its_table_only(tuning: Tuning) -> None:
    barrier = Choice(
        op="barrier", size_bytes=0, datatype="float", redop=None, weight=1.0, settings={},
        tried={}, default_us=30.0, tuned_us=30.0, gain=1.0, gain_interval=None,
        why="the search found nothing surely faster than the default",
    )  # fmt: skip
    view = tuning_view(changed(tuning.tuned, choices=[barrier]), tuning.searched)
    assert tuning_figures(view) == {}
    assert "nothing faster" in text_of(render(view, []))


def test_one_operation_with_two_datatypes_is_two(tuning: Tuning) -> None:
    more = [c.model_copy(update={"datatype": "half"}) for c in tuning.tuned.choices]
    view = tuning_view(changed(tuning.tuned, choices=tuning.tuned.choices + more), tuning.searched)
    assert [op.name for op in view.ops if op.name.startswith("all_reduce")] == [
        "all_reduce float sum", "all_reduce half sum",
    ]  # fmt: skip
    assert len({op.id for op in view.ops}) == len(view.ops)
    render(view, [])


def test_hostile_words_stay_text(tuning: Tuning) -> None:
    made_for = tuning.tuned.made_for.model_copy(
        update={"fabric": HOSTILE, "versions": {HOSTILE: HOSTILE}}
    )
    choices = [c.model_copy(update={"why": HOSTILE}) for c in tuning.tuned.choices]
    tuned = changed(tuning.tuned, made_for=made_for, workload=HOSTILE, choices=choices)
    page = page_of(tuned, tuning)
    assert HOSTILE not in page and page.count("</script>") == 3


def test_the_page_loads_nothing_from_elsewhere(tuning: Tuning) -> None:
    page = page_of(tuning.tuned, tuning)
    own = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert all(link.startswith("#") for link in re.findall(r'(?:href|src)="([^"]*)"', own))
    ids = re.findall(r'\bid="([^"]+)"', own)
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in re.findall(r'href="(#[^"]+)"', own)} <= set(ids)


# Folder and command.


def test_the_page_names_the_files_that_are_there(tuning: Tuning, tmp_path: Path) -> None:
    folder = tmp_path / "found"
    shutil.copytree(tuning.path, folder)
    (folder / "nccl.conf").write_text("NCCL_BUFFSIZE=8388608\n")
    (folder / "notes.txt").write_text("not ours\n")
    assert write_page(tuning.tuned, tuning.searched, folder) == folder / PAGE
    read = text_of((folder / PAGE).read_text(encoding="utf-8")).partition("Files")[2]
    for name in ("tuned.json", "search.jsonl", "proof.json", "nccl.conf", PAGE):
        assert name in PURPOSES and name in read
    assert "ompi-rules.conf" not in read and "notes.txt" not in read


def test_the_report_command_takes_the_folder(
    tuning: Tuning, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "found"
    shutil.copytree(tuning.path, folder)
    figures = tmp_path / "figures"
    assert cli.run_command_line(["report", str(folder), "--figures", str(figures)]) == 0
    assert (folder / PAGE).exists() and len(list(figures.iterdir())) == 4
    assert cli.run_command_line(["report", str(folder), "-o", str(tmp_path / "own.html")]) == 0
    assert (tmp_path / "own.html").exists()
    capsys.readouterr()
    for more, culprit in (
        ([str(folder / "proof.json")], "one alone"),
        (["--fabric", "emulated-4x400m"], "--fabric"),
    ):
        assert cli.run_command_line(["report", str(folder), *more]) == 2
        said = capsys.readouterr().err
        assert culprit in said and said.count("\n") == 1
    (folder / "search.jsonl").unlink()
    assert cli.run_command_line(["report", str(folder)]) == 2
    assert "search.jsonl" in capsys.readouterr().err


# What is read back from the journal.


def answer(key: PointKey, times: dict[str, list[float]], failed: dict[str, str]) -> Answer:
    return Answer(
        point=key,
        environment={},
        samples=2,
        times_us=times,
        failed=failed,
        seconds=0.5,
        spent_seconds=1.0,
    )


def test_a_candidate_that_fails_later_loses_its_times(tmp_path: Path) -> None:
    key, path = point_key("all_reduce", MIB, nodes=None), tmp_path / "search.jsonl"
    with SearchJournal.create(path, ["tune"], STARTED) as journal:
        journal.add(answer(key, {"default": [2.0, 3.0], RING.name: [1.0, 1.0]}, {}))
        journal.add(answer(key, {"default": [4.0, 5.0]}, {RING.name: "1 wrong elements"}))
    (one,) = read_searched(path).of(DEFAULT)
    assert one.history.samples == {DEFAULT: [2.0, 3.0, 4.0, 5.0]}
    assert one.failed == {RING: "1 wrong elements"}


def test_what_theory_ruled_out_is_journalled_once(tmp_path: Path) -> None:
    key, path = point_key("all_reduce", MIB, nodes=None), tmp_path / "search.jsonl"
    pruned = Pruned(point=key, environment={}, least_us={RING.name: 12.5})
    nothing = Pruned(point=key, environment={"A": "1"}, least_us={})
    with SearchJournal.create(path, ["tune"], STARTED) as journal:
        journal.note_pruned(pruned)
        journal.note_pruned(nothing)
    before = path.read_bytes()
    with SearchJournal.reopen(path) as journal:
        journal.note_pruned(pruned)
    assert path.read_bytes() == before
    (one,) = read_searched(path).of(DEFAULT)
    assert one.pruned == {RING: 12.5} and not one.history.samples


def test_the_proof_counts_where_it_has_measured_as_well(tuning: Tuning) -> None:
    assert tuning.proof is not None
    times = {(m.op, m.size_bytes, m.candidate): m.time_us for m in measured_in(tuning)}
    for choice in tuning.tuned.choices:
        if choice.tried:
            tried = Candidate.of(choice.tried)
            assert times[choice.op, choice.size_bytes, tried] == choice.tuned_us
            assert times[choice.op, choice.size_bytes, DEFAULT] == choice.default_us


# In a browser.


def test_a_browser_draws_it_without_a_complaint_at_any_width(
    tuning: Tuning, tmp_path: Path
) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    path = write_page(tuning.tuned, tuning.searched, tmp_path)
    complaints: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-figures=drawn]", timeout=120_000)
        assert page.locator(".chart").count() == page.locator(".js-plotly-plot").count() == 4
        root = "document.documentElement"
        for width in (1280, 800, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_function(f"{root}.scrollWidth <= {root}.clientWidth", timeout=30_000)
        browser.close()
    assert complaints == []
