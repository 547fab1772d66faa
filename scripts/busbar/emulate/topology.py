"""The shape of an emulated fabric: a tree of switches, with hosts at its leaves.

`topology` knows the shapes: one switch, or leaves below a spine. What lays a Topology out (plan.py)
and what builds it (world.py) follow links and know no shape.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from busbar.emulate.aggregation import aggregation_hosts
from busbar.emulate.spec import EmulationSpec

NETWORK = IPv4Network("10.77.0.0/16")  # private to the world, so it clashes with nothing outside
LOGIN = "login"
LOGIN_ADDRESS = NETWORK[1]
# Easy to read in a capture: host N is 10.77.1.N, and aggregation host N is 10.77.2.N.
FIRST_HOST = NETWORK[256 + 1]
FIRST_AGGREGATION_HOST = NETWORK[2 * 256 + 1]


@dataclass(frozen=True, slots=True)
class Host:
    """A machine at the edge of the fabric."""

    name: str
    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Link:
    """A cable from a switch to what hangs below it; a rate of None leaves that way unshaped."""

    upper: str
    lower: str
    up_bps: int | None = None
    down_bps: int | None = None


@dataclass(frozen=True, slots=True)
class Topology:
    """Switches (every one after the switch above it), hosts, and the links between them."""

    switches: tuple[str, ...]
    hosts: tuple[Host, ...]
    links: tuple[Link, ...]


def topology(spec: EmulationSpec) -> Topology:
    """Every host at its switch, and at the top switch the login host that launches, unshaped."""
    beside = aggregation_hosts(spec)
    hosts = [
        Host(LOGIN, LOGIN_ADDRESS),
        *(Host(name, FIRST_HOST + n) for n, name in enumerate(spec.host_names)),
        *(Host(name, FIRST_AGGREGATION_HOST + n) for n, name in enumerate(beside.values())),
    ]
    links = [
        Link(spec.switch_names[0], LOGIN),
        *_uplinks(spec),
        *_host_links(spec),
        *(Link(switch, name) for switch, name in beside.items()),
    ]
    return Topology(spec.switch_names, tuple(hosts), tuple(links))


def _uplinks(spec: EmulationSpec) -> list[Link]:
    spine = spec.switch_names[0]
    rates = {leaf: spec.uplink_rates_of(leaf) for leaf in spec.leaf_names}
    return [Link(spine, leaf, up_bps=r.tx_bps, down_bps=r.rx_bps) for leaf, r in rates.items()]


def _host_links(spec: EmulationSpec) -> list[Link]:
    switch_of = {host: switch for switch, hosts in spec.hosts_below.items() for host in hosts}
    rates = {host: spec.rates_of(host) for host in spec.host_names}
    return [
        Link(switch_of[host], host, up_bps=r.tx_bps, down_bps=r.rx_bps) for host, r in rates.items()
    ]
