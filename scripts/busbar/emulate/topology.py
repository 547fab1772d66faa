"""The shape of an emulated fabric: a tree of switches, with hosts at its leaves.

`one_switch` builds the only shape there is so far. Another one (leaves and a spine, a host at a
switch that aggregates in the network) is another function that returns a Topology; what lays a
Topology out (plan.py) and what builds it (world.py) follow links and know no shape.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from busbar.emulate.spec import EmulationSpec

NETWORK = IPv4Network("10.77.0.0/16")  # private to the world, so it clashes with nothing outside
LOGIN = "login"
LOGIN_ADDRESS = NETWORK[1]
FIRST_HOST = 256  # host N is 10.77.1.N, easy to read in a capture


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


def one_switch(spec: EmulationSpec) -> Topology:
    """Every host on one switch, and beside them the login host that launches, unshaped."""
    switch = "switch"
    hosts = [Host(LOGIN, LOGIN_ADDRESS)]
    links = [Link(switch, LOGIN)]
    for number, name in enumerate(spec.host_names):
        rates = spec.rates_of(name)
        hosts.append(Host(name, NETWORK[FIRST_HOST + 1 + number]))
        links.append(Link(switch, name, up_bps=rates.tx_bps, down_bps=rates.rx_bps))
    return Topology((switch,), tuple(hosts), tuple(links))
