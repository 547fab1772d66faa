"""Whether switches carried an operation out, from the bytes that the hosts' counters saw.

Two hypotheses are held against what all hosts sent in all, and received:

* Hosts alone: no algorithm does with less than `wire.least_by_hosts`, so clearly less than that
  proves that switches reduced or copied.
* In the network: no host sends or receives more than `wire.most_in_network`, so clearly more than
  that, and enough for the hosts alone, refutes it.

Clearly means by more than three times the error. The error is what a counter may see beyond, or
beside, the payload: headers and acknowledgements, what the engine says to agree on each start, and
how far the blocks are apart. Where neither holds, or a counter is missing, nothing is said but the
measurement that would settle it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from busbar.theory.bound import operation
from busbar.theory.wire import least_by_hosts, least_bytes, most_in_network
from busbar.units import format_size

COUNTED_SHARE = 0.99  # counters are read just before and after, beside other traffic

# Of the payload that the tree would move. TCP over Ethernet adds 4.6 % at an MTU of 1500 (1448 of
# 1514 bytes), acknowledgements the rest; at 9000 results/emulated-4x400m.json has 0.3 % of both.
FRAMING_SHARE = 0.06
# Per host and execution. The same record has 1,200 bytes over the payload at 64 KiB, framing
# included, and 300 on hosts that only watch a ping_pong.
CONTROL_BYTES = 1500.0

_CLEARLY = 3.0
_LARGEST = 1 << 40  # if not even so many bytes tell, more do not


@dataclass(frozen=True)
class Counted:
    """Bytes per execution of one block, by host, in the order of their first ranks."""

    sent: Sequence[float | None]
    received: Sequence[float | None]


@dataclass(frozen=True)
class Finding:
    """Whether it was in the network, or None where the bytes cannot tell."""

    in_network: bool | None
    because: str
    """A clause; for None it names the measurement that would settle it."""


def prove(
    op: str,
    size_bytes: int,
    placement: Sequence[str],
    counted: Sequence[Counted | None],
    root: int = 0,
) -> Finding:
    """What the bytes of all blocks tell of one point; None stands for a block without counters.

    `placement` and `root` as for `bound`. Raises UsageError for an unknown operation.
    """
    blocks = [block for block in counted if block is not None]
    unable = (
        _nothing_to_count(op, size_bytes, placement)
        or _uncounted(placement, counted)
        or _bypassed(op, size_bytes, placement, root, blocks)
    )
    if unable:
        return Finding(None, unable)
    by_hosts = least_by_hosts(op, size_bytes, placement, root)
    in_network = most_in_network(op, size_bytes, placement, root)
    control = CONTROL_BYTES * len(set(placement))
    ways = [
        _way("sent", [block.sent for block in blocks], by_hosts.sent, in_network.sent, control),
        _way(
            "received",
            [block.received for block in blocks],
            by_hosts.received,
            in_network.received,
            control,
        ),
    ]
    for way in ways:
        if way.proves():
            need = f"{way.by_hosts / size_bytes:.4g}"
            because = f"{_said(way, size_bytes)}, less than the {need} that hosts alone need"
            return Finding(True, because)
    if all(way.suffices_for_hosts() for way in ways):
        for way in ways:
            if way.refutes():
                takes = f"{way.in_network / size_bytes:.4g}"
                because = f"{_said(way, size_bytes)}, more than the {takes} of switches that reduce"
                return Finding(False, because)
    return Finding(None, _settling(op, size_bytes, placement, root, ways))


@dataclass(frozen=True)
class _Way:
    """One direction: what was counted over all hosts, and what each hypothesis says of it."""

    verb: str
    counted: float
    """Median over blocks."""
    error: float
    by_hosts: float
    """The least."""
    in_network: float
    """The most."""

    def proves(self) -> bool:
        return self.counted + _CLEARLY * self.error < self.by_hosts

    def refutes(self) -> bool:
        return self.counted - _CLEARLY * self.error > self.in_network

    def suffices_for_hosts(self) -> bool:
        return self.counted >= COUNTED_SHARE * self.by_hosts


def _way(
    verb: str,
    blocks: Sequence[Sequence[float | None]],
    by_hosts: float,
    in_network: float,
    control: float,
) -> _Way:
    totals = [sum(value for value in block if value is not None) for block in blocks]
    middle = median(totals)
    spread = max(abs(total - middle) for total in totals)
    error = spread + FRAMING_SHARE * in_network + control
    return _Way(verb, middle, error, by_hosts, in_network)


def _said(way: _Way, size_bytes: int) -> str:
    return f"the hosts {way.verb} {way.counted / size_bytes:.2f} times the size in all"


def _nothing_to_count(op: str, size_bytes: int, placement: Sequence[str]) -> str:
    if operation(op).in_network is None:
        return f"switches have nothing to reduce or copy in {op}: measure it under another variant"
    if size_bytes == 0:
        return "without data no bytes can be compared: a log of the library would tell"
    if len(set(placement)) < 2:
        return "all ranks are on one host, and no byte must leave it: measure on 3 hosts or more"
    return ""


def _uncounted(placement: Sequence[str], counted: Sequence[Counted | None]) -> str:
    hosts = list(dict.fromkeys(placement))
    tells = "measure where they can, or read a log of the library"
    for block in counted:
        if block is None or len(block.sent) != len(hosts) or len(block.received) != len(hosts):
            return f"the byte counters of a block could not be read: {tells}"
        for host, sent, received in zip(hosts, block.sent, block.received, strict=True):
            if sent is None or received is None:
                return f"the byte counters of {host} could not be read: {tells}"
    return "" if counted else f"no bytes were counted: {tells}"


def _bypassed(
    op: str, size_bytes: int, placement: Sequence[str], root: int, blocks: Sequence[Counted]
) -> str:
    """Fewer bytes than any way needs look like a reduction by switches, and are none."""
    for block in blocks:
        for least, sent, received in zip(
            least_bytes(op, size_bytes, placement, root), block.sent, block.received, strict=True
        ):
            assert sent is not None
            assert received is not None
            if sent < COUNTED_SHARE * least.sent or received < COUNTED_SHARE * least.received:
                return (
                    f"bytes of {least.host} went another way than over the links that were "
                    "counted: count that way too"
                )
    return ""


def _settling(
    op: str, size_bytes: int, placement: Sequence[str], root: int, ways: Sequence[_Way]
) -> str:
    """Why the bytes did not tell, and the measurement that would."""
    if not _tells(op, size_bytes, placement, root):
        hosts = list(dict.fromkeys(placement))
        enough = next((s for s in _sizes_above(size_bytes) if _tells(op, s, placement, root)), None)
        if enough is not None:
            size = format_size(size_bytes)
            return f"{size} are too few to stand out: measure {format_size(enough)} or more"
        if len(hosts) < len(placement) and _tells(op, _LARGEST, hosts, 0):
            return "several ranks of a host may send as much as hosts do: measure one rank on each"
        return (
            f"{len(hosts)} hosts may move as much either way: measure on 3 hosts or more, or have "
            "the library count bytes per peer"
        )
    way = max(ways, key=lambda way: way.by_hosts - way.in_network)
    takes, need = (f"{of / size_bytes:.4g}" for of in (way.in_network, way.by_hosts))
    return (
        f"{_said(way, size_bytes)}, neither the {takes} of switches that reduce nor the {need} "
        f"of hosts to within {way.error / size_bytes:.2f}: measure more launches, or read a log "
        "of the library"
    )


def _tells(op: str, size_bytes: int, placement: Sequence[str], root: int) -> bool:
    """Whether a tree of switches would be proven by its bytes, whatever the blocks' spread."""
    by_hosts = least_by_hosts(op, size_bytes, placement, root)
    in_network = most_in_network(op, size_bytes, placement, root)
    control = CONTROL_BYTES * len(set(placement))
    return any(
        (1 + FRAMING_SHARE) * tree + control + _CLEARLY * (FRAMING_SHARE * tree + control) < hosts
        for tree, hosts in (
            (in_network.sent, by_hosts.sent),
            (in_network.received, by_hosts.received),
        )
    )


def _sizes_above(size_bytes: int) -> Iterator[int]:
    """Powers of two above a size."""
    power = 1 << size_bytes.bit_length()
    while power <= _LARGEST:
        yield power
        power *= 2
