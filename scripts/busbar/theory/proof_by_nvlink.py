"""Whether NVLink's switches reduced or copied on one host, from the bytes that its GPUs counted.

To GPUs alone each GPU is a host of its own, so `wire.least_by_hosts` holds for them: an all_reduce
sends 2(n-1)S in all, as a ring does. Through the switches (NVLS) every GPU hands S to them, takes
its share of the result and sends that to all: (n+1)S sent, and received. Both are told apart at 2
GPUs (3S against 2S) and from 4 on, not at 3.

Told means: the one fits within three times the error, the other does not. The error is how far the
blocks are apart, a share of what NVLS would move, and what the counters round away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from busbar.theory.proof import COUNTED_SHARE, Counted, Finding
from busbar.theory.wire import Totals, least_by_hosts, least_bytes

# Flags and positions that GPUs tell each other beside the data; the counters leave out what the
# protocol adds. An assumption: no record from GPUs is at hand that could show less.
BESIDE_SHARE = 0.03
# Per GPU and block: counters are in KiB, and each of up to 18 links rounds both readings.
ROUNDED_BYTES = 36 * 1024.0

_CLEARLY = 3.0


@dataclass(frozen=True)
class NvlinkBlock:
    """What one block counted, by rank, per execution."""

    counted: Counted
    executions: int


def by_switches(op: str, size_bytes: int, gpus: int) -> Totals | None:
    """What all GPUs send and receive in all by NVLS; None where NVLS does not do it."""
    each_way = {
        "all_reduce": (gpus + 1, gpus + 1),
        # Every GPU hands over S and takes its share; every GPU sends its share and takes S.
        "reduce_scatter": (gpus, 1),
        "all_gather": (1, gpus),
    }.get(op)
    if each_way is None:
        return None
    sent, received = each_way
    return Totals(float(sent * size_bytes), float(received * size_bytes))


def prove_by_nvlink(
    op: str, size_bytes: int, gpus: int, blocks: Sequence[NvlinkBlock | None]
) -> Finding | None:
    """What the counters of the GPUs of one host tell of one point; None: nothing."""
    switches = by_switches(op, size_bytes, gpus)
    if switches is None or size_bytes == 0 or gpus < 2:
        return None
    each_a_host = [str(gpu) for gpu in range(gpus)]
    alone = least_by_hosts(op, size_bytes, each_a_host)
    known = [_totals(op, size_bytes, each_a_host, block) for block in blocks]
    totals = [block for block in known if block is not None]
    if not totals or len(totals) < len(known):
        return None
    rounded = max(gpus * ROUNDED_BYTES / block.executions for block in blocks if block)
    ways = [
        _way("sent", [t.sent for t in totals], switches.sent, alone.sent, rounded),
        _way("received", [t.received for t in totals], switches.received, alone.received, rounded),
    ]
    if all(way.fits_switches() for way in ways):
        for way in ways:
            if way.counted + _CLEARLY * way.error < way.alone:
                need = f"{way.alone / size_bytes:.4g}"
                because = f"{_said(way, size_bytes)}, less than the {need} that GPUs alone need"
                return Finding(True, because)
    if all(way.counted >= COUNTED_SHARE * way.alone for way in ways):
        for way in ways:
            if not way.fits_switches():
                takes = f"{way.switches / size_bytes:.4g}"
                return Finding(False, f"{_said(way, size_bytes)}, not the {takes} of NVLS")
    return None


@dataclass(frozen=True)
class _Way:
    """One direction: what was counted over all GPUs, and what each hypothesis says of it."""

    verb: str
    counted: float
    """Median over blocks."""
    error: float
    switches: float
    alone: float
    """The least."""

    def fits_switches(self) -> bool:
        return abs(self.counted - self.switches) <= _CLEARLY * self.error


def _way(verb: str, totals: Sequence[float], switches: float, alone: float, rounded: float) -> _Way:
    middle = median(totals)
    spread = max(abs(total - middle) for total in totals)
    return _Way(verb, middle, spread + BESIDE_SHARE * switches + rounded, switches, alone)


def _totals(
    op: str, size_bytes: int, each_a_host: Sequence[str], block: NvlinkBlock | None
) -> Totals | None:
    """Over all GPUs; None where one says nothing, or less than must pass its links.

    Such a GPU has bytes that went another way, over PCIe or through memory of the host.
    """
    if block is None or block.executions < 1:
        return None
    counted = block.counted
    if len(counted.sent) != len(each_a_host) or len(counted.received) != len(each_a_host):
        return None
    sent_in_all = received_in_all = 0.0
    for least, sent, received in zip(
        least_bytes(op, size_bytes, each_a_host), counted.sent, counted.received, strict=True
    ):
        if sent is None or received is None:
            return None
        if sent < COUNTED_SHARE * least.sent or received < COUNTED_SHARE * least.received:
            return None
        sent_in_all += sent
        received_in_all += received
    return Totals(sent_in_all, received_in_all)


def _said(way: _Way, size_bytes: int) -> str:
    return f"the GPUs {way.verb} {way.counted / size_bytes:.2f} times the size in all"
