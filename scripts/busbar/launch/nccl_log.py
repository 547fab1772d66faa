"""What NCCL's log says of a launch: which transports carried it, and how each operation ran.

Read in observing launches, where NCCL_DEBUG=INFO is on. Formats as in NCCL 2.18 to 2.30:

* `host:pid:tid [gpu] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM`, `… via
  SHM/direct/direct`, `… [send] via NET/IB/0/GDRDMA`: a connection between two ranks.
* `CollNet 00/0 : 0 [send] via COLLNET/SHARP/0/GDRDMA`: one to the switches, by which plugin.
* `AllReduce: 1048576 Bytes -> Algo RING proto LL128 channel{Lo..Hi}={0..15}`, by rank 0 for every
  operation; older ones print numbers, which are not read. Bytes of one rank's share for all_gather
  and reduce_scatter.
* `comm 0x… rank 0 nRanks 8 nNodes 2 …`: hosts as NCCL counts them.
* Fall-backs: CollNet or SHARP that could not be set up, InfiniBand that was not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from busbar.check.findings import SOCKETS
from busbar.record.key import parse_ranks
from busbar.record.launch import LaunchBody, RdmaPort

OBSERVING = {
    "NCCL_DEBUG": "INFO",
    # INIT has the connections of all kinds, NET the devices, TUNING every operation's algorithm;
    # COLL would say only what was called, GRAPH fills pages.
    "NCCL_DEBUG_SUBSYS": "INIT,NET,TUNING",
    # Standard output is the engine's, and a line of it that mpirun tears is a block lost.
    "NCCL_DEBUG_FILE": "/dev/stderr",
}
"""For observing launches only: a line per operation has no place where time is taken."""

_KEPT = 3
"""Lines of evidence that are kept; a launch of many ranks says the same many times."""

_CONNECTION = re.compile(
    r"Channel \d+(?:/\d+)? : (?P<a>\d+)\[\w+\] -> (?P<b>\d+)\[\w+\] (?:\[(?:send|receive)\] )?"
    r"via (?P<kind>P2P|SHM|NET)/(?P<rest>[^\n]*)"
)
_COLLNET = re.compile(r"CollNet \d+/\d+ : \d+ \[(?:send|receive)\] via COLLNET/(?P<plugin>\w+)/")
_OPERATION = re.compile(
    r"NCCL INFO (?P<function>\w+): (?P<bytes>\d+) Bytes -> Algo (?P<algorithm>[A-Z]\w*) "
    r"proto (?P<protocol>[A-Z]\w*) channel\{Lo\.\.Hi\}=\{(?P<low>\d+)\.\.(?P<high>\d+)\}"
)
_NODES = re.compile(r"NCCL INFO comm \w+ rank \d+ nRanks (?P<ranks>\d+) nNodes (?P<nodes>\d+)\b")
_NO_COLLNET = re.compile(
    r"Cannot initialize CollNet|less than CollNet node threshold|fallback to non-sharp"
    r"|SHARP coll init error|SHARP group create",
    re.IGNORECASE,
)
_FALLBACK = re.compile(
    _NO_COLLNET.pattern + r"|NET/IB : No device found|Failed to open libibverbs"
    r"|Proceeding without NVLS support|NVLS multicast support is not available",
    re.IGNORECASE,
)
_FUNCTION = {
    "all_reduce": "AllReduce",
    "barrier": "AllReduce",
    "reduce": "Reduce",
    "broadcast": "Broadcast",
    "all_gather": "AllGather",
    "reduce_scatter": "ReduceScatter",
}
_SHARE_PER_RANK = ("all_gather", "reduce_scatter")
_SOCKETS_WANTED = {"NCCL_NET": "Socket", "NCCL_IB_DISABLE": "1"}

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Operation:
    """How NCCL says that it ran; fields are None where its lines disagree."""

    algorithm: str | None
    protocol: str | None
    channels: int | None
    nodes: int | None
    """As NCCL counts them."""
    line: str


@dataclass(frozen=True)
class Log:
    """What one launch said of one group of ranks."""

    between: frozenset[str] = frozenset()
    """Transports between hosts, such as `NET/IB with GPUDirect RDMA`."""
    inside: frozenset[str] = frozenset()
    """Those inside a host."""
    collnet: frozenset[str] = frozenset()
    """Network plugins with a way to the switches, such as `SHARP`."""
    fallbacks: tuple[str, ...] = ()
    """Lines that tell of something NCCL did without, each once."""
    operation: Operation | None = None

    def transports(self) -> str | None:
        """A clause; None where the log names none."""
        parts = [
            f"{where} {', '.join(sorted(kinds))}"
            for where, kinds in (("between hosts", self.between), ("inside a host", self.inside))
            if kinds
        ]
        parts += [f"to the switches COLLNET/{plugin}" for plugin in sorted(self.collnet)]
        return "; ".join(parts) or None


@dataclass
class _Seen:
    between: set[str] = field(default_factory=set)
    inside: set[str] = field(default_factory=set)


def read_log(lines: Iterable[str], op: str, size_bytes: int, hosts: Sequence[str]) -> Log:
    """What the output of one launch says; `hosts` are those of the group's ranks, in order."""
    kept = [line for line in lines if "NCCL" in line]
    seen = _Seen()
    for line in kept:
        found = _CONNECTION.search(line)
        if found is None or max(int(found["a"]), int(found["b"])) >= len(hosts):
            continue  # of another, larger communicator
        apart = hosts[int(found["a"])] != hosts[int(found["b"])]
        (seen.between if apart else seen.inside).add(_transport(found["kind"], found["rest"]))
    plugins = (match["plugin"] for line in kept if (match := _COLLNET.search(line)))
    fallbacks = dict.fromkeys(_words(line) for line in kept if _FALLBACK.search(line))
    return Log(
        between=frozenset(seen.between),
        inside=frozenset(seen.inside),
        collnet=frozenset(plugins),
        fallbacks=tuple(fallbacks)[:_KEPT],
        operation=_operation(kept, op, size_bytes, len(hosts)),
    )


