"""How points are measured in virtual time, where only links that flap vary."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import psutil

from busbar.record.models import Stopping, Variant, Warmup
from busbar.simulate.scenario import Fault

SETTINGS_PREFIX = "smpi/"
"""Of settings that choose algorithms, as SimGrid calls them: smpi/allreduce=lr."""
LAUNCHES = 1
"""Another one would give the same figures."""
NO_WARMUP = Warmup(min_samples=0, min_seconds=0.0)
FIRST_CALL = Warmup(min_samples=1, min_seconds=0.0)
"""For algorithms that make communicators in their first call: smp_*, and what some decision
functions pick. On 8 hosts at 1 us a message that takes 18 us."""
_REST_US = 10_000.0
"""Between samples: long enough for news of the next start to reach everyone in time."""
_LONGEST_REST_US = 1e6
"""That the engine takes."""

_MOST_PAYLOAD = 64 << 20
"""Bytes of all ranks' vectors together up to which messages carry data: all ranks share the memory
of this machine, some five buffers each, and all is verified."""
_MEMORY_EACH = 4 << 20
"""Bytes of a simulated process: 0.6 MiB, and 3.5 MiB where 1,024 send to all others at once."""
_CHUNK = "1M"
"""Of the reduction tree. An aggregator has sent its answer before it takes the next chunk, so each
chunk costs a latency: on links of hundreds of Gbit/s the engine's own default, 32K, would be mostly
that."""


def warmup(variants: Sequence[Variant]) -> Warmup:
    """One execution where a variant chooses among SimGrid's algorithms; else none."""
    chosen = any(
        variant.environment or any(name.startswith(SETTINGS_PREFIX) for name in variant.settings)
        for variant in variants
    )
    return FIRST_CALL if chosen else NO_WARMUP


def stopping(asked: Stopping, faults: Sequence[Fault]) -> Stopping:
    """One sample, as another one would be the same; the least asked for where a link flaps."""
    flaps = any(fault.flap for fault in faults)
    samples = asked.min_samples if flaps else 1
    return asked.model_copy(update={"min_samples": samples, "max_samples": samples})


def rest_us(faults: Sequence[Fault]) -> float:
    """Microseconds between samples, in which news of the next start has outlived every stall.

    A sample that a stall delays ends with it, and so do the steps to the next start. The rest is
    such that short samples then meet stalls as often as these are long against their period: with
    one of every three, two begin between stalls, and the third in the middle of one.
    """
    flaps = {fault.flap for fault in faults if fault.flap is not None}
    least = _REST_US + sum(flap.for_us for flap in flaps)
    if not flaps:
        return least
    slowest = max(flaps, key=lambda flap: flap.every_us)
    period = slowest.every_us
    step = (period - slowest.for_us / 2) / max(1, round(period / slowest.for_us))
    return min(step + period * max(0, math.ceil((least - step) / period)), _LONGEST_REST_US)


def carries_payload(size_bytes: int, ranks: int) -> bool:
    """Whether a point's messages carry data, which is then verified."""
    return size_bytes * ranks <= _MOST_PAYLOAD


def at_once(processes: int) -> int:
    """How many simulations of so many processes this machine carries at the same time."""
    room = psutil.virtual_memory().available // (processes * _MEMORY_EACH)
    return max(1, min(len(os.sched_getaffinity(0)), room))


def with_chunks(variants: Sequence[Variant]) -> list[Variant]:
    """The variants, those that reduce in the network with a chunk that suits fast links."""
    return [
        variant.model_copy(update={"settings": {"in_network_chunk": _CHUNK, **variant.settings}})
        if variant.in_network == "tree"
        else variant
        for variant in variants
    ]
