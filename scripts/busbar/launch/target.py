"""How a launch is started, and where: on this machine, on emulated or simulated
hosts, on a cluster.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Literal, Protocol

from busbar import emulate, simulate
from busbar.emulate.aggregation import aggregation_hosts
from busbar.errors import Incomplete, UsageError
from busbar.fabrics.model import Fabric

On = Literal["local", "emulated", "simulated", "hostfile", "slurm"]


_SILENCE_MARGIN_S = 30.0
_SIMULATED_SILENCE_S = 3600.0
"""Real seconds that a visit may take to simulate."""


@dataclass(frozen=True)
class Programs:
    """The argv of each role's processes."""

    worker: list[str]
    aggregator: list[str]


class Target(Protocol):
    """Where launches go."""

    @property
    def on(self) -> On:
        """What the record calls it."""
        ...

    @property
    def ranks(self) -> int:
        """Ranks of a launch: its workers."""
        ...

    @property
    def threads(self) -> int:
        """Ranks of each worker process, on a thread each."""
        ...

    def command(
        self, programs: Programs, environment: Mapping[str, str], lifeline: int
    ) -> list[str]:
        """The argv that launches the programs on all workers and aggregators, variables set.

        Workers come first, so that their ranks count from 0. `lifeline` is the reading end of a
        pipe that closes when the launcher ends, however it does.
        """
        ...

    def placement(self) -> list[str] | None:
        """The host of each rank, where that is known before the launch."""
        ...

    def aggregator_hosts(self) -> list[str]:
        """The host of each aggregator; none where the target has none."""
        ...

    def rest_us(self) -> float:
        """Microseconds between samples after which the network is at rest again."""
        ...

    def carries_payload(self, size_bytes: int, ranks: int) -> bool:
        """Whether the messages of such a point carry data, which is then verified."""
        ...

    def silence_seconds(self, deadline_seconds: float, block_seconds: float) -> float:
        """Seconds without an answer to a visit that mean a hang, if nobody has spoken by then.

        `deadline_seconds` is that of a phase, `block_seconds` what a block may take.
        """
        ...

    def side_by_side(self) -> int | None:
        """How many launches may run at the same time; None where they would disturb each other."""
        ...


