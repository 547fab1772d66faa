"""`busbar check`: does a record hold against what the fabric can do?"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from busbar import fabrics
from busbar.check import check as judge
from busbar.check.documents import Documents
from busbar.check.table import print_result
from busbar.check.thresholds import DEFAULT, Thresholds
from busbar.errors import UsageError
from busbar.fabrics import Fabric
from busbar.fabrics.site_limits import changes, with_limits
from busbar.pairs.site_formats import load as load_sites
from busbar.record.load import load_with_sha256
from busbar.record.models import Run
from busbar.terminal import console


def check(
    record: Annotated[
        Path, typer.Argument(help="Run record (.json), or the journal of a run (.journal.jsonl).")
    ],
    fabric: Annotated[
        str | None,
        typer.Option(
            help="Fabric to judge against: name or .toml file. "
            "Default: the one the record was measured on."
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(help="Also write the verdicts to this file as JUnit XML.")
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(help="Also write a page to print and sign: every row, waivers, versions."),
    ] = None,
    as_json: Annotated[
        Path | None,
        typer.Option("--json", help="Also write the verdicts to this file as JSON."),
    ] = None,
    max_spoiled: Annotated[
        float,
        typer.Option(
            help="Accepted share of samples with drops or retransmits, 0 to 1.", metavar="SHARE"
        ),
    ] = DEFAULT.spoiled,
    max_throttled: Annotated[
        float,
        typer.Option(
            help="Accepted share of blocks that ran on GPUs with slowed clocks, 0 to 1.",
            metavar="SHARE",
        ),
    ] = DEFAULT.throttled,
    max_dip: Annotated[
        float,
        typer.Option(
            help="Accepted fall of bus bandwidth (or of time) from size to size, 0 to 1.",
            metavar="SHARE",
        ),
    ] = DEFAULT.dip,
    max_apart: Annotated[
        float,
        typer.Option(
            help="Accepted loss against the same point the other way round, 0 to 1.",
            metavar="SHARE",
        ),
    ] = DEFAULT.apart,
    max_spread: Annotated[
        float,
        typer.Option(
            help="Accepted ratio of a row's slowest launch to its fastest, 1 or more.",
            metavar="FACTOR",
        ),
    ] = DEFAULT.spread,
    limits: Annotated[
        Path | None,
        typer.Option(
            help="TOML with [[limits]] and [[counters]] of this site: they replace the fabric's of "
            "the same operation, variant and size, or of the same name."
        ),
    ] = None,
    sites: Annotated[
        Path | None,
        typer.Option(
            help="Where hosts hang, to blame leaves rather than their hosts for slow pairs: our "
            ".toml, Slurm's topology.conf, output of ibnetdiscover or lldpctl -f keyvalue (a "
            "folder: one file per host). Default: the fabric's leaves."
        ),
    ] = None,
) -> None:
    """Judge every row of a record against the bound and the limits of its fabric.

    A row passes only if the whole 95 % interval over launches is above its limit. What is missing,
    uncertain, unverified or faster than physics never passes, nor does a row whose launches differ
    too much, or whose variant asks for reduction in the network where the bytes do not show that it
    took place. What it gained follows. A row also fails that dips between sizes, or is slower than
    the same the other way round. With many rows one fails by figures only where chance would not
    have failed any of them in 99 runs of 100. Counters of faults are held against the fabric's.
    Where pairs were measured, slow hosts, uplinks and paths are named; each is a negative verdict.
    What is unsure names the measurement that would settle it. Which hosts of a GPU cluster share an
    NVLink domain, or a group of switches, no record says: the bound is that of the most favourable
    placement of as many (simulated hosts are the fabric's first, in order).

    Exit code: 0 every judged row holds; 1 a row failed, had wrong data, beat physics or ran
    otherwise than its variant asks, a counter is above its limit, or a host, uplink or path is
    slow; 2 input that cannot be read; 3 a required row is missing or uncertain, a plan left part of
    the system out, a counter was not read, or no row was judged (pairs alone are none); 4 a hang.

    Examples:

    busbar check run.json

    busbar check run.json --fabric emulated-4x400m

    busbar check run.journal.jsonl --fabric ./our-cluster.toml --junit check.xml

    busbar check run.json --limits ./our-limits.toml

    busbar check pairs.json --sites /etc/slurm/topology.conf

    busbar check acceptance.json --certificate acceptance.html --json acceptance-verdicts.json
    """
    documents = Documents(junit, certificate, as_json)
    documents.refuse(path for path in (record, limits, sites) if path is not None)
    documents.clear()
    _refuse_other_than_share("--max-spoiled", max_spoiled)
    _refuse_other_than_share("--max-throttled", max_throttled)
    _refuse_other_than_share("--max-dip", max_dip)
    _refuse_other_than_share("--max-apart", max_apart)
    if not 1 <= max_spread < math.inf:
        raise UsageError(f"--max-spread {max_spread:g} is no factor; accepted is 1 or more.")
    document, sha256 = load_with_sha256(record)
    against = _fabric(document.run, fabric)
    notes: tuple[str, ...] = ()
    if limits is not None:
        own, against = against, with_limits(against, limits)
        notes = (f"Limits are those of {limits} where it has any.", *changes(own, against))
    result = judge(
        document,
        against,
        thresholds=Thresholds(max_spoiled, max_throttled, max_dip, max_apart, max_spread),
        sites=None if sites is None else load_sites(sites),
    )
    result = replace(result, notes=(*notes, *result.notes))
    documents.write(result, document, against, record, sha256)
    print_result(console(), result)
    raise typer.Exit(int(result.exit_code))


def _refuse_other_than_share(option: str, value: float) -> None:
    if not 0 <= value <= 1:  # nan is none either: nothing is more than it, so it would accept all
        raise UsageError(f"{option} {value:g} is no share; accepted is a number from 0 to 1.")


def _fabric(run: Run, name: str | None) -> Fabric:
    """The fabric asked for, else the run's own."""
    if name is None and run.emulation is None and run.fabric not in (None, *fabrics.names()):
        raise UsageError(
            f"run '{run.id}' was measured on fabric '{run.fabric}', which is not in the catalogue: "
            "give its file with --fabric."
        )
    found = fabrics.load(name) if name is not None else fabrics.for_run(run)
    if found is None:
        raise UsageError(f"run '{run.id}' names no fabric: give one with --fabric.")
    return found
