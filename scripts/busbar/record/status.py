"""How a point fared: what its blocks and the problems under its key add up to."""

from __future__ import annotations

from collections.abc import Sequence

from busbar.record.point import Block, PointStatus, Problem, Verified

GRAVE: tuple[PointStatus, ...] = ("wrong_data", "hang")
"""What a time measured later does not undo, worst first."""


def status_of(
    blocks: Sequence[Block], timed: Sequence[Block], problems: Sequence[Problem]
) -> tuple[PointStatus, str | None]:
    """The worst that was seen, and one sentence of it; `timed` are the blocks whose times count."""
    wrong = sum(b.wrong_elements or 0 for b in blocks)
    if wrong:
        launches = sorted({b.launch for b in blocks if b.wrong_elements})
        where = ", ".join(map(str, launches))
        return "wrong_data", f"{wrong} elements of the result were wrong in launch {where}."
    grave = sorted((p for p in problems if p.status in GRAVE), key=lambda p: GRAVE.index(p.status))
    if grave:
        return grave[0].status, grave[0].reason
    if timed:
        return "ok", None
    if problems:
        return problems[-1].status, problems[-1].reason
    return "not_run", "Only launches that observe visited this point, so it has no time."


def verified_of(blocks: Sequence[Block]) -> Verified | None:
    """Whether every block's results were verified; None without a block."""
    if not blocks:
        return None
    return "waived" if any(b.verified == "waived" for b in blocks) else "every_block"
