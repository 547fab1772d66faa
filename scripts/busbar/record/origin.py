"""Where an imported run comes from, and what it cannot tell: every judge says it."""

from __future__ import annotations

from busbar.record.run import Run


def imported_from(run: Run) -> str:
    """Tools and versions, each once: `nccl-tests 2.19.6, OSU of unknown version`; else empty."""
    told = (f"{one.tool} {one.version or 'of unknown version'}" for one in run.imported or [])
    return ", ".join(dict.fromkeys(told))


def imported_sentence(run: Run) -> str:
    """What a reader must know of an imported run; empty for any other."""
    if not run.imported:
        return ""
    files = ", ".join(dict.fromkeys(one.file for one in run.imported))
    return (
        f"Imported from {imported_from(run)} ({files}), not measured by Busbar: each time is the "
        "mean that the tool printed for a launch, so tails, drops, retransmits, throttling, clocks "
        "and what else went on are unknown."
    )
