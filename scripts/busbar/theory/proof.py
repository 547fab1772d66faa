"""Whether switches carried an operation out, from the bytes that the hosts' counters saw.

Three hypotheses are held against what all hosts sent in all, and received:

* Hosts alone: no algorithm does with less than `wire.least_by_hosts`.
* In the network, each host's ranks combined first (`wire.combined_in_network`), as CollNet does, or
  each rank on its own (`wire.most_in_network`), as to aggregators in software.

It was in the network where the bytes fit a tree of switches and are clearly less than hosts need:
less alone could be NICs that nobody counted. It was not where they suffice for hosts and are
clearly another number than that of either tree.

Clearly means by more than three times the error. The error is what a counter may see beyond, or
beside, the payload: headers and acknowledgements, which are a share of what was counted, what the
engine says to agree on each start, and how far the blocks are apart. Where nothing is proven, or a
counter is missing, nothing is said but the measurement that would settle it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from busbar.theory.bound import operation
from busbar.theory.wire import (
    Totals,
    combined_in_network,
    least_by_hosts,
    least_bytes,
    most_in_network,
)
from busbar.units import format_size

COUNTED_SHARE = 0.99  # counters are read just before and after, beside other traffic

# Of the payload that is moved. TCP over Ethernet adds 4.6 % at an MTU of 1500 (1448 of
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
    trees = _trees(op, size_bytes, placement, root)
    control = CONTROL_BYTES * len(set(placement))
    ways = [
        _way("sent", [b.sent for b in blocks], by_hosts.sent, [t.sent for t in trees], control),
        _way(
            "received",
            [b.received for b in blocks],
            by_hosts.received,
            [t.received for t in trees],
            control,
        ),
    ]
    fitting = [tree for tree in range(len(trees)) if all(way.fits(tree) for way in ways)]
    for way in ways:
        if fitting and way.is_less_than_hosts_need():
            need = f"{way.by_hosts / size_bytes:.4g}"
            because = f"{_said(way, size_bytes)}, less than the {need} that hosts alone need"
            return Finding(True, because)
    refuted = [next((w for w in ways if w.refutes(tree)), None) for tree in range(len(trees))]
    against = [way for way in refuted if way is not None]
    if all(way.suffices_for_hosts() for way in ways) and len(against) == len(trees):
        way = against[0]
        takes = " or ".join(dict.fromkeys(f"{tree / size_bytes:.4g}" for tree in way.trees))
        than = "more than" if way.counted > max(way.trees) else "not"
        because = f"{_said(way, size_bytes)}, {than} the {takes} of switches that reduce"
        return Finding(False, because)
    return Finding(None, _settling(op, size_bytes, placement, root, ways))


def _trees(op: str, size_bytes: int, placement: Sequence[str], root: int) -> tuple[Totals, Totals]:
    """What switches that reduce would have hosts move: hosts combine first, or each rank alone."""
    return (
        combined_in_network(op, size_bytes, placement, root),
        most_in_network(op, size_bytes, placement, root),
    )


@dataclass(frozen=True)
class _Way:
    """One direction: what was counted over all hosts, and what each hypothesis says of it."""

    verb: str
    counted: float
    """Median over blocks."""
    beside: float
    """How far blocks are apart, and what is said beside the data."""
    by_hosts: float
    """The least."""
    trees: tuple[float, ...]
    """As `_trees`."""

    def is_less_than_hosts_need(self) -> bool:
        error = self.beside + FRAMING_SHARE * self.counted
        return self.counted + _CLEARLY * error < self.by_hosts

    def suffices_for_hosts(self) -> bool:
        return self.counted >= COUNTED_SHARE * self.by_hosts

    def fits(self, tree: int) -> bool:
        """Framing adds to the payload of a tree, and nothing takes from it."""
        payload, beside = self.trees[tree], _CLEARLY * self.beside
        least, most = COUNTED_SHARE * payload, (1 + FRAMING_SHARE) * payload
        return least - beside <= self.counted <= most + beside

    def refutes(self, tree: int) -> bool:
        """By more bytes; by fewer only where ranks would stream on their own, as the hosts' own
        share, such as that of a root, may stay where it is."""
        payload, beside = self.trees[tree], _CLEARLY * self.beside
        least = (1 - _CLEARLY * (1 - COUNTED_SHARE)) * payload
        most = (1 + _CLEARLY * FRAMING_SHARE) * payload
        too_few = self.counted < least - beside and payload > self.trees[0]
        return too_few or self.counted > most + beside


def _way(
    verb: str,
    blocks: Sequence[Sequence[float | None]],
    by_hosts: float,
    trees: Sequence[float],
    control: float,
) -> _Way:
    totals = [sum(value for value in block if value is not None) for block in blocks]
    middle = median(totals)
    spread = max(abs(total - middle) for total in totals)
    return _Way(verb, middle, spread + control, by_hosts, tuple(trees))


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
        return (
            f"{len(hosts)} hosts may move as much either way: measure on 3 hosts or more, or have "
            "the library count bytes per peer"
        )
    if len(set(placement)) < len(placement) and all(way.fits(1) for way in ways):
        return "several ranks of a host may send as much as hosts do: measure one rank on each"
    way = max(ways, key=lambda way: way.by_hosts - way.trees[0])
    takes, need = (f"{of / size_bytes:.4g}" for of in (way.trees[0], way.by_hosts))
    error = way.beside + FRAMING_SHARE * way.counted
    return (
        f"{_said(way, size_bytes)}, neither the {takes} of switches that reduce nor the {need} "
        f"of hosts to within {error / size_bytes:.2f}: measure more launches, or read a log of the "
        "library"
    )


def _tells(op: str, size_bytes: int, placement: Sequence[str], root: int) -> bool:
    """Whether a tree of switches would be proven by its bytes, whatever the blocks' spread."""
    by_hosts = least_by_hosts(op, size_bytes, placement, root)
    tree = combined_in_network(op, size_bytes, placement, root)
    control = CONTROL_BYTES * len(set(placement))
    return any(
        _Way(
            "", (1 + FRAMING_SHARE) * payload + control, control, hosts, (payload,)
        ).is_less_than_hosts_need()
        for payload, hosts in ((tree.sent, by_hosts.sent), (tree.received, by_hosts.received))
    )


def _sizes_above(size_bytes: int) -> Iterator[int]:
    """Powers of two above a size."""
    power = 1 << size_bytes.bit_length()
    while power <= _LARGEST:
        yield power
        power *= 2