def split_environment(environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """MCA parameters, which mpirun takes by name, and other variables, which it exports."""
    prefix = "OMPI_MCA_"
    mca = {k.removeprefix(prefix): v for k, v in environment.items() if k.startswith(prefix)}
    other = {k: v for k, v in environment.items() if not k.startswith(prefix)}
    return mca, other


def _exports(variables: Mapping[str, str]) -> list[str]:
    return [word for k, v in variables.items() for word in ("-x", f"{k}={v}")]


def _mpirun() -> str:
    found = shutil.which("mpirun")
    if found is None:
        raise Incomplete("mpirun is not on the path: install Open MPI (scripts/setup does).")
    return found


def _mpirun_basics(mca: Mapping[str, str]) -> list[str]:
    words = [_mpirun()]
    if os.geteuid() == 0:
        words.append("--allow-run-as-root")
    for name, value in mca.items():
        words += ["--mca", name, value]
    return words


class _Real:
    """A target whose messages are real."""

    def carries_payload(self, size_bytes: int, ranks: int) -> bool:
        """Always."""
        return True

    def silence_seconds(self, deadline_seconds: float, block_seconds: float) -> float:
        """So long that the engine's own watchdogs speak first."""
        return 2 * deadline_seconds + block_seconds + _SILENCE_MARGIN_S

    def side_by_side(self) -> int | None:
        """They would share links and cores."""
        return None


@dataclass(frozen=True)
class Local(_Real):
    """Processes of this machine, through shared memory."""

    ranks: int
    on: On = "local"
    threads: int = 1

    def command(
        self, programs: Programs, environment: Mapping[str, str], lifeline: int
    ) -> list[str]:
        """mpirun on this machine, one core per rank while there are enough."""
        mca, other = split_environment(environment)
        words = _mpirun_basics(self._sharing() | mca)
        processes = self.ranks // self.threads
        words += ["--host", f"localhost:{processes}", "-np", str(processes)]
        return [*words, *_exports(other), *programs.worker]

    def _sharing(self) -> dict[str, str]:
        if self.ranks <= len(os.sched_getaffinity(0)):
            return {"hwloc_base_binding_policy": "core"}
        # A rank that spins would keep the core from the one it waits for.
        return {"hwloc_base_binding_policy": "none", "mpi_yield_when_idle": "1"}

    def placement(self) -> list[str] | None:
        """All on one host, whose name theory does not need."""
        return ["localhost"] * self.ranks

    def aggregator_hosts(self) -> list[str]:
        """Shared memory has no switch."""
        return []

    def rest_us(self) -> float:
        """Memory needs none."""
        return 0.0


@dataclass(frozen=True)
class Emulated(_Real):
    """Hosts made of namespaces on this machine, with links of known rate."""

    spec: emulate.EmulationSpec
    ranks_per_host: int = 1
    on: On = "emulated"

    @property
    def ranks(self) -> int:
        """All hosts' ranks."""
        return self.spec.hosts * self.ranks_per_host

    @property
    def threads(self) -> int:
        """Every rank is a process."""
        return 1

    @property
    def device(self) -> str:
        """The network device of every host."""
        return emulate.HOST_DEVICE

    def command(
        self, programs: Programs, environment: Mapping[str, str], lifeline: int
    ) -> list[str]:
        """mpirun on the login host of a fresh world."""
        mca, other = split_environment(environment)
        if "pml_monitoring_enable" in mca:
            # The emulated fabric asks for ob1 by name, which would leave its monitor out.
            mca.setdefault("pml", "ob1,monitoring")
        exports = _exports(other)
        trees = [word for text in emulate.trees(self.spec) for word in ("--tree", text)]
        words = [_mpirun(), *emulate.mpirun_args(self.spec, self.ranks_per_host, mca)]
        words += [*exports, *programs.worker, *trees]
        if self.spec.aggregators:
            # mpirun's --mca holds for both programs, -x only for the one that follows it.
            words += [":", *emulate.aggregator_args(self.spec), *exports]
            words += [*programs.aggregator, *trees]
        return emulate.wrap(self.spec, words, lifeline=lifeline)

    def placement(self) -> list[str] | None:
        """Ranks fill one host after the other."""
        return [host for host in self.spec.host_names for _ in range(self.ranks_per_host)]

    def aggregator_hosts(self) -> list[str]:
        """One host at every switch."""
        hosts = aggregation_hosts(self.spec).values()
        return [host for host in hosts for _ in range(self.spec.aggregators)]

    def rest_us(self) -> float:
        """The time in which the slowest link's token bucket fills again, and a little more.

        The bound supposes a full bucket. Without a rest 1 MiB at 400 Mbit/s reaches 94 % of it,
        after 0.5 ms 97 %, and 99 % from 1.3 ms on, where the bucket is full.
        """
        return 1.1 * self.spec.burst_bytes * 8e6 / self.spec.slowest_bps


@dataclass(frozen=True)
class Simulated:
    """Hosts that do not exist, in virtual time: the first ones of a fabric."""

    fabric: Fabric
    platform: simulate.Platform
    background: float = 0.0
    """Share of every network link that other traffic takes."""
    faults: tuple[simulate.Fault, ...] = ()
    """What the platform has of links of which only a share is left."""
    on: On = "simulated"

    @property
    def ranks(self) -> int:
        """All hosts' ranks."""
        return len(self.platform.workers)

    @property
    def threads(self) -> int:
        """Every rank is a simulated process."""
        return 1

    def command(
        self, programs: Programs, environment: Mapping[str, str], lifeline: int
    ) -> list[str]:
        """smpirun; who is an aggregator is told by the platform."""
        return simulate.command(self.platform, self._files, programs.worker, environment, lifeline)

    @cached_property
    def _files(self) -> simulate.Files:
        return simulate.write_files(self.platform)

    def placement(self) -> list[str]:
        """Ranks fill one node after the other."""
        return list(self.platform.nodes)

    def aggregator_hosts(self) -> list[str]:
        """One at every switch."""
        return list(self.platform.aggregators)

    def rest_us(self) -> float:
        """Until news of the next start has reached everyone."""
        return simulate.rest_us(self.faults)

    def carries_payload(self, size_bytes: int, ranks: int) -> bool:
        """As far as this machine's memory goes."""
        return simulate.carries_payload(size_bytes, ranks)

    def silence_seconds(self, deadline_seconds: float, block_seconds: float) -> float:
        """Deadlines are in virtual time, and where nobody can go on there SimGrid says so."""
        return _SIMULATED_SILENCE_S

    def side_by_side(self) -> int | None:
        """One a core, as far as the memory goes."""
        return simulate.at_once(len(self.platform.workers) + len(self.platform.aggregators))


@dataclass(frozen=True)
class Hostfile(_Real):
    """The hosts that a file lists, reached as Open MPI reaches hosts (ssh by default)."""

    path: Path
    ranks: int
    on: On = "hostfile"
    extra: list[str] = field(default_factory=list)
    aggregators: list[str] = field(default_factory=list)
    """Hosts that each reduce for all workers, a flat tree each."""
    threads: int = 1

    def __post_init__(self) -> None:
        if not self.path.is_file():
            raise UsageError(
                f"hostfile {self.path} cannot be read; accepted: a file that mpirun takes"
            )

    def command(
        self, programs: Programs, environment: Mapping[str, str], lifeline: int
    ) -> list[str]:
        """mpirun with the file."""
        mca, other = split_environment(environment)
        words = [*_mpirun_basics(mca), "--hostfile", str(self.path)]
        words += ["-np", str(self.ranks // self.threads)]
        words += [*_exports(other), *self.extra, *programs.worker]
        if self.aggregators:
            words += [":", "--hostfile", self._aggregator_file.name]
            words += ["-np", str(len(self.aggregators)), *_exports(other), *programs.aggregator]
        return words

    @cached_property
    def _aggregator_file(self) -> IO[str]:
        """A hostfile that goes with this object: beside one, mpirun knows no host by --host."""
        file = NamedTemporaryFile("w", prefix="busbar-aggregators-")  # noqa: SIM115
        slots = Counter(self.aggregators)
        file.writelines(f"{host} slots={count}\n" for host, count in slots.items())
        file.flush()
        return file

    def placement(self) -> list[str] | None:
        """Only the launch tells."""
        return None

    def aggregator_hosts(self) -> list[str]:
        """Those named."""
        return self.aggregators

    def rest_us(self) -> float:
        """Real links have no bucket to fill."""
        return 0.0


@dataclass(frozen=True)
class Slurm(_Real):
    """The nodes of the Slurm allocation that this runs in, through srun and PMIx."""

    ranks: int
    on: On = "slurm"
    extra: list[str] = field(default_factory=list)
    threads: int = 1

    def command(
        self, programs: Programs, environment: Mapping[str, str], lifeline: int
    ) -> list[str]:
        """srun with PMIx; it exports the variables it is given."""
        found = shutil.which("srun")
        if found is None:
            raise Incomplete("srun is not on the path: --on slurm needs a Slurm allocation.")
        pairs = [f"{k}={v}" for k, v in environment.items()]
        tasks = self.ranks // self.threads
        words = [found, "--mpi=pmix", "--kill-on-bad-exit=1", f"--ntasks={tasks}"]
        return [*words, *self.extra, "env", *pairs, *programs.worker]

    def placement(self) -> list[str] | None:
        """Only the launch tells."""
        return None

    def aggregator_hosts(self) -> list[str]:
        """srun starts workers only."""
        return []

    def rest_us(self) -> float:
        """Real links have no bucket to fill."""
        return 0.0
