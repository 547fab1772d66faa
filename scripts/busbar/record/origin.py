"""Where figures come from that no real hardware of ours gave: every judge says it."""

from __future__ import annotations

from busbar.record.run import Run

UNREAL = {
    "fake": "Nothing measured these figures. They are an example.",
    "simulated": "Simulated network in virtual time, not real hardware.",
    "emulated": "Emulated network on shaped links, not real hardware.",
}
"""What is said of a run that is marked so, the strongest word first."""


def unreal(run: Run) -> list[str]:
    """The words of `UNREAL` that a run is marked with."""
    return [word for word in UNREAL if getattr(run, word)]


def not_real(run: Run) -> str:
    """`simulated: not real hardware`; empty for real hardware."""
    words = unreal(run)
    return f"{', '.join(words)}: not real hardware" if words else ""


def unreal_lines(run: Run) -> str:
    """`SIMULATED: ` and its sentence, a line for each word; empty for real hardware."""
    return "\n".join(f"{word.upper()}: {UNREAL[word]}" for word in unreal(run))


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
