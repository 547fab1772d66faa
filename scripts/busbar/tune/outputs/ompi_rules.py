"""Open MPI's rules file: which algorithm of coll_tuned for which communicator and size.

The classic format (coll_tuned_dynamic_file.c, Open MPI 4.0 to 5.0): numbers in order, `#` begins a
comment anywhere. Of communicators' sizes and of messages' the nearest lower entry holds, and the
first communicator's even below it; algorithm 0 is the library's own decision. So there are three
communicators, one rank alone, the ranks it was proven on, and one more, of which only the second
changes anything; and after each range of sizes a line takes it back.

A rule's size is what coll_tuned looks up (coll_tuned_decision_dynamic.c, read in 4.0.3 and checked
in 4.1.4's binary): count times element for all_reduce, reduce and broadcast, and times the ranks as
well for all_gather, all_to_all and reduce_scatter_block, which is our size in each case. No rules
are written where this is not so:

* gather and scatter look up their sending side. MPI_Scatter's counts at the root alone, and what
  MPI_IN_PLACE puts in its place at the root of MPI_Gather is open: ranks would take different
  algorithms. Seen with 4.1.4 on 4 ranks: with a rule for either operation correct programs hang or
  end with MPI_ERR_TRUNCATE.
* alltoallv looks up size 0 whatever is sent: its rule would hold where nothing was proven.
"""

from __future__ import annotations

from itertools import groupby

from busbar.errors import UsageError
from busbar.tune.outputs.header import comments, made_for
from busbar.tune.outputs.sayable import sayable
from busbar.tune.ranges import SizeRange, ranges
from busbar.tune.tuned import Choice, Tuned

_COLLECTIVES = {
    "all_gather": (0, "allgather"),
    "all_reduce": (2, "allreduce"),
    "all_to_all": (3, "alltoall"),
    "barrier": (6, "barrier"),
    "broadcast": (7, "bcast"),
    "reduce": (11, "reduce"),
    "reduce_scatter": (13, "reduce_scatter_block"),
}
"""Number in the file (COLLTYPE_T of coll_base_functions.h), and name in settings."""

_DEFAULT = "0 0 0 0"


def says(choice: Choice) -> bool:
    """Whether a rule can hold this choice's settings, all of them."""
    if choice.op not in _COLLECTIVES:
        return False
    algorithm, fan_out, segment = _names(choice.op)
    return algorithm in choice.settings and set(choice.settings) <= {algorithm, fan_out, segment}


def _names(op: str) -> tuple[str, str, str]:
    algorithm = f"coll_tuned_{_COLLECTIVES[op][1]}_algorithm"
    return algorithm, f"{algorithm}_chain_fanout", f"{algorithm}_segmentsize"


def ompi_rules(tuned: Tuned) -> str | None:
    """The file; None where nothing is kept that it could say.

    Raises UsageError for a value that is no number.
    """
    if tuned.made_for.transport != "mpi":
        return None
    found = ranges(sayable(tuned.choices, says))
    if not found:
        return None
    by_op = {op: list(of_op) for op, of_op in groupby(found, key=lambda range_: range_.op)}
    head = [
        "Open MPI's rules for coll_tuned: coll_tuned_use_dynamic_rules=1 and",
        "coll_tuned_dynamic_rules_filename=THIS FILE, by its whole path, on every node the same.",
        *made_for(tuned),
        "",
        "Rules cannot tell datatypes or nodes apart. all_gather and all_to_all in place are looked",
        "up by their send count, which MPI ignores there: where it is 0, they stay Open MPI's own.",
        "A rule: bytes algorithm fan-out segment, up to the next one; algorithm 0: Open MPI's own.",
    ]
    blocks = [_block(op, of_op, tuned.made_for.ranks) for op, of_op in by_op.items()]
    return comments(head) + "\n".join([f"{len(blocks)} # operations", *blocks]) + "\n"


def _block(op: str, found: list[SizeRange], ranks: int) -> str:
    number, name = _COLLECTIVES[op]
    rules = _rules(found)
    return "\n".join(
        [
            f"{number} # {op}: MPI_{name.capitalize()}",
            "3 # sizes of communicators",
            f"1 # fewer than {ranks} ranks",
            f"1\n{_DEFAULT}",
            f"{ranks} # ranks that it was proven on",
            f"{len(rules)} # rules",
            *rules,
            f"{ranks + 1} # more ranks",
            f"1\n{_DEFAULT}",
        ]
    )


def _rules(found: list[SizeRange]) -> list[str]:
    """Rising sizes from 0 on, each holding up to the next one."""
    rules = {0: _DEFAULT}
    for range_ in found:
        rules[range_.min_bytes] = f"{range_.min_bytes} {_what(range_)}"
        rules[range_.max_bytes + 1] = f"{range_.max_bytes + 1} 0 0 0"
    return list(rules.values())


def _what(found: SizeRange) -> str:
    values = [found.settings.get(name, "0") for name in _names(found.op)]
    for name, value in zip(_names(found.op), values, strict=True):
        if not (value.isascii() and value.isdecimal()):
            raise UsageError(f"{name}={value} is no number, which is what a rule accepts")
    return " ".join(str(int(value)) for value in values)
