"""`busbar check` on pairs: a culprit fails, a suspect is unsure, too few pairs are missing."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest
import typer
from networks import two_levels
from rich.console import Console
from typer.testing import CliRunner

from busbar import fabrics
from busbar.check import CheckResult, Verdict
from busbar.check import check as judge
from busbar.check.junit import junit_text
from busbar.check.table import print_result
from busbar.commands.check import check as check_command
from busbar.errors import ExitCode
from busbar.fabrics import Fabric, Limit
from busbar.pairs.groups import Kind
from busbar.pairs.matrix import PairMatrix
from busbar.record.journal import write_record
from pair_records import record_of
from synthetic_pairs import Fault, World, matrix

SLOW = World(6, faults=[Fault(Kind.HOST_EGRESS, (2,), 0.8)])
STAR = fabrics.emulated(6, 400e9, {}, 1.0)


def _check(made: PairMatrix, fabric: Fabric = STAR) -> CheckResult:
    return judge(record_of(made), fabric, accept_fake=True)


def _verdicts(result: CheckResult) -> dict[str, Verdict]:
    return {row.label.rpartition(": ")[2]: row.verdict for row in result.pairs}


def test_a_slow_host_makes_the_verdict_negative_in_one_sentence() -> None:
    result = _check(matrix(SLOW))
    assert result.exit_code is ExitCode.NEGATIVE
    (sentence,) = result.findings
    assert sentence.startswith("host3 sends at ") and sentence.endswith("(one_way 4M default).")
    expected = {f"host{n}": Verdict.PASS for n in range(1, 7)} | {"host3": Verdict.FAIL}
    assert _verdicts(result) == expected


@pytest.mark.parametrize("slower", [1.0, 10.0])
def test_pairs_that_are_all_alike_convict_nobody_and_alone_pass_nothing(slower: float) -> None:
    """They are held against each other: where all are ten times too slow, all are alike."""
    made = matrix(replace(SLOW, faults=()))
    made.isolated.times_us[:] *= slower
    result = _check(made)
    assert (result.exit_code, result.findings) == (ExitCode.INCOMPLETE, ())
    assert set(_verdicts(result).values()) == {Verdict.PASS}
    assert "6 verdicts by pairs: 6 PASS" in result.summary
    assert "held against each other only" in result.summary
    assert "held against each other only" in junit_text(result)


def test_healthy_pairs_hold_beside_a_limit() -> None:
    record = record_of(matrix(replace(SLOW, faults=())))
    limit = {"op": "one_way", "from": "1M", "at_least": 0.5, "reason": "a test"}
    fabric = STAR.model_copy(update={"limits": [Limit.model_validate(limit)]})
    result = judge(record, fabric, accept_fake=True)
    assert result.exit_code is ExitCode.HOLDS, result.summary


def test_suspects_never_pass() -> None:
    for world in (replace(SLOW, launches=1), replace(SLOW, isolated=False, concurrent=True)):
        result = _check(matrix(world))
        assert result.exit_code is ExitCode.INCOMPLETE
        assert _verdicts(result)["host3"] is Verdict.UNSURE
        assert result.findings == ()


def test_a_host_with_too_few_pairs_is_missing() -> None:
    made = matrix(replace(SLOW, faults=()))
    made.isolated.times_us[:, 4, 1:] = float("nan")
    result = _check(made)
    assert _verdicts(result)["host5"] is Verdict.MISSING
    assert result.exit_code is ExitCode.INCOMPLETE


def test_a_pattern_that_is_no_matrix_is_said_not_to_tell() -> None:
    made = matrix(World(6))
    made.isolated.times_us[:, :, 1:] = float("nan")
    result = _check(made)
    assert result.pairs == ()
    assert any("too few to say who is slow" in note for note in result.notes)
    assert result.exit_code is ExitCode.INCOMPLETE


def test_the_leaves_of_the_fabric_are_blamed_rather_than_their_hosts() -> None:
    fabric = two_levels([(400e9, 400e9)] * 9, [(800e9, 800e9)] * 3)
    world = World(9, leaves=3, faults=[Fault(Kind.LEAF_UP, (1,), 0.5)])
    found = _verdicts(_check(matrix(world), fabric))
    assert found["leaf2"] is Verdict.FAIL
    assert all(found[f"host{n}"] is Verdict.PASS for n in range(1, 10))


def test_a_host_that_cannot_be_told_from_its_uplink_is_unsure_and_the_verdict_negative() -> None:
    fabric = two_levels([(400e9, 400e9)] * 4, [(400e9, 400e9)] * 4)
    result = _check(matrix(World(4, leaves=4, faults=[Fault(Kind.HOST_EGRESS, (0,))])), fabric)
    found = _verdicts(result)
    assert found["host1"] is Verdict.UNSURE and found["host1 or leaf1"] is Verdict.FAIL
    assert result.exit_code is ExitCode.NEGATIVE


def test_junit_has_a_case_for_each_host() -> None:
    suite = xml.fromstring(junit_text(_check(matrix(SLOW))))
    cases = suite.findall(".//testcase[@classname='busbar.check.pairs']")
    assert len(cases) == 6
    (failed,) = (case for case in cases if case.find("failure") is not None)
    assert "host3 sends at" in (failed.find("failure").get("message") or "")  # type: ignore[union-attr]
    assert (failed.get("name") or "").endswith(": host3")


def test_the_terminal_names_the_culprit_first() -> None:
    text = StringIO()
    print_result(Console(file=text, width=200), _check(matrix(SLOW)))
    assert text.getvalue().startswith("host3 sends at ")
    assert "FAIL pairs one_way 4M default: host3: named above." in text.getvalue()


def test_the_command_takes_a_site_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("busbar.commands.check.judge", _judge_fake)
    world = World(9, leaves=3, faults=[Fault(Kind.LEAF_UP, (1,), 0.5)])
    write_record(record_of(matrix(world)), tmp_path / "pairs.json")
    (tmp_path / "topology.conf").write_text(
        "".join(f"SwitchName=rack{n} Nodes=host[{3 * n + 1}-{3 * n + 3}]\n" for n in range(3))
    )
    app = typer.Typer()
    app.command()(check_command)
    record, sites = str(tmp_path / "pairs.json"), str(tmp_path / "topology.conf")
    arguments = [record, "--fabric", "emulated-10x100m", "--sites", sites]
    result = CliRunner().invoke(app, arguments)
    assert "The uplink of rack1" in result.output.replace("\n", " ")


def _judge_fake(*arguments: object, **more: object) -> CheckResult:
    return judge(*arguments, **more, accept_fake=True)  # type: ignore[arg-type]
