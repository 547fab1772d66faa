"""What this machine cannot simulate: algorithms in which every rank keeps vectors of its own, as
those of all ranks are in its memory. Buffers are not: those of large points hold nothing.
"""

from __future__ import annotations

_SHARE = 0.8
"""Of what is free: the simulation has more to keep, and a machine without memory ends others."""


def objection(vectors: int, size_bytes: int, ranks: int, free_bytes: int) -> str | None:
    """Why an algorithm that keeps so many vectors of this size is not tried; None where it can be.

    `free_bytes`: what this machine has available.
    """
    needed = vectors * size_bytes * ranks
    if needed <= _SHARE * free_bytes:
        return None
    return (
        f"its ranks keep {needed / 1e9:.3g} GB of vectors, and this machine has "
        f"{free_bytes / 1e9:.3g} GB of memory left"
    )
