"""From sizes that were proven to ranges of sizes, which is what tables hold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from busbar.tune.tuned import Choice

_ALONE = 2.0
"""From size to size where only one was measured."""


@dataclass(frozen=True)
class SizeRange:
    """Both ends belong to it."""

    op: str
    min_bytes: int
    max_bytes: int
    settings: dict[str, str]


def ranges(choices: Iterable[Choice]) -> list[SizeRange]:
    """The ranges that are more than the default, rising, by operation.

    A size speaks for those that are nearer to it, as factors, than to the next size that was
    measured; the smallest and the largest speak for as much on their far side. Beyond that nothing
    was proven, so the library decides. Size 0 (a barrier) speaks for itself alone.

    Tables cannot tell datatypes apart: where choices for one size differ, the default stays.
    """
    by_op: dict[str, dict[int, dict[str, str]]] = {}
    for choice in choices:
        by_size = by_op.setdefault(choice.op, {})
        settings = by_size.setdefault(choice.size_bytes, choice.settings)
        if settings != choice.settings:
            by_size[choice.size_bytes] = {}
    return [found for op in by_op for found in _of(op, by_op[op])]


def _of(op: str, by_size: dict[int, dict[str, str]]) -> Iterator[SizeRange]:
    sizes = sorted(by_size)
    joined: SizeRange | None = None
    for n, size in enumerate(sizes):
        before = sizes[n - 1] if n else size / _step(sizes[:2])
        after = sizes[n + 1] if n + 1 < len(sizes) else size * _step(sizes[-2:])
        # Ends are inclusive: one size's last byte is followed by the next one's first.
        first = _between(before, size) + 1 if size else 0
        one = SizeRange(op, first, _between(size, after), by_size[size])
        if joined is not None and joined.settings == one.settings:
            joined = replace(joined, max_bytes=one.max_bytes)
            continue
        if joined is not None and joined.settings:
            yield joined
        joined = one
    if joined is not None and joined.settings:
        yield joined


def _step(pair: list[int]) -> float:
    return pair[1] / pair[0] if len(pair) == 2 and pair[0] > 0 else _ALONE


def _between(low: float, high: float) -> int:
    return math.isqrt(int(low * high))
