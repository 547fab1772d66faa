"""Where the ranks of a group ran."""

from __future__ import annotations

from busbar.record.key import Group, parse_ranks
from busbar.record.launch import Launch


def placement(group: Group, launch: Launch) -> tuple[str, ...]:
    """The host of each rank of the group, in order. Aggregators have no rank in any group.

    Raises KeyError with the rank that the launch does not have.
    """
    hosts = _hosts(launch)
    return tuple(hosts[rank] for rank in parse_ranks(group.ranks))


def placement_of_parts(group: Group, launch: Launch) -> tuple[tuple[str, ...], ...]:
    """The same for each communicator of the group."""
    hosts = _hosts(launch)
    return tuple(tuple(hosts[rank] for rank in members) for members in group.members())


def _hosts(launch: Launch) -> dict[int, str]:
    return {process.rank: process.host for process in launch.processes if process.role == "worker"}
