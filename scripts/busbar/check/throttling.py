"""Blocks that ran on GPUs whose clocks something slowed."""

from __future__ import annotations

from collections.abc import Sequence

from busbar.record.models import Block
from busbar.units import percent

MAX_THROTTLED_SHARE = 0.05  # of the blocks that say; one in twenty moves no median over launches


def throttling(blocks: Sequence[Block], most: float = MAX_THROTTLED_SHARE) -> str:
    """One sentence where more than that share of the timed blocks was slowed; else empty."""
    known = [block for block in blocks if block.throttled is not None]
    slowed = [block for block in known if block.throttled]
    if not slowed or len(slowed) <= most * len(known):
        return ""
    reasons = sorted({reason for block in slowed for reason in _reasons(block)})
    because = f" by {', '.join(reasons)}" if reasons else ""
    return (
        f"{len(slowed)} of {len(known)} blocks ran on GPUs slowed{because}, more than the "
        f"{percent(most)} accepted: find the cause, then measure again."
    )


def _reasons(block: Block) -> set[str]:
    """What any rank's GPU said, before or after the samples."""
    states = [
        state
        for health in block.gpu_health or []
        if health is not None
        for state in (health.before, health.after)
    ]
    return {reason for state in states if state for reason in state.throttle_reasons or []}
