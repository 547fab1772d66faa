"""Fifty launches in a row on six emulated hosts: prints every failure, exits 1 if there is one.

    python tests/bench/launch_50.py [LAUNCHES [HOSTS]]

Every launch has a world of its own, and runs one program on every host.
"""

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from busbar.emulate import EmulationSpec, mpirun_args, preflight, wrap

DEADLINE_S = 60  # a launch takes half a second; one that hangs is a failure, not a wait


def launch(spec: EmulationSpec) -> str | None:
    """None if every host answered with its name, else what went wrong."""
    command = wrap(spec, ["mpirun", *mpirun_args(spec), "hostname"])
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end after {DEADLINE_S} s"
    if done.returncode != 0:
        return f"exit code {done.returncode}: {done.stderr.strip()}"
    if sorted(done.stdout.split()) != sorted(spec.host_names):
        return f"these hosts answered: {done.stdout.split()}"
    return None


def main(launches: int = 50, hosts: int = 6) -> int:
    if (missing := preflight()) is not None:
        print(missing, file=sys.stderr)
        return 1
    spec = EmulationSpec(hosts=hosts)
    failures = 0
    started = time.monotonic()
    for number in range(1, launches + 1):
        if (failure := launch(spec)) is not None:
            failures += 1
            print(f"launch {number} failed: {failure}", flush=True)
    each_s = (time.monotonic() - started) / launches
    print(f"{launches} launches on {hosts} hosts, {failures} failed, {each_s:.2f} s each")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
