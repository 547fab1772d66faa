"""Choices as far as a format can say them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from busbar.tune.tuned import Choice


def sayable(choices: Iterable[Choice], says: Callable[[Choice], bool]) -> list[Choice]:
    """The choices, with the default where the format cannot say what was chosen.

    They are not left out: a size that keeps its default ends the range of its neighbour.
    """
    return [c if says(c) else c.model_copy(update={"settings": {}}) for c in choices]