def note(
    answer: dict[str, Any], lines: Iterable[str], launch: LaunchBody, asked: str | None
) -> None:
    """Put into an engine's block line what the launch's log says of it.

    `asked` is the variant's `in_network`, None where it leaves that to NCCL.
    """
    key, observed = answer["key"], answer["block"]["observed"]
    host_of = {p.rank: p.host for p in launch.processes if p.role == "worker"}
    hosts = [host_of[rank] for rank in parse_ranks(key["group"]["ranks"])]
    log = read_log(lines, key["op"], key["size_bytes"], hosts)
    how: list[str] = observed["how"]
    if (fallen := fallen_to_sockets(log, launch)) is not None:
        how.insert(0, fallen)
    transports = log.transports()
    how.append(f"log: {transports}" if transports else "log: no word of the transports used")
    how += [f"log: {line}" for line in log.fallbacks]
    _note_operation(observed, log, asked, len(set(hosts)))


def fallen_to_sockets(log: Log, launch: LaunchBody) -> str | None:
    """One sentence where sockets joined hosts that have better, and nobody asked for them."""
    if "NET/Socket" not in log.between or _sockets_wanted(launch.settings, launch.nccl_conf):
        return None
    for host in launch.system.hosts:
        ports = [port for port in host.rdma_ports or [] if _could_carry(port)]
        if ports:
            first, more = ports[0], len(ports) - 1
            return (
                f"{SOCKETS} between hosts, although on {host.name} port {first.port} of "
                f"{first.device} is active ({first.kind}, {first.rate or 'rate not known'})"
                + (f", and {more} more" if more else "")
                + "."
            )
    return None


