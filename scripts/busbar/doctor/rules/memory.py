"""Memory: what may be locked, shared and had in large pages."""

from __future__ import annotations

from collections.abc import Iterator

from busbar.doctor.facts import HostFacts
from busbar.doctor.finding import Finding, Inapplicable, Said, Severity, Unchecked
from busbar.doctor.rules.check import Check, on_each_host

LEAST_SHM_BYTES = 1 << 30
"""What NCCL's guide starts containers with (--shm-size=1g); Docker's own default is 64 MiB."""


def _memlock(host: HostFacts) -> Iterator[Said]:
    limit = host.memory.memlock_bytes
    rdma = host.has_rdma()
    if rdma is False:
        yield Inapplicable("no RDMA port")
    elif rdma is None or limit is None:
        yield Unchecked(host.why("infiniband", "RLIMIT_MEMLOCK", "ports"))
    elif limit >= 0 and host.memory.locks_all is None:
        yield Unchecked(host.why("/proc/self/status"))
    elif limit >= 0 and not host.memory.locks_all:
        yield Finding(
            Severity.SPOILS,
            f"processes may lock {limit >> 10} KiB of memory",
            "RDMA registers locked memory; beyond the limit it fails, or a slower path is taken.",
            "ulimit -l unlimited (limits.conf: memlock; Docker: --ulimit memlock=-1; "
            "Slurm: PropagateResourceLimitsExcept=MEMLOCK)",
            "NCCL user guide, troubleshooting, and rdma-core's documentation of libibverbs",
        )


def _shm(host: HostFacts) -> Iterator[Said]:
    size = host.memory.shm_bytes
    if size is None:
        yield Unchecked(host.why("/dev/shm"))
    elif size < LEAST_SHM_BYTES:
        yield Finding(
            Severity.SPOILS,
            f"/dev/shm has {size >> 20} MiB",
            "NCCL and MPI pass messages of one host through it, and fail once it is full.",
            "docker run --shm-size=1g --ipc=host …, or mount -o remount,size=50% /dev/shm",
            "NCCL user guide, troubleshooting, shared memory: --shm-size=1g",
        )


def _hugepages(host: HostFacts) -> Iterator[Said]:
    pages = host.memory.hugepages
    if host.has_rdma() is False:
        yield Inapplicable("no RDMA port")
    elif pages is None:
        yield Unchecked(host.why("/proc/meminfo"))
    elif pages == 0:
        yield Finding(
            Severity.NOTE,
            "no huge pages are reserved",
            "UCX then takes ordinary pages for its buffers, and adapters translate more addresses.",
            "sysctl -w vm.nr_hugepages=N, if hosts that are compared have them",
            "UCX, UCX_*_ALLOC: huge comes first",
        )


CHECKS: tuple[Check, ...] = (
    on_each_host("memlock", "Memory", _memlock),
    on_each_host("shm", "Memory", _shm),
    on_each_host("hugepages", "Memory", _hugepages),
)
