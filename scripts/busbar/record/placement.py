"""Where the ranks of a group ran."""

from __future__ import annotations

from busbar.record.key import Group, parse_ranks
from busbar.record.launch import Launch


def placement(group: Group, launch: Launch) -> tuple[str, ...]:
    """The host of each rank of the group, in order. Aggregators have no rank in any group.

    Raises KeyError with the rank that the launch does not have.
    """
    hosts = {process.rank: process.host for process in launch.processes if process.role == "worker"}
    return tuple(hosts[rank] for rank in parse_ranks(group.ranks))
