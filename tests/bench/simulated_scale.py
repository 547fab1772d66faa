"""Whether large simulations end in time on one core, and in little memory.

python tests/bench/simulated_scale.py [256|1024]    exit 1 unless, on one core,
    256 hosts: all_reduce, send_recv and all_to_all of 10 sizes to 64 MiB, with and without
        reduction in the network, take less than 3 minutes;
    1,024 hosts: the same of one small and one large size less than 10;
    and each of them less than 4 GiB.

Hosts are below leaves that do not block. Memory is what the simulation has for itself: pages that
stand for buffers without payload are the same ones many times over.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from commands import command, environment
from simulations import fabric

OPERATIONS = ("all_reduce", "send_recv", "all_to_all")
LEAVES = 16
MOST_BYTES = 4 << 30


@dataclass(frozen=True)
class Case:
    """A run, and what it may take."""

    hosts: int
    sizes: tuple[str, ...]
    most_s: float


CASES = {
    "256": Case(256, ("-b", "256", "-e", "64M", "-f", "4"), 180.0),
    "1024": Case(1024, ("-b", "1K", "-e", "64M", "-f", "65536"), 600.0),
}


def main() -> int:
    """Run, watch, print, decide."""
    names = sys.argv[1:] or list(CASES)
    return 0 if all([holds(CASES[name]) for name in names]) else 1


def holds(case: Case) -> bool:
    """Whether one case ends well, in time and memory."""
    with tempfile.TemporaryDirectory() as folder:
        fabric(Path(folder), case.hosts, LEAVES)
        words = ["run", *OPERATIONS, *case.sizes, "--nodes", str(case.hosts)]
        words += ["--on", "simulated", "--fabric", "sim.toml", "--in-network", "off,on"]
        start = time.monotonic()
        core = min(os.sched_getaffinity(0))
        with psutil.Popen(
            ["taskset", "-c", str(core), *command(*words)], cwd=folder, env=environment()
        ) as run:
            most_bytes = watched(run)
        took_s = time.monotonic() - start
    print(
        f"{case.hosts} hosts: {took_s:.1f} s of {case.most_s:g}, {most_bytes / 2**30:.2f} GiB of 4"
    )
    return run.returncode == 0 and took_s < case.most_s and most_bytes < MOST_BYTES


def watched(run: psutil.Popen) -> int:
    """The most bytes that all processes of a run had for themselves, until it ended."""
    most = 0
    while True:
        try:
            run.wait(timeout=1.0)
            return most
        except psutil.TimeoutExpired:
            most = max(most, sum(_own_bytes(one) for one in run.children(recursive=True)))


def _own_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except psutil.NoSuchProcess:
        return 0


if __name__ == "__main__":
    sys.exit(main())
