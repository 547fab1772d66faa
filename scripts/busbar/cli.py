"""The `busbar` command: one subcommand a file, errors as one sentence and an exit code."""

from __future__ import annotations

import sys
from importlib import import_module
from keyword import iskeyword
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from busbar.errors import BusbarError, ExitCode

COMMANDS: dict[str, dict[str, Any]] = {
    "run": {},
    "theory": {},
    "check": {},
    "report": {},
    "tune": {},
    "predict": {},
    "doctor": {},
    "import": {},
    "fabrics": {},
    "claims": {},
    "emulate": {"context_settings": {"allow_interspersed_args": False}},
}
"""What Typer is told of the function of that name, in the module of `busbar.commands` of that name;
both end in an underscore where Python has the word itself. In place of a function there may be an
application, whose commands are subcommands."""


def application(argv: list[str]) -> typer.Typer:
    """The command line's application.

    It knows all commands where none is named, as for --help, and else the named one alone: each
    loads libraries of its own, which take longer than most of what commands do.
    """
    app = typer.Typer(
        name="busbar",
        help="Measure a cluster's collective communication, judge it against theory.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )
    app.callback()(_group)
    for name in argv[:1] if argv and argv[0] in COMMANDS else COMMANDS:
        python_name = f"{name}_" if iskeyword(name) else name
        found = getattr(import_module(f"busbar.commands.{python_name}"), python_name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, **COMMANDS[name])
        else:
            app.command(name, **COMMANDS[name])(found)
    return app


def _group() -> None:
    """Makes commands of an application with a single one; without it that would be all of it."""


def parse_options(argv: list[str]) -> dict[str, Any]:
    """The options of a command line, the subcommand first, without carrying it out."""
    group = get_command(application(argv))
    assert isinstance(group, TyperGroup)
    return group.commands[argv[0]].make_context(argv[0], argv[1:]).params


def main() -> None:
    """Entry point."""
    raise SystemExit(run_command_line(sys.argv[1:]))


def run_command_line(argv: list[str]) -> int:
    """Carry out a command line; the exit code, with one sentence on standard error unless 0."""
    try:
        code = application(argv)(argv, standalone_mode=False)
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
