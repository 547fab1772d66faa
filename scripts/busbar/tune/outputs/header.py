"""What every file says of itself: where its settings were proven, the only place they hold."""

from __future__ import annotations

from collections.abc import Iterable

from busbar.tune.tuned import Tuned

_LONGEST = 200
"""Characters of a line. NVIDIA's example tuner cuts lines at 256 and would take the rest of a
comment for a row."""


def made_for(tuned: Tuned) -> list[str]:
    """One `key: value` for each fact; the tuner plugin repeats those it knows in NCCL's log."""
    made = tuned.made_for
    facts = {
        "fabric": made.fabric or "none was named",
        **made.versions,
        "nodes": made.nodes,
        "ranks": made.ranks,
        "workload": tuned.workload,
        "measured on": made.on,
        "made": made.made,
    }
    if made.simulated:
        facts["simulated"] = "true, on hosts that do not exist"
    if made.fake:
        facts["fake"] = "nothing real was measured"
    return [f"{key}: {value}" for key, value in facts.items()]


def comments(lines: Iterable[str]) -> str:
    """The lines as comments, each short and printable whatever was put in."""
    return "".join(f"# {_plain(line)}".rstrip() + "\n" for line in lines)


def _plain(line: str) -> str:
    text = line.encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in text)[:_LONGEST]
