"""The `busbar` command: one subcommand a file, errors as one sentence and an exit code."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from busbar.commands.check import check
from busbar.commands.doctor import doctor
from busbar.commands.emulate import emulate
from busbar.commands.import_ import import_
from busbar.commands.predict import predict
from busbar.commands.report import report
from busbar.commands.run import run
from busbar.commands.theory import theory
from busbar.commands.tune import tune
from busbar.errors import BusbarError, ExitCode

app = typer.Typer(
    name="busbar",
    help="Measure a cluster's collective communication, judge it against theory.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command()(run)
app.command()(theory)
app.command()(check)
app.command()(report)
app.command()(tune)
app.command()(predict)
app.command()(doctor)
app.command(name="import")(import_)
app.command(context_settings={"allow_interspersed_args": False})(emulate)


def parse_options(argv: list[str]) -> dict[str, Any]:
    """The options of a command line, the subcommand first, without carrying it out."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return group.commands[argv[0]].make_context(argv[0], argv[1:]).params


def main() -> None:
    """Entry point."""
    raise SystemExit(run_command_line(sys.argv[1:]))


def run_command_line(argv: list[str]) -> int:
    """Carry out a command line; the exit code, with one sentence on standard error unless 0."""
    try:
        code = app(argv, standalone_mode=False)
    except BusbarError as error:
        return _explain(error.message, error.exit_code)
    except typer.Exit as ended:
        return ended.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _explain("interrupted", ExitCode.INCOMPLETE)
    except typer.TyperException as error:
        return _explain(error.format_message(), ExitCode.USAGE)
    return code if isinstance(code, int) else 0


def _explain(sentence: str, code: ExitCode) -> int:
    print(f"busbar: {sentence}", file=sys.stderr)
    return int(code)
