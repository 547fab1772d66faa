"""What the end-to-end tests share: the built programs, and launches of them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("BUSBAR_BIN", ROOT / "build" / "release" / "bin"))

Json = dict[str, Any]


keeps_all_cores_busy = pytest.mark.alone
"""For hundreds of operations whose ranks wait by asking: beside others they would only take longer,
and a great deal."""


@dataclass
class Ended:
    """A launch that has ended."""

    code: int
    out: str
    err: str

    def answers(self, kind: str) -> list[Json]:
        """The JSON lines of one type on standard output."""
        lines = [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]
        return [line for line in lines if line["type"] == kind]


def mpirun(ranks: int, aggregators: int = 0) -> list[str]:
    """mpirun on this machine, processes sharing cores if they must."""
    slots = ranks + aggregators
    words = ["mpirun", "--quiet", "--host", f"localhost:{slots}", "-np", str(ranks)]
    words += ["--mca", "hwloc_base_binding_policy", "none", "--mca", "mpi_yield_when_idle", "1"]
    if os.geteuid() == 0:
        words.append("--allow-run-as-root")
    return words


Launch = Callable[..., Ended]


@pytest.fixture(scope="session")
def launch() -> Launch:
    """Runs the engine under mpirun and waits for its end."""

    def run(
        ranks: int,
        *arguments: str,
        program: str = "busbar-bench",
        aggregators: int = 0,
        requests: list[Json] | None = None,
        environment: Mapping[str, str] | None = None,
        mca: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> Ended:
        words = mpirun(ranks, aggregators)
        for name, value in (mca or {}).items():
            words += ["--mca", name, value]
        engine = str(BIN / program)
        words += [engine, *arguments]
        if aggregators:
            words += [":", "-np", str(aggregators), engine, "--role", "aggregator"]
        done = subprocess.run(
            words,
            input="".join(json.dumps(r) + "\n" for r in requests or []),
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, **(environment or {})},
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


def visit(op: str, size_bytes: int, **more: Any) -> Json:
    """A request with few samples."""
    point = {"op": op, "size_bytes": size_bytes}
    request: Json = {
        "type": "visit",
        "request": 0,
        "point": point,
        "stopping": {"min_samples": 2, "max_samples": 4, "max_seconds": 0.5},
        "warmup": {"min_samples": 1, "min_seconds": 0},
    }
    for key, value in more.items():
        (request if key in ("variants", "request", "deadline_seconds") else point)[key] = value
    return request
