"""The command line `python -m busbar.emulate --hosts 4 --rate 400mbit -- COMMAND`."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from busbar.emulate.launch import run
from busbar.emulate.requirements import preflight
from busbar.emulate.spec import spec_from_options

BAD_USAGE = 2


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_USAGE, f"busbar emulate: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command on an emulated fabric and return its exit code; 2 if that cannot be."""
    options = _parser().parse_args(argv)
    command: list[str] = options.command[1:] if options.command[:1] == ["--"] else options.command
    try:
        spec = spec_from_options(
            options.hosts,
            options.rate,
            leaves=options.leaves,
            uplinks=options.uplink,
            aggregators=options.aggregators,
        )
    except ValueError as error:
        return _refuse(str(error))
    if not command:
        return _refuse("there is no command to run: give it after '--'")
    if (missing := preflight(mpi=False)) is not None:
        return _refuse(missing)
    return run(spec, command)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="busbar emulate",
        description="Run a command on the login host of an emulated fabric; "
        "in it, a bare 'mpirun PROGRAM' runs one rank on every host.",
        allow_abbrev=False,
    )
    parser.add_argument("--hosts", type=int, help="how many (default: two for each core)")
    parser.add_argument(
        "--rate",
        action="append",
        default=[],
        help="of every link, or of one host's as host2=100mbit, host2.tx=… (sends) or "
        "host2.rx=… (receives); may be repeated",
    )
    parser.add_argument(
        "--leaves",
        type=int,
        default=1,
        help="switches that share the hosts, joined by a spine (default: 1, without a spine)",
    )
    parser.add_argument(
        "--uplink",
        action="append",
        default=[],
        help="rate of every leaf's link to the spine, each way, or of one leaf's as leaf2=400mbit, "
        "leaf2.tx=… (to the spine) or leaf2.rx=…; may be repeated",
    )
    parser.add_argument(
        "--aggregators",
        type=int,
        default=0,
        help="processes for which every switch SWITCH gets a host SWITCH-agg, on a link that is "
        "not shaped (default: 0, no such hosts)",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    return parser


def _refuse(sentence: str) -> int:
    print(f"busbar emulate: {sentence}", file=sys.stderr)
    return BAD_USAGE
