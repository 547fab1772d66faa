"""Counters of faults and of congestion by their plain names, and where a record has them.

This is the one place that knows both; what each source adds up is in `src/observe/counters.h`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from busbar.record.key import parse_ranks
from busbar.record.models import Block, Launch, RunRecord

Where = Literal["errors", "congestion", "nvlink"]


@dataclass(frozen=True)
class Counter:
    """Where blocks have it."""

    where: Where | None
    """None: nothing that Busbar reads counts it yet, so no record has it."""
    field: str
    what: str
    """Half a sentence for people."""


COUNTERS: dict[str, Counter] = {
    "drops": Counter("errors", "drops", "packets dropped by a NIC, or for want of memory"),
    "damaged_packets": Counter("errors", "errors", "packets that arrived damaged"),
    "overruns": Counter("errors", "overruns", "a NIC's or a port's buffer that ran over"),
    "retransmits": Counter("errors", "retransmits", "TCP segments sent again"),
    "timeouts": Counter("errors", "timeouts", "messages that nobody acknowledged in time"),
    "ecn_marks": Counter("errors", "ecn_marks", "packets marked 'congestion experienced'"),
    "symbol_errors": Counter("errors", "symbol_errors", "InfiniBand's symbol errors"),
    "link_flaps": Counter("errors", "link_downs", "links that went down or were retrained"),
    "out_of_sequence": Counter("errors", "out_of_sequence", "RDMA packets out of their order"),
    "link_integrity_errors": Counter(
        "errors", "link_integrity_errors", "local link integrity errors of InfiniBand"
    ),
    "rnr_retries": Counter("errors", "rnr_retries", "RDMA receivers that were not ready"),
    "credit_waits": Counter(
        "congestion", "xmit_wait_ticks", "ticks in which an InfiniBand port waited for credits"
    ),
    "cnps_sent": Counter("congestion", "cnps_sent", "RoCE's congestion notices sent"),
    "cnps_handled": Counter("congestion", "cnps_handled", "RoCE's congestion notices received"),
    "nvlink_crc_errors": Counter("nvlink", "crc_errors", "damaged flits on NVLink"),
    "nvlink_replays": Counter("nvlink", "replays", "flits that NVLink sent again"),
    "nvlink_recoveries": Counter("nvlink", "recoveries", "NVLinks that were retrained"),
    "pause_frames": Counter(None, "", "PFC pause frames"),
    "fec_corrected": Counter(None, "", "code words that FEC mended"),
    "fec_uncorrectable": Counter(None, "", "code words that FEC could not mend"),
    "xid": Counter(None, "", "Xid errors of GPUs"),
}


@dataclass(frozen=True)
class Reading:
    """What one block, or one GPU of it, says of a counter."""

    launch: int
    hosts: tuple[str, ...]
    """Whose counters were added up."""
    device: str | None
    """On the only host, where it is known."""
    count: int | None
    """None where it could not be read."""


def readings(record: RunRecord, name: str) -> Iterator[Reading]:
    """What every block of a record says of a counter of that plain name, in order."""
    counter = COUNTERS[name]
    launches = {launch.id: launch for launch in record.launches}
    hosts = {launch.id: _hosts(launch) for launch in record.launches}
    for point in record.points:
        ranks = parse_ranks(point.key.group.ranks)
        for block in point.blocks:
            of_rank = hosts[block.launch]
            where = [of_rank[rank] for rank in ranks if rank in of_rank]
            if counter.where == "nvlink":
                yield from _of_gpus(counter, block, launches[block.launch], ranks, where)
            else:
                names = tuple(dict.fromkeys(where))
                device = _only_device(launches[block.launch], names)
                yield Reading(block.launch, names, device, _count(counter, block))


def _count(counter: Counter, block: Block) -> int | None:
    if counter.where == "errors":
        return block.errors.get(counter.field)
    if counter.where == "congestion":
        return (block.congestion or {}).get(counter.field)
    return None


def _of_gpus(
    counter: Counter, block: Block, launch: Launch, ranks: tuple[int, ...], hosts: list[str]
) -> Iterator[Reading]:
    if block.nvlink is None or len(block.nvlink) != len(ranks) or len(hosts) != len(ranks):
        yield Reading(block.launch, tuple(dict.fromkeys(hosts)), None, None)
        return
    gpus = {process.rank: process.gpu for process in launch.processes if process.role == "worker"}
    for rank, host, traffic in zip(ranks, hosts, block.nvlink, strict=True):
        gpu = gpus.get(rank)
        count = None if traffic is None else getattr(traffic, counter.field)
        yield Reading(block.launch, (host,), None if gpu is None else f"GPU {gpu}", count)


def _hosts(launch: Launch) -> dict[int, str]:
    return {process.rank: process.host for process in launch.processes if process.role == "worker"}


def _only_device(launch: Launch, hosts: tuple[str, ...]) -> str | None:
    """The only port that a single host's counters are of."""
    if len(hosts) != 1:
        return None
    for host in launch.system.hosts:
        if host.name == hosts[0] and host.byte_counters and len(host.byte_counters) == 1:
            return host.byte_counters[0]
    return None
