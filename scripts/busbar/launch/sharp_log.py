"""What a launch's output says of SHARP: whether it carried an operation, whether it could at all.

Lines of three libraries are read:

* UCC with UCC_COLL_TRACE=INFO, one a collective: `coll_init: Allreduce sum: src={0x…, 262144,
  float32, Host}, …; CL_BASIC {TL_SHARP}, team_id …`. The only proof for one operation.
* libsharp with SHARP_COLL_LOG_LEVEL=3: `[host:rank:pid - comm.c:400] INFO [group#:0] … group id:0
  tree idx:0 tree_type:SAT …` and `… ERROR …`. A group is a tree made ready, not a tree used: the
  library may still reduce on the hosts (sizes beyond its limits, types it lacks).
* NCCL: `via COLLNET/SHARP/`, which is as much as a group, and its fallbacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from busbar.record.key import parse_ranks

_KEPT = 3
"""Lines of evidence that are kept; a launch of many ranks says the same many times."""

_TRACE = re.compile(r"coll_init: (?P<name>\w+)[^;]*;(?P<carriers>.*)")
_BUFFER = re.compile(r"\{\w+, (?P<count>\d+), [a-z]+?(?P<bits>\d+)(?:_complex)?, \w+\}")
_TRACE_NAME = {
    "all_reduce": "allreduce",
    "reduce": "reduce",
    "broadcast": "bcast",
    "barrier": "barrier",
    "reduce_scatter": "reducescatter",
    "all_gather": "allgather",
}
_GROUP = re.compile(r"\bgroup id:.*\btree_type:\w+|via COLLNET/SHARP/")
_FAILURE = re.compile(
    r"(?:- [\w/]+\.c:\d+|unique id \d+)\](?:\[[^\]]*\])? ERROR "  # libsharp
    r"|Cannot initialize CollNet|fallback to non-sharp|less than CollNet node threshold"
    r"|SHARP coll init error|SHARP group create",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Finding:
    """Whether an operation was reduced by SHARP; None where the output does not tell."""

    used: bool | None
    how: str
    """How that is known, the same words for the same finding."""
    evidence: list[str] = field(default_factory=list)
    """The lines it rests on, as they were printed."""


def read_log(lines: Iterable[str], op: str, size_bytes: int, ranks: int) -> Finding:
    """What the output of one launch says of one operation of so many bytes on so many ranks."""
    kept = list(lines)
    traced = [line for line in kept if _is_of(line, op, size_bytes, ranks)]
    if traced:
        return _of_trace(traced)
    groups = [line for line in kept if _GROUP.search(line)]
    failures = [line for line in kept if _FAILURE.search(line)]
    if failures and not groups:
        return Finding(False, "log: SHARP could not be set up", failures[:_KEPT])
    if groups:
        return Finding(
            None,
            "log: SHARP trees were set up, not which operations they carried; "
            "the bytes on the wire would tell",
            (failures + groups)[:_KEPT],
        )
    return Finding(None, "log: no word of SHARP; the bytes on the wire would tell")


def note(answer: dict[str, Any], lines: Iterable[str], *, evidence: bool) -> None:
    """Put into an engine's block line what the launch has said so far; `evidence`: with its lines.

    Trees are made before the first sample, so a block that is timed finds what was said of them;
    which of them carried an operation is known once an observing launch has ended.
    """
    key, observed = answer["key"], answer["block"]["observed"]
    ranks = len(parse_ranks(key["group"]["ranks"]))
    found = read_log(lines, key["op"], key["size_bytes"], ranks)
    observed["in_network"] = found.used
    observed["how"] += [found.how, *(found.evidence if evidence else [])]


def _of_trace(traced: list[str]) -> Finding:
    by_sharp = [line for line in traced if "TL_SHARP" in line]
    others = [line for line in traced if "TL_SHARP" not in line]
    if by_sharp and others:
        return Finding(
            None,
            "log: UCC gave some of these operations to TL_SHARP and some not",
            [by_sharp[0], others[0]],
        )
    if by_sharp:
        return Finding(True, "log: UCC gave the operation to TL_SHARP", by_sharp[:_KEPT])
    return Finding(False, "log: UCC gave the operation to others than TL_SHARP", others[:_KEPT])


def _is_of(line: str, op: str, size_bytes: int, ranks: int) -> bool:
    """Whether it traces this operation, not one that the engine makes for itself."""
    found = _TRACE.search(line)
    if found is None or op not in _TRACE_NAME:
        return False
    if found["name"].lower().replace("_", "").removesuffix("v") != _TRACE_NAME[op]:
        return False
    sizes = {int(b["count"]) * int(b["bits"]) // 8 for b in _BUFFER.finditer(line)}
    # A total over all ranks is one rank's share times their number on one of the two sides.
    return not sizes or bool(sizes & {size_bytes, size_bytes // ranks})
