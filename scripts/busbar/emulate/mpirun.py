"""What mpirun must be told to run across the emulated hosts."""

import os
from collections.abc import Mapping

from busbar.emulate.aggregation import aggregation_hosts
from busbar.emulate.spec import EmulationSpec
from busbar.emulate.topology import NETWORK
from busbar.emulate.world import AGENT_PATH, SCRATCH_DIR


def mca_settings(spec: EmulationSpec, ranks_per_host: int = 1) -> dict[str, str]:
    """Open MPI's settings on an emulated fabric, by MCA parameter."""
    settings = {
        "plm_rsh_agent": AGENT_PATH,
        # Hosts cannot enter one another: the login host starts every daemon itself.
        "plm_rsh_no_tree_spawn": "1",
        # Ranks of one terminal session are one group to the scheduler, so that a rank which
        # yields gives its core to another rank. A daemon that detaches makes a group of its own
        # for each host, yielding then does nothing, and ranks stall for milliseconds.
        "orte_leave_session_attached": "1",
        # Session files go with the world; under /tmp a killed run would leave them behind.
        "orte_tmpdir_base": SCRATCH_DIR,
        "oob_tcp_if_include": str(NETWORK),
        "pml": "ob1",
        # Shared memory only where ranks share a host, so that nothing can go round the links.
        "btl": "self,tcp" if ranks_per_host == 1 else "self,vader,tcp",
        "btl_tcp_if_include": str(NETWORK),
        "hwloc_base_binding_policy": "none",  # the hosts share this machine's cores
    }
    if _yields(spec, ranks_per_host):
        # A rank that spins takes the core its peer needs: 1 KiB all-reduce 8 ms instead of 0.1.
        settings["mpi_yield_when_idle"] = "1"
    return settings


def mpirun_args(
    spec: EmulationSpec, ranks_per_host: int = 1, mca: Mapping[str, str] | None = None
) -> list[str]:
    """What goes between `mpirun` and the workers' program; `mca` adds settings or replaces them.

    (mpirun refuses a parameter that is given twice, so replacing must happen here.)
    """
    settings = mca_settings(spec, ranks_per_host) | dict(mca or {})
    # Inside a world every user is root, by the mapping of its user namespace.
    args = ["--allow-run-as-root", "-np", str(spec.hosts * ranks_per_host)]
    args += ["--host", ",".join(f"{name}:{ranks_per_host}" for name in spec.host_names)]
    args += ["--map-by", "slot"]
    for name, value in settings.items():
        args += ["--mca", name, value]
    return args


def aggregator_args(spec: EmulationSpec) -> list[str]:
    """What goes between the `:` after the workers' program and the aggregators' program.

    Settings given before the `:` hold for the aggregators too; variables exported by `-x` do not.
    Raises ValueError where the spec has no aggregators.
    """
    if spec.aggregators == 0:
        raise ValueError("aggregators 0: accepted is 1 or more for each switch")
    names = aggregation_hosts(spec).values()
    slots = ",".join(f"{name}:{spec.aggregators}" for name in names)
    return ["-np", str(len(names) * spec.aggregators), "--host", slots]


def mpirun_environment(spec: EmulationSpec) -> dict[str, str]:
    """The same as environment variables, so that a bare `mpirun PROGRAM` works in a world."""
    settings = {f"OMPI_MCA_{name}": value for name, value in mca_settings(spec).items()}
    return settings | {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "TMPDIR": SCRATCH_DIR,
    }


def _yields(spec: EmulationSpec, ranks_per_host: int) -> bool:
    if spec.yield_when_idle is not None:
        return spec.yield_when_idle
    aggregators = len(aggregation_hosts(spec)) * spec.aggregators
    return spec.hosts * ranks_per_host + aggregators > len(os.sched_getaffinity(0))
