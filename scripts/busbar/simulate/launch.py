"""The command line that runs the engine on a simulated platform."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from busbar.errors import Incomplete, UsageError
from busbar.simulate.description import Platform

ENVIRONMENT_PREFIX = "SMPI_"
"""A variant's variables with it choose algorithms: SMPI_ALLREDUCE=lr is smpi/allreduce."""

_OPERATIONS = (
    "allgather", "allgatherv", "allreduce", "alltoall", "alltoallv", "barrier", "bcast", "gather",
    "reduce", "reduce-scatter", "scatter", "coll-selector",
)  # fmt: skip
_VARIABLES = {
    ENVIRONMENT_PREFIX + name.upper().replace("-", "_"): f"smpi/{name}" for name in _OPERATIONS
}
"""`busbar run --variant x:SMPI_ALLREDUCE=unknown` shows what SimGrid accepts."""

_IDEAL = {
    "smpi/simulate-computation": "no",  # what this machine computes with must not show
    "smpi/privatization": "no",  # processes have nothing of their own outside of their stacks
    "smpi/bw-factor": "0:1",
    "smpi/lat-factor": "0:1",
    "network/crosstraffic": "0",
    "network/weight-S": "0",
    "network/TCP-gamma": "1e12",
}
"""Links as their rate and latency say, without what SimGrid learnt of TCP on gigabit Ethernet."""

_SCALE = {
    "smpi/shared-malloc-blocksize": str(64 << 20),  # smaller ones run into vm.max_map_count
    "smpi/send-is-detached-thresh": "0",  # else every short message is copied
}
DEFAULT_ALGORITHMS = {
    "smpi/coll-selector": "ompi",
    "smpi/alltoall": "mvapich2",
    "smpi/alltoallv": "ring",
    "smpi/bcast": "binomial_tree",
}
"""SimGrid's settings of a launch in which nobody chooses: what Open MPI's decision function picks,
as SimGrid's own defaults are naive; but for three. Of all-to-alls that function picks one for
powers of two also where ranks are none, and ends, and one that sends to all at once, of which 1,024
hosts take seven minutes to simulate: MVAPICH2's function does neither, with what src/sim/tool.cpp
adds to it. Ring is the pairwise exchange for any number of ranks. Of the
broadcast SimGrid makes one in every communicator, and the function picks one that takes a second
beyond 200 ranks."""


@dataclass(frozen=True)
class Files:
    """What smpirun reads, in a folder that goes with this object."""

    folder: TemporaryDirectory[str]
    platform: Path
    hosts: Path


def write_files(platform: Platform) -> Files:
    """The platform, and the host of every process: workers first."""
    folder = TemporaryDirectory(prefix="busbar-simulated-")
    path = Path(folder.name)
    files = Files(folder, path / "platform", path / "hosts")
    files.platform.write_text("\n".join(platform.lines) + "\n")
    files.hosts.write_text("\n".join((*platform.workers, *platform.aggregators)) + "\n")
    return files


def sim_engine(engine: Path) -> Path:
    """The engine for simulated hosts, beside the other one. Raises Incomplete if there is none."""
    found = engine.with_name("busbar-bench-sim.so")
    if not found.is_file() or shutil.which("smpirun") is None:
        raise Incomplete(
            "--on simulated needs SimGrid (package libsimgrid-dev) when the engine is built: "
            "scripts/setup does both."
        )
    return found


def command(
    platform: Platform,
    files: Files,
    program: Sequence[str],
    environment: Mapping[str, str],
    lifeline: int,
) -> list[str]:
    """The argv that simulates `program` (the engine with its words) on all processes.

    `lifeline` is the reading end of a pipe; the simulation ends when it closes.
    """
    engine = sim_engine(Path(program[0]))
    algorithms = DEFAULT_ALGORITHMS | _chosen(environment)
    settings = _IDEAL | _SCALE | algorithms
    processes = len(platform.workers) + len(platform.aggregators)
    words = ["env", f"BUSBAR_PLATFORM={files.platform}", f"BUSBAR_LIFELINE={lifeline}"]
    words += ["smpirun", "-quiet"]
    words += ["-np", str(processes), "-hostfile", str(files.hosts)]
    words += ["-platform", str(engine.with_name("busbar-sim-platform.so"))]
    words += ["--log=root.thres:warning", *(f"--cfg={k}:{v}" for k, v in settings.items())]
    trees = [word for text in platform.trees for word in ("--tree", text)]
    return [*words, str(engine), *program[1:], *trees]


def refuse_unknown(environment: Mapping[str, str]) -> None:
    """Raises UsageError for a variable that chooses no algorithm of SimGrid's MPI."""
    for name in environment:
        if name not in _VARIABLES:
            raise UsageError(
                f"{name} has no effect on simulated hosts; accepted are variables that choose one "
                f"of SimGrid's algorithms: {', '.join(_VARIABLES)}"
            )


def _chosen(environment: Mapping[str, str]) -> dict[str, str]:
    """SimGrid's settings that a variant's variables ask for."""
    refuse_unknown(environment)
    return {_VARIABLES[name]: value for name, value in environment.items()}
