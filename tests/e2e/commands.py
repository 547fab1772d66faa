"""The `busbar` command as this interpreter runs it, for the end-to-end tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import jsonschema
import pytest

from busbar.emulate import preflight
from busbar.record.load import load
from busbar.record.models import RunRecord
from busbar.record.schema import schema
from conftest import BIN

EMULATION = pytest.mark.skipif(preflight() is not None, reason=str(preflight()))
QUICK = ["--max-samples", "6", "-n", "6", "--max-seconds", "0.3", "--observe", "none"][2:]
Test = TypeVar("Test", bound=Callable[..., None])


def needs_emulation(test: Test) -> Test:
    """For what builds emulated hosts, which look at all of the machine."""
    marked: Test = pytest.mark.alone(EMULATION(test))
    return marked


def busbar(
    *arguments: str,
    engine: str = "busbar-bench",
    fault: str | None = None,
    cores: Iterable[int] | None = None,
    cwd: Path,
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, on these cores where not on all."""
    on = () if cores is None else ("taskset", "-c", ",".join(map(str, cores)))
    return subprocess.run(
        [*on, *command(*arguments)], cwd=cwd, env=environment(engine, fault), capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip


def command(*arguments: str) -> list[str]:
    """The command as this interpreter runs it."""
    return [sys.executable, "-c", "from busbar.cli import main; main()", *arguments]


def environment(engine: str = "busbar-bench", fault: str | None = None) -> dict[str, str]:
    """The environment, with the engine under test."""
    faults = {} if fault is None else {"BUSBAR_FAULT": fault}
    return {**os.environ, "BUSBAR_BENCH": str(BIN / engine), **faults}


def valid(path: Path) -> RunRecord:
    """The record, which fits the schema."""
    jsonschema.validate(json.loads(path.read_text()), schema())
    return load(path)
