"""Which hosts hang on which leaf of a two-level fabric: emulation and theory agree on it here."""

from __future__ import annotations

from collections.abc import Sequence


def spread(hosts: Sequence[str], leaves: int) -> tuple[tuple[str, ...], ...]:
    """The hosts below each leaf: consecutive blocks in order, whose sizes differ by one at most.

    The first leaves take one more where the hosts do not divide evenly: 7 over 3 is 3, 2, 2.
    Raises ValueError if a leaf would have none.
    """
    if not 1 <= leaves <= len(hosts):
        raise ValueError(f"{leaves} leaves for {len(hosts)} hosts: accepted is 1 to {len(hosts)}")
    least, larger = divmod(len(hosts), leaves)
    ends = [least * (n + 1) + min(n + 1, larger) for n in range(leaves)]
    starts = [0, *ends[:-1]]
    return tuple(tuple(hosts[start:end]) for start, end in zip(starts, ends, strict=True))
