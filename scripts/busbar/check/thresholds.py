"""How much of what is accepted, beside the limits of the fabric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from busbar.check.monotony import MOST_DIP
from busbar.check.spread import MOST_SPREAD
from busbar.check.symmetry import MOST_APART
from busbar.check.throttling import MAX_THROTTLED_SHARE

MAX_SPOILED_SHARE = 0.05  # an occasional retransmit is normal; one sample in twenty is not


@dataclass(frozen=True)
class Thresholds:
    """Each has its reason where its rule is."""

    spoiled: float = MAX_SPOILED_SHARE
    """Share of samples with drops or retransmits."""
    throttled: float = MAX_THROTTLED_SHARE
    """Share of blocks that ran on slowed GPUs."""
    dip: float = MOST_DIP
    """Of bus bandwidth or time, from size to size."""
    apart: float = MOST_APART
    """Of the rate of a row's mirror."""
    spread: float = MOST_SPREAD
    """The slowest launch over the fastest."""


DEFAULT = Thresholds()


def changes(thresholds: Thresholds) -> Iterator[str]:
    """What is accepted otherwise than usual, a sentence each."""
    for name, value in asdict(thresholds).items():
        usual = getattr(DEFAULT, name)
        if value != usual:
            yield f"Judged with --max-{name} {value:g} in place of {usual:g}."
