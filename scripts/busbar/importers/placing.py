"""Where the ranks of an imported launch ran: as its file says, else as the user does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from busbar.errors import UsageError
from busbar.importers.printout import Place, Printout, Source

_MOST_RANKS = 1 << 20


@dataclass(frozen=True)
class GivenPlaces:
    """Hosts in the order of their ranks, and how many consecutive ranks each had."""

    hosts: Sequence[str]
    ranks_per_node: int

    def places(self) -> list[Place]:
        """Rank r on host r / ranks_per_node."""
        return [
            Place(
                rank=node * self.ranks_per_node + index, host=host, pid=None, gpu=None,
                gpu_name=None, pci_bus_id=None, thread=0,
            )
            for node, host in enumerate(self.hosts)
            for index in range(self.ranks_per_node)
        ]  # fmt: skip


def parse_given(hosts: str | None, ranks_per_node: int | None) -> GivenPlaces | None:
    """`--hosts a,b` and `--ranks-per-node 8`; None if neither was given. Raises UsageError."""
    if hosts is None and ranks_per_node is None:
        return None
    if hosts is None or ranks_per_node is None:
        raise UsageError("--hosts and --ranks-per-node belong together: give both, or neither.")
    names = hosts.split(",")
    if not all(name == name.strip() and name for name in names) or len(set(names)) < len(names):
        raise UsageError(f"--hosts '{hosts}' is no list of different names such as a,b.")
    if ranks_per_node < 1 or ranks_per_node * len(names) > _MOST_RANKS:
        raise UsageError(
            f"--ranks-per-node {ranks_per_node} is not accepted: accepted is 1 or more, and "
            f"{_MOST_RANKS} ranks in all."
        )
    return GivenPlaces(names, ranks_per_node)


def places_of(source: Source, printout: Printout, given: GivenPlaces | None) -> Sequence[Place]:
    """The places of a launch's ranks, from 0 on. Raises UsageError if they are not known."""
    if printout.places:
        places: Sequence[Place] = printout.places
    elif given is not None:
        places = given.places()
    else:
        raise source.refuse(
            "it does not say where its ranks ran: give --hosts a,b,… and --ranks-per-node."
        )
    if len(places) < 2:
        raise source.refuse(
            "one rank communicates with nobody; accepted are two ranks or more (nccl-tests built "
            "without MPI runs alone in each process)."
        )
    if printout.exactly_ranks is not None and len(places) != printout.exactly_ranks:
        raise source.refuse(
            f"this benchmark takes {printout.exactly_ranks} ranks, not the {len(places)} of "
            "--hosts and --ranks-per-node."
        )
    return places
