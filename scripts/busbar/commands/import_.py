"""`busbar import`: other tools' results become a run record."""

from __future__ import annotations

import hashlib
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from busbar import fabrics
from busbar.errors import UsageError
from busbar.importers.detect import load, read
from busbar.importers.nccl_tests import OPS
from busbar.importers.placing import parse_given
from busbar.importers.to_record import Document, make_record
from busbar.launch.runner import utc_now
from busbar.record.journal import write_record
from busbar.terminal import console

_EXAMPLES = """
[bold]Examples[/bold]

  busbar import all_reduce.txt --output old.json --fabric ./our-cluster.toml

  busbar import run1.json run2.json run3.json --output nccl-tests.json

  busbar import osu_allreduce.txt --hosts node1,node2 --ranks-per-node 8 --output osu.json

  busbar import old-version.txt --op all_gather --output old.json

[bold]Exit code[/bold]: 0 written · 2 a file that cannot be read. Nothing is judged here: busbar
check and busbar report take the record as any other, and say that it is imported.
"""


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Text of nccl-tests or OSU micro-benchmarks, or JSON of nccl-tests (-J). Each "
            "launch in them becomes a launch of the record.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The run record to write, NAME.json.")
    ],
    fabric: Annotated[
        str | None,
        typer.Option(help="Fabric that it ran on: name or .toml file, for check and report."),
    ] = None,
    hosts: Annotated[
        str | None,
        typer.Option(help="HOST,HOST in the order of ranks, where the output does not say them."),
    ] = None,
    ranks_per_node: Annotated[
        int | None, typer.Option(help="Consecutive ranks on each of --hosts.")
    ] = None,
    op: Annotated[
        str | None,
        typer.Option(
            help="Operation of nccl-tests' text before 2.17, which does not name it: "
            f"{', '.join(OPS.values())}."
        ),
    ] = None,
) -> None:
    """Turn other tools' results into a run record, to judge, compare and report them.

    A time in such output is one mean of one launch. So a single output can never pass a check: it
    has no interval over launches. Give the outputs of several launches of the same thing, five or
    more, to get one. What the tool does not tell is null in the record, and said on every page.
    """
    if op is not None and op not in OPS.values():
        raise UsageError(f"--op '{op}' is not known; accepted are {', '.join(OPS.values())}.")
    if output.suffix != ".json":
        raise UsageError(f"--output {output} is no name of a record; accepted is NAME.json.")
    if output.exists():
        raise UsageError(f"{output} already exists: choose another name.")
    given = parse_given(hosts, ranks_per_node)
    if fabric is not None:
        fabrics.load(fabric)  # refuses what cannot be read now rather than when it is judged
    documents = [_document(path, op) for path in files]
    record = make_record(
        documents,
        given,
        command=["busbar", *sys.argv[1:]],
        fabric=fabric,
        now=utc_now(),
    )
    write_record(record, output)
    launches, points = len(record.launches), len(record.points)
    out = console()
    out.print(
        f"Imported: {launches} {'launch' if launches == 1 else 'launches'}, {points} points in "
        f"{escape(shlex.quote(str(output)))}",
        soft_wrap=True,
        highlight=False,
    )
    for problem in record.problems:
        out.print(escape(problem.reason), style="bold red", soft_wrap=True, highlight=False)


def _document(path: Path, op: str | None) -> Document:
    source, content = load(path)
    return Document(source, hashlib.sha256(content).hexdigest(), read(source, op))


import_.__doc__ = f"{import_.__doc__}\n{_EXAMPLES}"
