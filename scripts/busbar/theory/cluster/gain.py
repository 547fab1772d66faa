"""What the baselines take at best that reduction in the network is held against.

By bytes alone and at line rate, as bounds are, or by what ranks reduce where that takes longer: a
flat ring of all ranks, and the hierarchical all_reduce, in which GPUs of a domain reduce_scatter
and all_gather among themselves, and rings go between domains. With n GPUs, N domains and k in each,
where one level sets the pace:

* SHARP over the hierarchical algorithm 2(N-1)/N, over the flat ring 2(n-1)/n;
* NVLS over the ring of one domain 2(k-1)/(k+1).
"""

from __future__ import annotations

from busbar.theory.cluster import loads
from busbar.theory.cluster.bounds import Limit, crossings, longest, reducing, together
from busbar.theory.cluster.in_network import among_gpus_share
from busbar.theory.cluster.layout import Kind, Layout
from busbar.theory.cluster.rates import line_rates
from busbar.theory.operations import OPERATIONS

RING = "ring"
HIERARCHICAL = "hierarchical rings"
_BY_RING = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce")


def baselines(layout: Layout, op: str, reduced_per_us: float | None = None) -> dict[str, float]:
    """Microseconds per byte of each baseline of an operation; none for one that has none.

    `reduced_per_us`: bytes of one of two vectors that a rank combines; None where that is free.
    """
    if op not in _BY_RING or layout.ranks < 2:
        return {}
    rates = line_rates(layout.cluster)
    work = list(reducing(layout, op, reduced_per_us))
    found = {RING: loads.slowest_us_per_byte([*loads.ring(layout, op, rates), *work])}
    if op == "all_reduce" and 1 < layout.domains() < layout.ranks:
        inside = [
            Limit(loads.PORT, among_gpus_share(op, reach), rates.port_gbs(reach))
            for reach in layout.reaches()
            if rates.port_gbs(reach)
        ]
        between = [
            *together(layout, op, rates, into=Kind.DOMAIN),
            *(
                limit
                for crosses in OPERATIONS[op].phases
                for limit in crossings(layout, crosses, rates, gpus=False)
            ),
        ]
        slowest = longest([*inside, *between, *work])
        if inside and slowest is not None:
            found[HIERARCHICAL] = slowest.us_per_byte()
    return found
