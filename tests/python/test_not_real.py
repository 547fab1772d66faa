"""Every page and output of a judge says of simulated figures that they are: also cut out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest
from rich.console import Console
from tuned_folders import FolderSpec, write_folder

from busbar.check import CheckResult, check
from busbar.check.junit import junit_text
from busbar.check.table import print_result
from busbar.check.verdict_json import verdicts_of
from busbar.cli import run_command_line
from busbar.launch.console import RunConsole
from busbar.launch.slots import Slot
from busbar.record.journal import write_record
from busbar.record.models import RunRecord
from busbar.record.origin import unreal_lines
from busbar.report import certificate, page, tuning_page
from busbar.report.certificate_facts import Source as CertificateSource
from busbar.report.static import draw
from busbar.report.tuning_view import tuning_view
from busbar.tune.measured import read_tuning
from factories import IN_NETWORK, KIB, MIB, Row, block_line
from scaled import FABRIC, judged, scaled

SHARES = {
    (variant, size, hosts): 0.9
    for variant in ("default", IN_NETWORK)
    for size in (64 * KIB, MIB)
    for hosts in (4, 8, 16)
}
REAL = {"simulated": False, "on": "hostfile"}
SAID = re.compile("simulated", re.IGNORECASE)

Output = Callable[[RunRecord, CheckResult, Path], str]


def _page(record: RunRecord, _: CheckResult, __: Path) -> str:
    return page.render([judged(record)], [page.Source("run", "run.json", "0" * 64)])


def _certificate(record: RunRecord, result: CheckResult, _: Path) -> str:
    source = CertificateSource("run.json", "0" * 64, ["busbar", "check", "run.json"])
    return certificate.render(result, record, FABRIC, source)


def _table(_: RunRecord, result: CheckResult, __: Path) -> str:
    out = StringIO()
    print_result(Console(file=out, width=120), result)
    return out.getvalue()


def _junit(_: RunRecord, result: CheckResult, __: Path) -> str:
    return junit_text(result)


def _json(record: RunRecord, result: CheckResult, _: Path) -> str:
    return verdicts_of(result, record, FABRIC, "run.json", "0" * 64).model_dump_json()


def _live(record: RunRecord, _: CheckResult, __: Path) -> str:
    out = StringIO()
    console = RunConsole(
        Console(file=out, width=120), lambda *_: 0.9, unreal_lines(record.run)
    )  # fmt: skip
    console.block(Slot(0, 0, "measure", {}, []), block_line(Row("all_reduce", MIB), 0, [100.0]))
    return out.getvalue()


def _tuning(record: RunRecord, _: CheckResult, folder: Path) -> str:
    tuning = read_tuning(write_folder(folder / "found", FolderSpec()))
    made_for = tuning.tuned.made_for.model_copy(update={"on": record.run.on, "fake": False})
    tuned = tuning.tuned.model_copy(update={"made_for": made_for})
    return tuning_page.render(tuning_view(tuned, tuning.searched), [])


OUTPUTS: dict[str, Output] = {
    "page": _page, "certificate": _certificate, "table": _table, "junit": _junit, "json": _json,
    "live": _live, "tuning": _tuning,
}  # fmt: skip


def output_of(name: str, record: RunRecord, folder: Path) -> str:
    return OUTPUTS[name](record, check(record, FABRIC), folder)


@pytest.fixture(scope="module")
def simulated() -> RunRecord:
    return scaled(SHARES, op="all_reduce")


@pytest.fixture(scope="module")
def real() -> RunRecord:
    return scaled(SHARES, op="all_reduce", **REAL)


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_says_that_it_is_simulated(
    name: str, simulated: RunRecord, tmp_path: Path
) -> None:
    assert SAID.search(_shown(output_of(name, simulated, tmp_path)))


@pytest.mark.parametrize("name", [name for name in OUTPUTS if name != "json"])
def test_of_real_hardware_nothing_of_the_kind_is_said(
    name: str, real: RunRecord, tmp_path: Path
) -> None:
    assert not SAID.search(_shown(output_of(name, real, tmp_path)))


def _shown(text: str) -> str:
    """Without scripts and styles, which every page has; data stays."""
    kept = re.sub(r"<style>.*?</style>|<script>.*?</script>", " ", text, flags=re.DOTALL)
    return kept.replace('"simulated":false', "")


@pytest.mark.parametrize("name", ["page", "certificate", "tuning"])
def test_every_section_and_figure_of_a_page_says_it(
    name: str, simulated: RunRecord, tmp_path: Path
) -> None:
    text = output_of(name, simulated, tmp_path)
    assert '<div class="banner simulated"' in text
    assert re.search(r"<title>SIMULATED · ", text)
    headings = re.findall(r"<h2>.*?</h2>", text)
    assert headings
    assert all('<span class="mark">SIMULATED</span>' in heading for heading in headings)
    if name == "certificate":
        return  # it has no figures
    figures = json.loads(text.split('id="figure-data">')[1].split("</script>")[0])
    assert figures
    for identity, figure in figures.items():
        said = [note["text"] for note in figure["layout"]["annotations"]]
        assert "<b>SIMULATED</b>" in said, identity


def test_the_figure_that_the_page_itself_draws_has_it_too(simulated: RunRecord) -> None:
    text = OUTPUTS["page"](simulated, check(simulated, FABRIC), Path())
    assert 'id="distribution-chart" data-mark="SIMULATED"' in text


def test_every_case_and_sentence_of_a_verdict_says_it(simulated: RunRecord) -> None:
    result = check(simulated, FABRIC)
    suite = xml.fromstring(junit_text(result)).find("testsuite")
    assert suite is not None
    assert "(simulated: not real hardware)" in (suite.get("name") or "")
    cases = [case for case in suite if case.get("classname") == "busbar.check"]
    told = [
        case.findtext("system-out") or "" for case in cases if case.find("system-out") is not None
    ]
    assert len(told) == len(result.rows)
    assert all(text.endswith("(simulated: not real hardware)") for text in told)
    document = verdicts_of(result, simulated, FABRIC, "run.json", "0" * 64)
    assert document.record.simulated
    assert document.sentence.endswith("Simulated: not real hardware.")
    assert result.summary.endswith("Simulated: not real hardware.")


def test_every_picture_says_it(simulated: RunRecord, tmp_path: Path) -> None:
    written = [path for path in draw([judged(simulated)], tmp_path) if path.suffix == ".svg"]
    assert len(written) > 5
    for path in written:
        assert "SIMULATED" in path.read_text(encoding="utf-8"), path.name


def test_the_verdict_on_a_claim_says_it_in_its_very_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for changes, said in (({}, True), (REAL, False)):
        path = tmp_path / f"{said}.json"
        write_record(scaled(SHARES, op="all_reduce", fabric=None, **changes), path)
        run_command_line(["claims", "check", "in-network-1.8x", str(path)])
        verdict = capsys.readouterr().out.splitlines()[-1]
        assert ("in-network-1.8x (simulated: not real hardware):" in verdict) is said, verdict


def test_only_some_records_simulated_are_named(simulated: RunRecord, real: RunRecord) -> None:
    two = [judged(real), judged(simulated)]
    renamed = [
        one.__class__(**{**vars(one), "name": name})
        for one, name in zip(two, ("ours", "theirs"), strict=True)
    ]
    sources = [page.Source(name, f"{name}.json", "0" * 64) for name in ("ours", "theirs")]
    text = page.render(renamed, sources)
    assert '<span class="mark">SIMULATED: theirs</span>' in text
