"""One sentence for a hang: who did not arrive, from what the watchdogs could still say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]
Role = Literal["worker", "aggregator"]

_MOST_NAMED = 8
_WITH_AGGREGATORS = ("prepare", "warmup", "operation", "complete")
"""Phases in which a worker may wait for an aggregator; in the others only workers meet."""


# What Open MPI's mpirun says of the process that made it end a launch.
_SIGNALLED = re.compile(
    r"process rank (\d+) with PID \d+ on node (\S+) exited on (signal \d+ \([^)]*\))"
)
_EXITED = re.compile(r"Process name: \[\[\d+,\d+\],(\d+)\]\s+Exit code:\s+(\d+)")


@dataclass(frozen=True)
class Member:
    """A process that takes part, and so would speak."""

    rank: int
    role: Role
    host: str | None
    """None where it is not known before the launch."""


def explain_hang(
    what: str, reports: Sequence[Json], members: Sequence[Member], trees: Collection[str] = ()
) -> str:
    """One sentence that names the processes that did not arrive.

    Workers go through the same phases in the same order, so those with the lowest count of phases
    are the ones the others wait for; one that says nothing at all is stuck deeper still. An
    aggregator's count has nothing to do with theirs: where it alone is silent it is to blame, else
    it is a witness, which says whom it waits for. `trees` names the variants that aggregators carry
    out; during the others they are idle, and silent with good reason.
    """
    if not reports:
        return f"{what}; no rank could say where it is."
    begin = f"{what} in {_where(reports)}"
    end = f"{_witness(reports, members)}."
    spoken = {int(r["rank"]): r for r in reports if r.get("rank") is not None}
    silent = [m for m in members if m.rank not in spoken]
    if spoken and (workers := [m for m in silent if m.role == "worker"]):
        return f"{begin}: {_named(workers)} did not arrive (silent){end}"
    told = [m for m in members if m.role == "worker" and m.rank in spoken]
    lowest = min((int(spoken[m.rank]["sequence"]) for m in told), default=0)
    behind = [m for m in told if int(spoken[m.rank]["sequence"]) == lowest]
    at = spoken[behind[0].rank] if behind else reports[0]
    aggregators = [m for m in silent if m.role == "aggregator"]
    if aggregators and at.get("phase") in _WITH_AGGREGATORS and at.get("variant") in trees:
        return f"{begin}: aggregator {_named(aggregators)} did not arrive (silent){end}"
    if len(behind) == len(told):
        return f"{begin}: all ranks wait in phase {at.get('phase')}{end}"
    return f"{begin}: {_named(behind)} did not arrive, it is in phase {at.get('phase')}{end}"


def explain_start(what: str, reports: Sequence[Json], hosts: Sequence[str]) -> str:
    """The same for a launch that did not begin, when no process may have its number yet.

    `hosts`: one for each process that was started, as far as that is known; a host with fewer
    reports than processes is named.
    """
    if not reports:
        return f"{what}; no rank could say where it is."
    heard = Counter(str(r.get("host")) for r in reports)
    missing = [host for host, count in Counter(hosts).items() if heard[host] < count]
    begin = f"{what} in {_where(reports)}"
    # A launcher that knows hosts by other names than they do has heard from none of them.
    if not missing or not any(heard[host] for host in hosts):
        return f"{begin}: who is missing cannot be told from the {len(reports)} that spoke."
    return f"{begin}: nothing was heard from {_first_of(missing)}."


def explain_end(lines: Iterable[str], members: Sequence[Member], threads: int = 1) -> str | None:
    """Which process ended the launch, where mpirun says so.

    mpirun numbers processes, each of which is as many ranks as it has threads.
    """
    text = "\n".join(lines)
    if found := _SIGNALLED.search(text):
        who = _ended(int(found[1]), found[2], members, threads)
        return f"{who} was ended by {found[3]}"
    if found := _EXITED.search(text):
        return f"{_ended(int(found[1]), None, members, threads)} ended with exit code {found[2]}"
    return None


def _ended(process: int, host: str | None, members: Sequence[Member], threads: int) -> str:
    """A process by mpirun's number; it may have ended before `members` were known."""
    by_rank = {m.rank: m for m in members}
    first = process * threads
    if host is not None:
        by_rank.setdefault(first, Member(first, "worker", host))
    if threads == 1:
        return _process(first, by_rank)
    where = f" on {by_rank[first].host}" if first in by_rank else ""
    return f"process {process} (ranks {first}-{first + threads - 1}{where})"


def stuck_variants(reports: Iterable[Json]) -> set[str]:
    """The variants that hung, as the workers tell; as the others do where no worker speaks."""
    spoken = [r for r in reports if r.get("variant") is not None]
    of_workers = [r for r in spoken if _role(r) == "worker"]
    return {str(r["variant"]) for r in of_workers or spoken}


def _witness(reports: Sequence[Json], members: Sequence[Member]) -> str:
    """Whom the aggregators wait for: the last in each chain, as a leaf's result needs the spine."""
    waiting = [
        r
        for r in reports
        if _role(r) == "aggregator"
        and r.get("phase") == "operation"
        and r.get("waits_for") is not None
    ]
    if not waiting:
        return ""
    known = {r.get("rank") for r in waiting} | {r.get("host") for r in waiting}
    ends = [r for r in waiting if r["waits_for"] not in known] or waiting
    by_rank = {m.rank: m for m in members}
    return "; " + _first_of(
        [
            f"aggregator rank {r['rank']} ({r.get('host')}) waits for "
            f"{_process(r['waits_for'], by_rank)}"
            for r in ends
        ]
    )


def _process(peer: int | str, by_rank: Mapping[int, Member]) -> str:
    """A process by its number, or a host by its name."""
    if isinstance(peer, str):
        return peer
    member = by_rank.get(peer)
    if member is None:
        return f"rank {peer}"
    return ("aggregator " if member.role == "aggregator" else "") + _named([member])


def _named(members: Sequence[Member]) -> str:
    return "rank " + _first_of(
        [f"{m.rank} ({m.host})" if m.host is not None else str(m.rank) for m in members]
    )


def _first_of(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _where(reports: Sequence[Json]) -> str:
    """The point, as a worker tells it where one does."""
    in_point = [r for r in reports if r.get("operation")]
    if not in_point:
        return "initialisation"
    report = next((r for r in in_point if _role(r) == "worker"), in_point[0])
    return (
        f"{report['operation']} of {report.get('size_bytes')} bytes, "
        f"variant {report.get('variant')}"
    )


def _role(report: Json) -> str:
    return str(report.get("role", "worker"))
