"""`busbar run --plan`: a run in stages that fits a budget of seconds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from busbar.errors import ExitCode, UsageError
from busbar.launch.options import parse_observe
from busbar.launch.plans.document import PLANS
from busbar.launch.plans.mechanisms import this_machine
from busbar.launch.plans.staged import Asked, prepare
from busbar.launch.plans.table import print_plan
from busbar.launch.runner import default_output
from busbar.launch.where import Where
from busbar.pairs.site_formats import load as load_sites
from busbar.terminal import console

_DECIDED = {
    "operations": "operations", "nodes": "--nodes", "split": "--split", "pattern": "--pattern",
    "isolated": "--isolated", "in_network": "--in-network", "min_bytes": "-b", "max_bytes": "-e",
    "factor": "-f", "datatype": "-d", "redop": "-o", "root": "-r", "in_place": "--in-place",
    "graph": "--graph", "registration": "--registration", "timing": "--timing",
    "variant": "--variant", "tuned": "--tuned", "launches": "--launches",
    "relative_ci": "--relative-ci", "min_samples": "--min-samples", "max_samples": "-n",
    "max_seconds": "--max-seconds",
}  # fmt: skip
"""What a plan says itself, by the name of the parameter."""


def refuse_beside_plan(context: typer.Context) -> None:
    """Raises UsageError naming the first option that a plan decides."""
    for name, option in _DECIDED.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise UsageError(
                f"{option}: a plan says itself what is measured, and how often; accepted beside "
                "--plan is where, --budget, --sites, --fabric, --observe and deadlines."
            )


def run_plan(given: Mapping[str, Any], command: list[str]) -> int:
    """Prepare, show, and unless it is a dry run carry out; the exit code."""
    budget = given["budget"]
    if budget is not None and not budget > 0:
        raise UsageError(f"--budget {budget:g}: accepted is a number of seconds above 0.")
    asked = Asked(
        document=PLANS.load(given["plan"]),
        budget_seconds=budget,
        fabric=given["fabric"],
        sites=None if given["sites"] is None else load_sites(given["sites"]),
        deadline_seconds=given["deadline"],
        init_deadline_seconds=given["init_deadline"],
        seed=given["seed"],
        # Simulated MPI has nothing that looks on.
        observe=parse_observe("none" if given["on"] == "simulated" else given["observe"], "widest"),
    )
    output = given["output"] or default_output(Path())
    if output.exists():
        raise UsageError(f"{output} exists; choose another --output, records are not replaced.")
    staged = prepare(command, Where.of(given), asked, this_machine())
    print_plan(console(), staged)
    if given["dry_run"]:
        return int(ExitCode.HOLDS)
    return staged.job.carry_out(output)
