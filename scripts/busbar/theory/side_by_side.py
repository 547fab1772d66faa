"""Several communicators that carry the same operation out at the same time.

Each is bound as if it were alone, and together by every cut: what all of them must push through it
adds up. As nothing keeps their phases in step, the bytes of all phases are taken together there.
Where all links together must pass more than the cuts say (`Operation.together`), that adds up for
communicators on the same hosts.

On a cluster those that are placed alike add up, such as the rails of a split by index; others count
as if they were alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from busbar.fabrics.model import Cut, Fabric
from busbar.theory.bound import Bound, bound, operation
from busbar.theory.limit import CutLimit, cut_limit
from busbar.theory.operations import Crosses, Exchange
from busbar.theory.partitions import strictest
from busbar.theory.wire import LeastBytes, least_bytes

Placements = Sequence[Sequence[str]]


def bound_side_by_side(
    fabric: Fabric,
    op: str,
    size_bytes: int,
    parts: Placements,
    *,
    root: int = 0,
    in_network: bool = False,
    nvlink_only: bool = False,
    placed: bool = True,
) -> Bound | None:
    """The bound of the slowest part; `parts` are the placements of the communicators, as `bound`'s.

    None where no byte has to cross a link of known rate. Raises UsageError as `bound` does.
    """
    alike = Counter(tuple(part) for part in parts)
    each = [
        bound(
            fabric, op, size_bytes, part, root=root, in_network=in_network,
            nvlink_only=nvlink_only, placed=placed, times=times if fabric.cluster else 1,
        )
        for part, times in alike.items()
    ]  # fmt: skip
    found = max((b for b in each if b is not None), key=lambda b: b.time_us, default=None)
    if found is None or len(parts) == 1 or fabric.cluster is not None:
        return found
    what = operation(op)
    phases = what.phases
    if in_network and what.in_network is not None:
        phases = (what.in_network,)
    exchange = Exchange(size_bytes, len(parts[0]), root)
    limits = [
        limit for cut in fabric.cuts() for limit in _limits(fabric, cut, phases, exchange, parts)
    ]
    if not in_network and what.together is not None:
        limits += _together(fabric, what.together, exchange, parts)
    together = max(limits, key=lambda limit: limit.time_us, default=None)
    if together is None or together.time_us / len(phases) <= found.time_us:
        return found
    time_us = together.time_us / len(phases)
    algbw = size_bytes / time_us / 1000
    return Bound(
        time_us=time_us,
        algbw_gbs=algbw,
        busbw_gbs=algbw * what.bus_factor(len(parts[0])),
        cut=together.cut,
        cut_bytes=together.payload_bytes,
        formula=together.formula,
    )


def least_bytes_side_by_side(
    op: str, size_bytes: int, parts: Placements, root: int = 0
) -> list[LeastBytes]:
    """What each host must send and receive for all parts, hosts as they come first in `parts`."""
    found: dict[str, LeastBytes] = {}
    for part in parts:
        for least in least_bytes(op, size_bytes, part, root):
            before = found.get(least.host, LeastBytes(least.host, 0.0, 0.0))
            found[least.host] = LeastBytes(
                least.host, before.sent + least.sent, before.received + least.received
            )
    return list(found.values())


def _together(
    fabric: Fabric,
    least: Callable[[Exchange, int], float],
    exchange: Exchange,
    parts: Placements,
) -> Iterator[CutLimit]:
    """What communicators on the same hosts must send in all."""
    for hosts, times in Counter(frozenset(part) for part in parts).items():
        for direction in ("egress", "ingress") if len(hosts) > 1 and fabric.cuts() else ():
            per_part = times * least(exchange, 2) / fabric.efficiency()
            parted = strictest(fabric.cuts(), hosts, direction, per_part)
            total = times * least(exchange, parted.parts)
            name = f"{parted.name}, all parts together, {direction}"
            yield cut_limit(fabric, name, parted.port, total)


def _limits(
    fabric: Fabric, cut: Cut, phases: Sequence[Crosses], exchange: Exchange, parts: Placements
) -> list[CutLimit]:
    out_bytes = in_bytes = 0.0
    for part in parts:
        inside = {rank for rank, host in enumerate(part) if host in cut.hosts}
        if not inside or len(inside) == len(part):
            continue
        for crosses in phases:
            crossing = crosses(exchange, inside)
            out_bytes += crossing.out_bytes
            in_bytes += crossing.in_bytes
    name = f"{cut.name}, all parts together"
    return [
        cut_limit(fabric, f"{name}, egress", cut.egress, out_bytes),
        cut_limit(fabric, f"{name}, ingress", cut.ingress, in_bytes),
    ]
