"""A fabric guessed from what was seen: a case of one in the catalogue, with figures of its own.

What cannot be seen stays as it is in the catalogue, and is listed as unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from busbar.errors import UsageError
from busbar.fabrics.cluster import Cluster
from busbar.fabrics.inheritance import merge
from busbar.fabrics.load import fabric_of, find, resolve
from busbar.fabrics.protocols import NetworkProtocol
from busbar.fabrics.seen import Seen, SeenHost, SeenPort
from busbar.units import format_rate

_CASES: tuple[tuple[str, int, NetworkProtocol | None, str], ...] = (
    ("GB200", 4, "infiniband", "gb200-nvl72"),
    ("B300", 8, "infiniband", "dgx-b300"),
    ("B300", 8, "roce_v2", "hgx-b300-spectrum-x800"),
    ("B200", 8, "infiniband", "dgx-b200"),
    ("B200", 8, "roce_v2", "hgx-b200-roce"),
    ("B200", 8, "srd", "aws-p6-b200"),
    ("B200", 8, None, "hgx-b200"),
    ("H200 NVL", 8, None, "h200-nvl"),
    ("H200", 8, "infiniband", "dgx-h200"),
    ("H200", 8, "roce_v2", "hgx-h100-roce"),
    ("H100", 8, "infiniband", "dgx-h100"),
    ("H100", 8, "roce_v2", "hgx-h100-roce"),
    ("H100", 8, "srd", "aws-p5"),
    ("H100", 8, "tcp", "h100-ethernet"),
    ("H100", 8, None, "hgx-h100"),
    ("A100", 8, "infiniband", "dgx-a100"),
    ("L40S", 8, None, "l40s-pcie"),
)
"""Part of the GPU's name, GPUs of a host, what its ports speak (None: any, or none), and what that
is in the catalogue: the first that fits."""


_CARDS = ("PCIe", "PCIE", " NVL")
"""In the names of cards, which share no more than a chip with the modules of the same name."""


@dataclass(frozen=True)
class Guess:
    """What a new fabric file is to say."""

    extends: str
    description: str
    tables: Mapping[str, Mapping[str, Any]]
    """What was seen, as in the file."""
    unknown: tuple[str, ...]
    """What could not be told."""


def guess(seen: Seen, extends: str | None = None, folder: Path = Path()) -> Guess:
    """What was seen as a case of a fabric: of `extends`, a name or a path relative to `folder`.

    Raises UsageError if nothing in the catalogue fits, or `extends` does not.
    """
    host, alike = _typical(seen)
    ports = _collective_ports(host)
    name = extends or _case(host, ports)
    path = folder / name if name.endswith(".toml") else find(name)
    base = resolve(path).document
    fabric = fabric_of(base, str(path))
    if fabric.cluster is None:
        raise UsageError(f"fabric '{name}' is no cluster: accepted to extend is one of GPUs.")
    tables = _tables(fabric.cluster, name, seen, host, ports)
    unknown = [*_unseen(fabric.cluster, host, ports), *_unknown(seen, name, alike)]
    try:
        fabric_of(merge(base, tables), name)
    except UsageError:
        # Not in what was seen, but in a fabric, NVLink domains of several nodes are whole, and a
        # dragonfly has several groups.
        del tables["node"]["count"]
        if "gpus" not in tables["node"]:
            del tables["node"]
        unknown.insert(0, f"how many nodes there are, so their count is that of {name}")
        fabric_of(merge(base, tables), name)
    nodes = f"{len(seen.hosts)} {'host' if len(seen.hosts) == 1 else 'hosts'}"
    cards = f" of {len(host.gpus)} {host.gpus[0] or 'unnamed'} GPUs" if host.gpus else ""
    return Guess(name, f"{nodes}{cards}, after {name}", tables, tuple(unknown))


def _typical(seen: Seen) -> tuple[SeenHost, bool]:
    """The host that most are like, and whether all are."""
    kinds = Counter((host.gpus, tuple(sorted(host.ports, key=str))) for host in seen.hosts)
    (most, _), *_ = kinds.most_common(1)
    found = next(h for h in seen.hosts if (h.gpus, tuple(sorted(h.ports, key=str))) == most)
    return found, len(kinds) == 1


def _collective_ports(host: SeenHost) -> list[SeenPort]:
    """Ports of the kind that carries most; the others are taken for storage and management."""
    kinds = Counter(host.ports)
    if not kinds:
        return []
    most = max(kinds, key=lambda port: (kinds[port] * port.rate_bps, str(port)))
    return [most] * kinds[most]


def _case(host: SeenHost, ports: list[SeenPort]) -> str:
    protocol = ports[0].protocol if ports else None
    names = {name or "" for name in host.gpus}
    for word, gpus, speaks, name in _CASES:
        fits = bool(names) and all(word in one and _is_card(one, word) for one in names)
        if fits and len(host.gpus) == gpus and speaks in (None, protocol):
            return name
    kinds = ", ".join(sorted(one or "unnamed" for one in names)) or "none"
    raise UsageError(
        f"nothing in the catalogue fits what is on {host.name}, {len(host.gpus)} GPUs ({kinds}) "
        f"and {len(ports)} ports ({protocol or 'none that is up and tells its rate'}): accepted is "
        "--extends NAME with a fabric that busbar fabrics list shows."
    )


def _is_card(name: str, word: str) -> bool:
    """Whether a GPU is a card if, and only if, the case is."""
    return all((card in name) == (card in word) for card in _CARDS)


def _tables(
    cluster: Cluster, name: str, seen: Seen, host: SeenHost, ports: list[SeenPort]
) -> dict[str, dict[str, Any]]:
    others = len(seen.hosts) - 1
    where = f"seen on {host.name}"
    everywhere = f"{where} and {others} more" if others else where
    tables: dict[str, dict[str, Any]] = {"node": {"count": len(seen.hosts), "source": everywhere}}
    if host.gpus and len(host.gpus) != cluster.node.gpus:
        if cluster.scale_up is not None:
            raise UsageError(
                f"fabric '{name}' has {cluster.node.gpus} GPUs on a node and {host.name} has "
                f"{len(host.gpus)}: accepted with NVLink is one with as many."
            )
        tables["node"] = {"gpus": len(host.gpus), **tables["node"]}
    known = cluster.gpu.name.split()[0]
    if host.gpus and host.gpus[0] and known not in host.gpus[0]:
        tables["gpu"] = {"name": host.gpus[0].removeprefix("NVIDIA ")}
    if ports and cluster.nic is not None:
        nic: dict[str, Any] = {"per_node": len(ports)}
        nic["rate_bps"] = {"value": ports[0].rate_bps, "source": where}
        if ports[0].protocol != cluster.nic.protocol:
            nic["protocol"] = ports[0].protocol
        tables["nic"] = {**nic, "source": f"{where}; MTU as {name}"}
    return tables


def _unseen(cluster: Cluster, host: SeenHost, ports: list[SeenPort]) -> list[str]:
    """What was looked for on the host in vain, or does not fit."""
    found = []
    if not host.gpus:
        found.append("its GPUs, for none were seen")
    if ports and cluster.nic is None:
        rates = f"{len(ports)} ports of {format_rate(ports[0].rate_bps)} {ports[0].protocol}"
        found.append(f"what its {rates} reach, so [nic] is left to you")
    elif not ports:
        found.append("its network, for no port was seen that is up and tells its rate")
    elif cluster.nic is not None and len(ports) > cluster.nic.per_node:
        usual = cluster.nic.per_node
        found.append(f"which of {len(ports)} equal ports carry collectives, for {usual} are usual")
    elif len(ports) < len(host.ports):
        left = len(host.ports) - len(ports)
        found.append(f"what {left} other ports are for, which are taken for storage")
    return found


def _unknown(seen: Seen, name: str, alike: bool) -> list[str]:
    """What no host shows."""
    found = [] if alike else ["which hosts are right, for they differ and most are described"]
    whether = "than took part in the run" if seen.launched else "than this one"
    return [
        *found,
        f"whether there are more nodes {whether}",
        f"the MTU, the switches and what they reduce, which are those of {name}",
    ]
