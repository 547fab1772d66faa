"""Seconds that a search may take."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic


class Budget:
    """Counts from when it is made, and what was spent before an interruption."""

    def __init__(
        self, seconds: float, spent_before: float = 0.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._since = clock() - spent_before

    def spent(self) -> float:
        """Seconds so far."""
        return self._clock() - self._since

    def left(self) -> float:
        """Seconds until the search must end; not below 0."""
        return max(0.0, self.seconds - self.spent())
