"""Groups that are the first hosts of the largest of them: what a study of scaling compares."""

from __future__ import annotations

from collections.abc import Iterable

from busbar.record.key import Group, parse_ranks
from busbar.record.models import RunRecord


def nested_groups(groups: Iterable[Group], record: RunRecord) -> dict[str, int]:
    """The number of hosts of each nested group by its ranks, fewest hosts first.

    Nested is a group whose one communicator has all ranks of the first hosts of the largest group,
    in the order of ranks. Hosts are those of the launch with most ranks, so that a group that was
    only planned has them too; a group with ranks of no launch is left out.
    """
    host_of = _host_of_rank(record)
    whole = {group.ranks for group in groups if group.split is None and group.parts is None}
    ranks_of = {text: parse_ranks(text) for text in whole}
    placed = {
        text: [host_of[rank] for rank in ranks]
        for text, ranks in ranks_of.items()
        if all(rank in host_of for rank in ranks)
    }
    if not placed:
        return {}
    largest = max(placed, key=lambda text: len(placed[text]))
    order = list(dict.fromkeys(placed[largest]))
    every = list(zip(ranks_of[largest], placed[largest], strict=True))
    found = {}
    for text, hosts in placed.items():
        first = set(order[: len(set(hosts))])
        if list(ranks_of[text]) == [rank for rank, host in every if host in first]:
            found[text] = len(first)
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _host_of_rank(record: RunRecord) -> dict[int, str]:
    every = (
        {process.rank: process.host for process in launch.processes if process.role == "worker"}
        for launch in record.launches
    )
    return max(every, key=len, default={})