def in_network(algorithm: str, nodes: int | None, asked: str | None) -> bool | None:
    """Whether an algorithm reduces in the network that is asked for, as the engine has it.

    NVLS reduces in NVLink's switches and, over several nodes, in the fabric's; NVLS_TREE in
    NVLink's alone. None where it hangs on the number of nodes, and that is not known.
    """
    of_fabric = asked in ("collnet", "sharp")
    if algorithm.startswith("COLLNET"):
        return asked != "nvls"
    if algorithm == "NVLS_TREE":
        return not of_fabric
    if algorithm != "NVLS":
        return False
    if not of_fabric:
        return True
    return None if nodes is None else nodes > 1


def _note_operation(observed: dict[str, Any], log: Log, asked: str | None, hosts: int) -> None:
    how: list[str] = observed["how"]
    ran, used = log.operation, None
    if ran is not None:
        how.append(f"log: {ran.line}")
        for name in ("algorithm", "protocol", "channels"):
            if observed[name] is None:
                observed[name] = getattr(ran, name)
        if ran.algorithm is not None:
            used = in_network(ran.algorithm, ran.nodes or hosts, asked)
    elif asked in ("collnet", "sharp") and not log.collnet and any(map(_no_collnet, log.fallbacks)):
        used = False
    if asked == "sharp" and used and log.collnet and "SHARP" not in log.collnet:
        used = False
        how.append(f"log: CollNet by {', '.join(sorted(log.collnet))}, not by SHARP")
    if used is None:
        return
    if observed["in_network"] not in (None, used):
        observed["in_network"] = None
        how.append("what NCCL's log and its profiler interface say of in_network differs")
    else:
        observed["in_network"] = used


def _operation(lines: Sequence[str], op: str, size_bytes: int, ranks: int) -> Operation | None:
    """The one that was measured, among those that the engine makes for itself."""
    if op not in _FUNCTION:
        return None
    share = size_bytes // ranks if op in _SHARE_PER_RANK else size_bytes
    found = [
        (match, line)
        for line in lines
        if (match := _OPERATION.search(line))
        and match["function"] == _FUNCTION[op]
        and (op == "barrier" or int(match["bytes"]) == share)
    ]
    if not found:
        return None
    nodes = {int(m["nodes"]) for x in lines if (m := _NODES.search(x)) and int(m["ranks"]) == ranks}
    return Operation(
        algorithm=_agreed(match["algorithm"] for match, _ in found),
        protocol=_agreed(match["protocol"] for match, _ in found),
        channels=_agreed(int(match["high"]) - int(match["low"]) + 1 for match, _ in found),
        nodes=_agreed(nodes),
        line=_words(found[-1][1]),
    )


def _transport(kind: str, rest: str) -> str:
    """`NET/IB with GPUDirect RDMA` of `IB/0/GDRDMA/Shared`, `P2P/CUMEM` of `CUMEM/read`."""
    first = re.split(r"[/(\s]", rest, maxsplit=1)[0]
    if kind == "P2P":
        return f"P2P/{'direct' if rest.startswith('direct') else first}"
    if kind == "SHM":
        return "SHM"
    return f"NET/{first}" + (" with GPUDirect RDMA" if "GDRDMA" in rest else "")


def _agreed(values: Iterable[_Value]) -> _Value | None:
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None


def _sockets_wanted(settings: Mapping[str, str], conf: str | None) -> bool:
    lines = (conf or "").splitlines()
    return any(
        settings.get(name) == value or (name not in settings and f"{name}={value}" in lines)
        for name, value in _SOCKETS_WANTED.items()
    )


def _could_carry(port: RdmaPort) -> bool:
    """NCCL's own plugin drives InfiniBand and RoCE; a software device is no better than sockets."""
    known = port.kind in ("InfiniBand", "RoCE") and port.pci_address is not None
    return known and port.state == "ACTIVE"


def _no_collnet(line: str) -> bool:
    return _NO_COLLNET.search(line) is not None


def _words(line: str) -> str:
    """A line without the process it came from, so that all ranks say the same."""
    return re.sub(r"^.*NCCL (?=INFO|WARN)", "", line).strip()
