"""Finds a workload by what the user named: a preset, a file, or what was captured."""

from __future__ import annotations

from pathlib import Path

from busbar.errors import UsageError
from busbar.tune.capture.select import Wanted
from busbar.tune.capture.workload import captured_workload
from busbar.tune.workload import PRESETS, Workload, presets, read_workload


def load_workload(
    name_or_path: str,
    *,
    ranks: int | None = None,
    nodes: int | None = None,
    transport: str | None = None,
) -> Workload:
    """A preset by its name, a `.toml` or `.json` file, or a capture: a `.jsonl` file or a folder.

    `ranks`, `nodes` and `transport` choose among the communicators of a capture. Raises UsageError,
    one sentence, where there is no such workload, where it cannot be used, where a capture leaves
    a choice, and where a workload that was seen on some number of ranks is wanted for another.
    """
    workload = _find(name_or_path, Wanted(transport, ranks, nodes))
    if ranks is not None and workload.ranks not in (None, ranks):
        raise UsageError(
            f"{name_or_path} was seen on {workload.ranks} ranks, not {ranks}: a workload is for "
            "the number of ranks that it was seen on."
        )
    return workload


def _find(name_or_path: str, wanted: Wanted) -> Workload:
    if name_or_path in presets():
        return read_workload(PRESETS / f"{name_or_path}.toml")
    path = Path(name_or_path)
    if path.suffix in (".toml", ".json"):
        return read_workload(path)
    if path.suffix == ".jsonl" or path.is_dir():
        return captured_workload(path, wanted)
    raise UsageError(
        f"workload '{name_or_path}' is unknown: accepted are {', '.join(presets())}, a .toml or "
        ".json file, and what was captured, a .jsonl file or a folder of these."
    )
