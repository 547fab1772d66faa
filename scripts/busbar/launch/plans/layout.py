"""Where the ranks of a launch are, and on which leaves their hosts hang."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from busbar.errors import UsageError
from busbar.fabrics.model import Fabric
from busbar.launch.plan import Ranks
from busbar.pairs.sites import Sites, of_fabric


@dataclass(frozen=True)
class Layout:
    """Hosts of ranks, and leaves of hosts."""

    placement: tuple[str, ...]
    """The host of each rank."""
    leaves: dict[str, str]
    """The leaf of each host; empty where nothing says it."""
    leaves_from: str
    """What says it, or why nothing does, in one sentence."""
    threads: int = 1

    @property
    def hosts(self) -> tuple[str, ...]:
        """Each once, in the order of their ranks."""
        return tuple(dict.fromkeys(self.placement))

    @property
    def ranks(self) -> Ranks:
        """As plans take them."""
        return Ranks(len(self.placement), self.placement, self.threads)

    def ranks_per_host(self) -> set[int]:
        """The numbers that occur."""
        return set(Counter(self.placement).values())

    def ranks_by_leaf(self) -> dict[str, list[int]]:
        """Ranks below each leaf."""
        found: dict[str, list[int]] = {}
        for rank, host in enumerate(self.placement):
            if host in self.leaves:
                found.setdefault(self.leaves[host], []).append(rank)
        return found

    @classmethod
    def of(
        cls, placement: Sequence[str], fabric: Fabric, sites: Sites | None, threads: int = 1
    ) -> Layout:
        """With the leaves of a site map, else of the fabric.

        Raises UsageError for a host that the site map leaves out.
        """
        hosts = tuple(dict.fromkeys(placement))
        leaves, told = _leaves(hosts, fabric, sites)
        return cls(tuple(placement), leaves, told, threads)


def _leaves(
    hosts: Sequence[str], fabric: Fabric, sites: Sites | None
) -> tuple[dict[str, str], str]:
    if sites is not None:
        found = {host: sites.leaf_of(host) for host in hosts}
        lost = next((host for host, leaf in found.items() if leaf is None), None)
        if lost is not None:
            raise UsageError(
                f"--sites does not say on which leaf host '{lost}' hangs: accepted is a map of all "
                "hosts that are measured."
            )
        return {host: leaf for host, leaf in found.items() if leaf is not None}, "by the site map."
    own = of_fabric(fabric)
    if own.attachments:
        known = {host: leaf for host in hosts if (leaf := own.leaf_of(host)) is not None}
        return known, f"by fabric {fabric.name}."
    cluster = fabric.cluster
    if cluster is not None and cluster.tiers:
        # Hosts of a cluster have no names: schedulers number them along the racks.
        tier = cluster.tiers[0]
        blocks = {host: f"{tier.name} {n // tier.nodes + 1}" for n, host in enumerate(hosts)}
        return blocks, f"by fabric {fabric.name}, hosts in the order of their ranks."
    return {}, f"Fabric {fabric.name} has no leaves, and no site map was given."
