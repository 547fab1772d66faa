"""Which communicators of a capture a workload is of: those of one kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from busbar.errors import UsageError
from busbar.tune.capture.member import Member


@dataclass(frozen=True)
class Kind:
    """Communicators that one set of settings may serve."""

    transport: str
    ranks: int
    nodes: int | None
    """None where it is not known."""

    def __str__(self) -> str:
        nodes = "" if self.nodes is None else f" of {self.nodes} node{'s' * (self.nodes > 1)}"
        return f"{self.transport} on {self.ranks} ranks{nodes}"


@dataclass(frozen=True)
class Wanted:
    """What the user says of the kind; None leaves it open."""

    transport: str | None = None
    ranks: int | None = None
    nodes: int | None = None

    def takes(self, kind: Kind) -> bool:
        """Whether nothing that was said is against it. Nodes that are not known pass."""
        return (
            self.transport in (None, kind.transport)
            and self.ranks in (None, kind.ranks)
            and (self.nodes is None or kind.nodes in (None, self.nodes))
        )


def select(members: Sequence[Member], wanted: Wanted, origin: Path) -> tuple[Kind, list[Member]]:
    """The members of the one kind of communicator that is wanted and did something.

    Communicators of different size, of as many ranks on another number of nodes (tensor-parallel
    ones within a node, data-parallel ones across), or of different libraries are never mixed.
    Raises UsageError that names what there is, where that is nothing or more than one kind.
    """
    kinds: dict[Kind, list[Member]] = defaultdict(list)
    for communicator in _communicators(members, origin).values():
        if any(member.executions for member in communicator):
            kinds[_kind(communicator)].extend(communicator)
    fitting = [kind for kind in kinds if wanted.takes(kind)]
    if len(fitting) == 1:
        return fitting[0], kinds[fitting[0]]
    there = ", ".join(f"{kind} ({_executions(kinds[kind])} executions)" for kind in _sorted(kinds))
    if not kinds:
        raise UsageError(f"{origin} has no communicator that did anything a workload has.")
    if not fitting:
        raise UsageError(f"{origin} has no such communicators; accepted: {there}.")
    raise UsageError(
        f"{origin} has communicators of several kinds, and a workload is of one: say ranks, nodes "
        f"or transport; accepted: {there}."
    )


def _communicators(
    members: Sequence[Member], origin: Path
) -> dict[tuple[str, str, int], list[Member]]:
    found: dict[tuple[str, str, int], list[Member]] = defaultdict(list)
    for member in members:
        if member.ranks > 1:  # alone it only copies
            found[member.transport, member.communicator, member.ranks].append(member)
    for (transport, name, _), those in found.items():
        rank, times = Counter(member.rank for member in those).most_common(1)[0]
        if times > 1:
            raise UsageError(
                f"{origin} has rank {rank} of {transport}'s communicator {name} {times} times, as "
                "after a second run: a folder is for the files of one run."
            )
    return found


def _kind(members: Sequence[Member]) -> Kind:
    first = members[0]
    nodes = first.nodes
    if nodes is None and len(members) == first.ranks:
        nodes = len({member.host for member in members})
    return Kind(first.transport, first.ranks, nodes)


def _sorted(kinds: dict[Kind, list[Member]]) -> list[Kind]:
    return sorted(kinds, key=lambda kind: (kind.transport, kind.ranks, kind.nodes or 0))


def _executions(members: Sequence[Member]) -> int:
    return sum(member.executions.total() for member in members)
