"""The hosts at the switches that reduce in the network, and the trees they form.

A switch cannot compute, so a host beside it does, on a link that is not shaped: what it takes in
and gives out is limited by the links of those who send and receive, as for a switch that reduces.
"""

from busbar.emulate.spec import EmulationSpec


def aggregation_hosts(spec: EmulationSpec) -> dict[str, str]:
    """The aggregation host of each switch, leaves first; none without aggregators."""
    if spec.aggregators == 0:
        return {}
    top, *leaves = spec.switch_names
    return {switch: f"{switch}-agg" for switch in (*leaves, top)}


def trees(spec: EmulationSpec) -> list[str]:
    """The engine's `--tree` texts, CHILD=PARENT for each host: one for each aggregator of a switch.

    All are the same. The engine gives each of them an aggregator of its own on every host.
    """
    above = aggregation_hosts(spec)
    if not above:
        return []
    edges = [
        f"{host}={above[switch]}" for switch, hosts in spec.hosts_below.items() for host in hosts
    ]
    top = spec.switch_names[0]
    edges += [f"{above[leaf]}={above[top]}" for leaf in spec.leaf_names]
    return [",".join(edges)] * spec.aggregators
