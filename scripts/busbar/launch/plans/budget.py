"""How many launches and samples fit into the seconds there are.

A block takes what it takes to set up, and so much for each sample; a launch starts, and measures
every block once. Blocks that are sure of their median early end earlier, so this errs on the side
of too long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from busbar.launch.plans.document import BlockLimits, Launches

_ROOM = 1.2  # in a block's seconds, for its least samples at the pace that the probe saw


@dataclass(frozen=True)
class Cost:
    """Seconds of one block."""

    set_up_s: float
    """Communicator, buffers, warm-up, verification."""
    sample_s: float

    def seconds(self, samples: int, most_seconds: float) -> float:
        """With so many samples, unless its time is over before."""
        return self.set_up_s + min(samples * self.sample_s, max(most_seconds, self.sample_s))


@dataclass(frozen=True)
class Work:
    """What one launch of every environment measures, and what only looks on."""

    blocks: Sequence[Cost]
    environments: int
    start_s: float
    """From starting a launch until it takes requests, and to its end."""
    observing: int = 0
    """Launches that look on, of one block each."""

    def seconds(self, effort: Effort) -> float:
        """All of it."""
        blocks = sum(cost.seconds(effort.samples, effort.most_seconds) for cost in self.blocks)
        launch = self.environments * self.start_s + blocks
        longest = max((cost.seconds(1, effort.most_seconds) for cost in self.blocks), default=0.0)
        return effort.launches * launch + self.observing * (self.start_s + longest)


@dataclass(frozen=True)
class Effort:
    """How often and how long everything is measured."""

    launches: int
    samples: int
    """Of a block, at most."""
    most_seconds: float


def least_effort(work: Work, launches: Launches, block: BlockLimits) -> Effort:
    """Below this nothing can be judged."""
    return Effort(launches.least, block.least_samples, _most_seconds(work, block))


def fit(work: Work, seconds: float, launches: Launches, block: BlockLimits) -> Effort | None:
    """As many launches as fit, then as many samples; None where not even the least fits.

    Launches come first: every figure's interval rests on them.
    """
    effort = least_effort(work, launches, block)
    if work.seconds(effort) > seconds:
        return None
    for count in range(launches.wanted, launches.least - 1, -1):
        more = Effort(count, effort.samples, effort.most_seconds)
        if work.seconds(more) <= seconds:
            effort = more
            break
    low, high = block.least_samples, block.most_samples
    while low < high:
        middle = (low + high + 1) // 2
        if work.seconds(Effort(effort.launches, middle, effort.most_seconds)) <= seconds:
            low = middle
        else:
            high = middle - 1
    return Effort(effort.launches, low, effort.most_seconds)


def _most_seconds(work: Work, block: BlockLimits) -> float:
    """The plan's, or what the slowest block needs for its least samples."""
    slowest = max((cost.sample_s for cost in work.blocks), default=0.0)
    return max(block.most_seconds, _ROOM * block.least_samples * slowest)
