"""What the benchmarks share: a record of a run made just now."""

from __future__ import annotations

import tempfile
from pathlib import Path

from busbar.cli import run_command_line
from busbar.record.load import load
from busbar.record.models import Point, RunRecord


def run_record(arguments: list[str]) -> RunRecord:
    """`busbar run ARGUMENTS`, and its record."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.json"
        code = run_command_line(["run", *arguments, "--output", str(path)])
        if code != 0:
            raise SystemExit(f"the run ended with exit code {code}")
        return load(path)


def label(point: Point) -> str:
    """Operation and size."""
    return f"{point.key.op} {point.key.size_bytes} B {point.key.timing}"
