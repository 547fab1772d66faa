"""Puts a workload together from what was captured."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from busbar.errors import UsageError
from busbar.tune.capture import mpi, nccl
from busbar.tune.capture.lines import MpiCommunicator, NcclCommunicator, read_capture
from busbar.tune.capture.member import Member, What
from busbar.tune.capture.select import Kind, Wanted, select
from busbar.tune.workload import Operation, Workload
from busbar.validation import describe


def captured_workload(path: Path, wanted: Wanted) -> Workload:
    """The workload of a capture: a `.jsonl` file, or a folder of these.

    The count of an operation is a mean over ranks: what all of the ranks in communicators of the
    kind executed in these, divided by the number of these ranks. Groups side by side, such as one
    in every node, therefore count once, and two communicators one after the other, or a second one
    of the same ranks, add up. Raises UsageError where it cannot be read, where nothing is left, and
    where what is wanted leaves a choice.
    """
    members = [_member(line) for line in read_capture(path)]
    kind, chosen = select(members, wanted, path)
    ranks = _ranks(chosen)
    counted: Counter[What] = Counter()
    for member in chosen:
        counted.update(member.executions)
    try:
        return Workload(
            name=path.stem,
            source=f"captured: {kind}, counts are means over {ranks} ranks",
            operation=[
                Operation(
                    op=what.op,
                    size_bytes=what.size_bytes,
                    datatype=what.datatype,
                    redop=what.redop,
                    count=times / ranks,
                )
                for what, times in sorted(counted.items(), key=lambda item: _order(item[0]))
            ],
            ranks=kind.ranks,
            nodes=kind.nodes,
            notes=[*_notes(chosen), *_missing(kind, chosen)],
        )
    except ValidationError as error:
        raise UsageError(f"{path} has what no program calls: {describe(error, None)}.") from None


def _member(line: NcclCommunicator | MpiCommunicator) -> Member:
    return nccl.member(line) if isinstance(line, NcclCommunicator) else mpi.member(line)


def _ranks(members: Sequence[Member]) -> int:
    """Ranks seen. A process may have several, each with a line of its own per communicator."""
    lines: Counter[tuple[str, int, str]] = Counter(
        (member.host, member.pid, member.communicator) for member in members
    )
    of_process: dict[tuple[str, int], int] = defaultdict(int)
    for (host, pid, _), count in lines.items():
        of_process[host, pid] = max(of_process[host, pid], count)
    return sum(of_process.values())


def _order(what: What) -> tuple[str, str, str, int]:
    return what.op, what.datatype, what.redop or "", what.size_bytes


def _notes(members: Sequence[Member]) -> list[str]:
    left_out: Counter[str] = Counter()
    remarks: Counter[str] = Counter()
    for member in members:
        left_out.update(member.left_out)
        remarks.update(member.remarks)
    notes = [f"{times} events are left out: {why}" for why, times in sorted(left_out.items())]
    return notes + [f"{times} events: {what}" for what, times in sorted(remarks.items())]


def _missing(kind: Kind, members: Sequence[Member]) -> list[str]:
    seen = Counter(member.communicator for member in members)
    lacking = [name for name, ranks in seen.items() if ranks < kind.ranks]
    if not lacking:
        return []
    return [
        f"of {len(lacking)} of {len(seen)} communicators not all {kind.ranks} ranks were captured: "
        "the means are of those that were"
    ]
