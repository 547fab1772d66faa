"""The platform of a fabric of kind `network`: one switch, or leaves below a spine.

The fabric states what a message costs beyond its bytes, whatever its way: half of it is on each
host's link, and uplinks have a rate only. Token buckets are left out, which let short messages pass
faster than the line.
"""

from __future__ import annotations

from busbar.fabrics.model import Fabric, Port
from busbar.leaves import spread
from busbar.simulate.description import WORLD, Description, Link, Platform, Reduction


def network_platform(
    fabric: Fabric,
    hosts: int,
    ranks_per_host: int,
    message_us: float,
    trees: int,
    background: float,
    reduction: Reduction,
) -> Platform:
    """The first `hosts` hosts of a fabric, with `trees` aggregators at each switch."""
    placement = fabric.placement(ranks_per_host, hosts)
    names = tuple(dict.fromkeys(placement))
    ports = {next(iter(cut.hosts)): cut for cut in fabric.cuts() if cut.level == "host"}
    payload = fabric.efficiency() * (1 - background)
    above, tops = _switches(fabric, names)

    made = Description(reduction)
    made.star(WORLD, None)
    for leaf, cut in tops.items():
        made.star(leaf, WORLD)
        made.uplink(leaf, WORLD, _link(cut[0], payload, 0.0), _link(cut[1], payload, 0.0))
    for host in names:
        cut_of = ports[host]
        half_s = message_us / 2e6
        up, down = _link(cut_of.egress, payload, half_s), _link(cut_of.ingress, payload, half_s)
        made.host(host, above[host], host, up, down)
    aggregators, edges = _aggregation(above, list(tops)) if trees else ([], "")
    for name, zone in aggregators:
        made.aggregator(name, zone)
    return Platform(
        parts=tuple(made.parts),
        workers=placement,
        nodes=placement,
        aggregators=tuple(name for name, _ in aggregators for _ in range(trees)),
        trees=(edges,) * trees,
    )


def _switches(
    fabric: Fabric, hosts: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, tuple[Port, Port]]]:
    """The zone of each host, and the uplink of each leaf that has any of them."""
    if fabric.leaves is None:
        return dict.fromkeys(hosts, WORLD), {}
    above = {
        host: leaf
        for leaf, below in zip(
            fabric.leaf_names(), spread(fabric.host_names(), fabric.leaves.count), strict=True
        )
        for host in below
        if host in hosts
    }
    used = dict.fromkeys(above.values())
    return above, {leaf: fabric.leaves.ports(leaf, fabric.leaf) for leaf in used}


def _aggregation(above: dict[str, str], leaves: list[str]) -> tuple[list[tuple[str, str]], str]:
    """The hosts that reduce with their zones, leaves first, and the tree they form."""
    if not leaves:
        return [("switch-agg", WORLD)], ",".join(f"{host}=switch-agg" for host in above)
    hosts = [(f"{leaf}-agg", leaf) for leaf in leaves] + [("spine-agg", WORLD)]
    edges = [f"{host}={leaf}-agg" for host, leaf in above.items()]
    edges += [f"{leaf}-agg=spine-agg" for leaf in leaves]
    return hosts, ",".join(edges)


def _link(port: Port, payload: float, latency_s: float) -> Link:
    return Link(port.rate_bps / 8 * payload, latency_s)
