"""Groups and roots of point-to-point patterns, to be planned like any others.

* pairs: one pair at a time, then rounds of disjoint pairs side by side, each in both directions.
  Only a pair alone proves anything of its path: healthy disjoint pairs collide on hashed paths.
* bisection: a perfect matching across the two halves of the ranks, and random ones.
* shifts: everybody sends to the rank d further on, and the last d to the first, all at once; for
  every d that divides the number of ranks, as then each ring of them is a communicator of its own.
* incast, outcast: all ranks, with each as the root in turn (gather, scatter).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from busbar.errors import UsageError
from busbar.pairs.rounds import Round, all_pairs, random_bisection, sample, worst_bisection
from busbar.record.key import format_ranks
from busbar.record.models import Group

PatternName = Literal["pairs", "bisection", "shifts", "incast", "outcast"]

OPERATIONS: dict[PatternName, tuple[str, ...]] = {
    "pairs": ("one_way", "ping_pong", "bidirectional"),
    "bisection": ("bidirectional", "one_way"),
    "shifts": ("send_recv",),
    "incast": ("gather",),
    "outcast": ("scatter",),
}
"""What each pattern can be made of, the default first."""

MOST_ISOLATED = 16
"""Ranks up to which every pair is measured alone, unless told otherwise: 240 directed pairs."""

FEWER_ISOLATED = 4
"""Beyond that: pairs per rank and direction."""

RANDOM_MATCHINGS = 3


@dataclass(frozen=True)
class Pattern:
    """What `--pattern` asks for."""

    name: PatternName
    isolated: int | None
    """Pairs that each rank sends to, and receives from, alone; None: `MOST_ISOLATED` decides."""
    seed: int
    rounds: int | None = None
    """Of pairs: rounds side by side at most, evenly chosen; None: all, so that all pairs occur."""

    def groups(self, ranks: int) -> list[Group]:
        """Every group of a launch with so many ranks. Raises UsageError for fewer than two."""
        if ranks < 2:
            raise UsageError(f"--pattern {self.name} needs at least 2 ranks; this run has {ranks}")
        if self.name == "pairs":
            return [*self._alone(ranks), *self._rounds(ranks)]
        if self.name == "bisection":
            middle = ranks // 2
            halves = worst_bisection([range(middle), range(middle, ranks)])
            random = [random_bisection(ranks, self.seed + k) for k in range(RANDOM_MATCHINGS)]
            named = {"bisection, halves": halves}
            named |= {f"bisection, random {k}": pairs for k, pairs in enumerate(random, start=1)}
            return [side_by_side(name, pairs) for name, pairs in named.items()]
        if self.name == "shifts":
            return [_shift(d, ranks) for d in range(1, ranks // 2 + 1) if ranks % d == 0]
        return [Group(name="all", ranks=format_ranks(range(ranks)), nodes=None)]

    def roots(self, ranks: int, rooted: bool) -> list[int | None]:
        """Which roots, ranks in the group or in a pair, each point is measured with."""
        if not rooted:
            return [None]
        return list(range(ranks if self.name in ("incast", "outcast") else 2))

    def covered_share(self, ranks: int) -> float:
        """Of all pairs, those that are measured alone."""
        return 2 * len(self._alone(ranks)) / (ranks * (ranks - 1))

    def _alone(self, ranks: int) -> list[Group]:
        wanted = self.isolated
        if wanted is None:
            wanted = ranks - 1 if ranks <= MOST_ISOLATED else FEWER_ISOLATED
        drawn = sample(ranks, max(1, ranks * min(wanted, ranks - 1) // 2), self.seed)
        if wanted >= ranks - 1:
            drawn = sample(ranks, ranks * (ranks - 1), self.seed)
        pairs = sorted({tuple(sorted(pair)) for one in drawn.rounds for pair in one})
        return [
            Group(name=f"pair {a}-{b}", ranks=format_ranks((a, b)), nodes=None) for a, b in pairs
        ]

    def _rounds(self, ranks: int) -> list[Group]:
        if ranks < 4:
            return []  # one pair a round is a pair alone
        named = [
            side_by_side(f"round {k}", pairs)
            for k, pairs in enumerate(all_pairs(ranks)[::2], start=1)  # both ways by the root
        ]
        wanted = len(named) if self.rounds is None else min(self.rounds, len(named))
        return [named[k * len(named) // wanted] for k in range(wanted)]


def _shift(distance: int, ranks: int) -> Group:
    """The rings that a shift by so many ranks consists of: the ranks equal modulo the distance."""
    rings = tuple(format_ranks(range(first, ranks, distance)) for first in range(distance))
    return Group(
        name=f"shift by {distance}",
        ranks=format_ranks(range(ranks)),
        nodes=None,
        parts=rings if distance > 1 else None,
    )


def side_by_side(name: str, pairs: Round) -> Group:
    """The pairs at the same time."""
    ranks = format_ranks(rank for pair in pairs for rank in pair)
    parts = tuple(sorted((format_ranks(pair) for pair in pairs), key=_first))
    return Group(name=name, ranks=ranks, nodes=None, parts=parts)


def parse_pattern(name: str | None, isolated: int | None, seed: int) -> Pattern | None:
    """Raises UsageError for a pattern that is none, or options that belong to another."""
    accepted = get_args(PatternName)
    if name is not None and name not in accepted:
        raise UsageError(f"unknown --pattern '{name}'; accepted: {', '.join(accepted)}")
    if isolated is not None and (name != "pairs" or isolated < 1):
        raise UsageError(
            f"--isolated {isolated}: accepted is 1 or more, with --pattern pairs alone."
        )
    for known in accepted:
        if name == known:
            return Pattern(known, isolated, seed)
    return None


def operations(pattern: Pattern, asked: Sequence[str]) -> list[str]:
    """What it is made of: as asked, else its default. Raises UsageError for what it cannot be."""
    possible = OPERATIONS[pattern.name]
    for op in asked:
        if op not in possible:
            raise UsageError(
                f"--pattern {pattern.name} is not made of {op}; accepted: {', '.join(possible)}"
            )
    return list(asked) or [possible[0]]


def _first(part: str) -> int:
    return int(part.replace("-", ",").split(",")[0])
