"""`busbar check` and `busbar theory` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from busbar.commands.check import check as check_command
from busbar.commands.theory import theory as theory_command
from busbar.errors import ExitCode, UsageError
from busbar.record.journal import write_record
from factories import Example, Row, mixed_rows, record, record_of

MIB = 1 << 20
GOOD = Row("send_recv", 4 * MIB, 0.985)


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command("check")(check_command)
    app.command("theory")(theory_command)
    return app


def _written(tmp_path: Path, rows: list[Row]) -> Path:
    path = tmp_path / "run.json"
    write_record(record_of(rows, overrides={"fake": False}), path)
    return path


def test_the_check_command_exits_with_the_verdict(tmp_path: Path) -> None:
    path, junit = _written(tmp_path, mixed_rows()), tmp_path / "check.xml"
    arguments = ["check", str(path), "--fabric", "emulated-4x400m", "--junit", str(junit)]
    result = CliRunner().invoke(_app(), arguments)
    assert result.exit_code == ExitCode.NEGATIVE
    assert result.output.startswith("Run example (emulated: not real hardware) against")
    assert junit.read_text().startswith("<?xml")


def test_the_check_command_takes_the_fabric_of_the_emulation(tmp_path: Path) -> None:
    document = json.loads(_written(tmp_path, [Row("send_recv", 4 * MIB, 0.985)]).read_text())
    document["run"]["emulation"] = {"hosts": 4, "rate_bps": 100e6, "burst_bytes": 65536}
    path = tmp_path / "slow.json"
    path.write_text(json.dumps(document))
    result = CliRunner().invoke(_app(), ["check", str(path)])
    assert "emulated-4x100m" in result.output
    assert result.exit_code == ExitCode.NEGATIVE


def test_the_check_command_accepts_a_share_of_slowed_blocks(tmp_path: Path) -> None:
    path = _written(tmp_path, [Row("send_recv", 4 * MIB, 0.985)])
    document = json.loads(path.read_text())
    for n, block in enumerate(document["points"][0]["blocks"]):
        block["throttled"] = n == 0  # one of five
    path.write_text(json.dumps(document))
    words = ["check", str(path), "--fabric", "emulated-4x400m"]
    refused = CliRunner().invoke(_app(), words)
    assert "1 of 5 blocks ran on GPUs slowed" in " ".join(refused.output.split())
    assert refused.exit_code == ExitCode.INCOMPLETE
    assert CliRunner().invoke(_app(), [*words, "--max-throttled", "0.19"]).exit_code == 3
    assert CliRunner().invoke(_app(), [*words, "--max-throttled", "0.2"]).exit_code == 0


@pytest.mark.parametrize("option", ["--max-throttled", "--max-spoiled", "--max-dip", "--max-apart"])
@pytest.mark.parametrize("value", ["-0.1", "1.01", "nan", "inf"])
def test_the_check_command_refuses_what_is_no_share(
    tmp_path: Path, option: str, value: str
) -> None:
    path = _written(tmp_path, [Row("send_recv", 4 * MIB, 0.985)])
    result = CliRunner().invoke(_app(), ["check", str(path), option, value])
    assert isinstance(result.exception, UsageError)
    assert result.exception.message == (
        f"{option} {value} is no share; accepted is a number from 0 to 1."
    )


@pytest.mark.parametrize("value", ["0.99", "nan", "inf"])
def test_the_check_command_refuses_what_is_no_factor(tmp_path: Path, value: str) -> None:
    path = _written(tmp_path, [Row("send_recv", 4 * MIB, 0.985)])
    result = CliRunner().invoke(_app(), ["check", str(path), "--max-spread", value])
    assert isinstance(result.exception, UsageError)
    assert "accepted is 1 or more" in result.exception.message


def test_the_check_command_takes_limits_of_the_site(tmp_path: Path) -> None:
    path, limits = _written(tmp_path, [Row("gather", 4 * MIB, 0.9)]), tmp_path / "site.toml"
    words = ["check", str(path), "--fabric", "emulated-4x400m"]
    assert CliRunner().invoke(_app(), words).exit_code == ExitCode.INCOMPLETE
    for at_least, code in (("0.8", ExitCode.HOLDS), ("0.95", ExitCode.NEGATIVE)):
        limits.write_text(
            f'[[limits]]\nop = "gather"\nfrom = "1M"\nat_least = {at_least}\nreason = "ours"\n'
        )
        assert CliRunner().invoke(_app(), [*words, "--limits", str(limits)]).exit_code == code


@pytest.mark.parametrize("content", ["", "{", '{"schema_version": "9.0.0"}'])
def test_the_check_command_refuses_what_it_cannot_read(tmp_path: Path, content: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(content)
    result = CliRunner().invoke(_app(), ["check", str(path), "--fabric", "local"])
    assert isinstance(result.exception, UsageError)


def test_a_fabric_of_a_file_is_asked_for(tmp_path: Path) -> None:
    document = record(Example())
    run = document.run.model_copy(update={"fabric": "our-cluster", "emulation": None})
    path = tmp_path / "run.json"
    path.write_text(document.model_copy(update={"run": run}).model_dump_json())
    result = CliRunner().invoke(_app(), ["check", str(path)])
    assert isinstance(result.exception, UsageError)
    assert "'our-cluster', which is not in the catalogue" in result.exception.message


def test_the_theory_command_shows_each_size() -> None:
    arguments = ["theory", "emulated", "--hosts", "4", "--rate", "host2=100mbit",
                 "--op", "all_reduce", "--min", "512K", "--max", "2M"]  # fmt: skip
    result = CliRunner().invoke(_app(), arguments)
    assert result.exit_code == 0
    for word in ("512K", "1M", "2M", "link of host2, egress", "79.26 ms"):
        assert word in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["emulated", "--rate", "fast"], "'fast'"),
        (["local", "--hosts", "3"], "accepted is fabric 'emulated'"),
        (["emulated-4x400m", "--op", "all_redcue"], "'all_redcue' is unknown"),
        (["emulated-4x400m", "--min", "12Q"], "'12Q'"),
        (["emulated-4x400m", "--min", "2M", "--max", "1M"], "2M is above largest size 1M"),
        (["emulated-4x400m", "--ranks-per-node", "0"], "0 ranks per node"),
        (["nowhere"], "'nowhere' is unknown: accepted are names that busbar fabrics list"),
    ],
)
def test_the_theory_command_refuses_in_one_sentence(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(_app(), ["theory", *arguments])
    assert isinstance(result.exception, UsageError)
    assert sentence in result.exception.message
