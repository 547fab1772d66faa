"""The command line as a whole: its commands, and what each loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from busbar.cli import COMMANDS, parse_options, run_command_line


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["--help"]) == 0
    said = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in said] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line([name, "--help"]) == 0
    assert f"busbar {name}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["theory", "--nonsense"]])
def test_what_is_unknown_is_named_in_one_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(arguments) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "nonsense" in sentence


def test_options_are_read_without_carrying_anything_out() -> None:
    assert parse_options(["run", "all_reduce", "--ranks", "3"])["ranks"] == 3


@pytest.mark.parametrize(
    ("name", "libraries"),
    [
        ("run", {"matplotlib", "plotly", "optuna", "jinja2"}),
        ("theory", {"matplotlib", "plotly", "optuna", "jinja2", "scipy", "numpy"}),
        ("check", {"matplotlib", "plotly", "optuna", "jinja2"}),
        ("report", {"matplotlib", "optuna"}),
        ("tune", {"matplotlib", "plotly", "optuna", "jinja2"}),
    ],
)
def test_a_command_loads_no_libraries_of_others(name: str, libraries: set[str]) -> None:
    """Each of these takes up to a second, on every call."""
    program = f"import sys; from busbar.cli import application; application(['{name}']); "
    program += "print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert libraries & set(loaded) == set()
