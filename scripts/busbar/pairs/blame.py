"""Who is slow: culprits that the measurement proves, and suspects that it does not.

Nobody is blamed on concurrent rounds alone: healthy pairs collide on the paths that hashing gives
them. Those give suspects, and the pairs to measure alone. Nor is anybody for missing cells. A fault
that all have is nobody's here: that is for the bound of the fabric to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from busbar.pairs.evidence import Evidence
from busbar.pairs.groups import THRESHOLD, Group, Kind, deficit
from busbar.pairs.matrix import PairMatrix, over_launches
from busbar.pairs.residuals import LEAST_CELLS, Layout, Residuals, layout, line_medians
from busbar.pairs.rivals import proving, rivals, separating
from busbar.pairs.rounds import Pair
from busbar.pairs.search import Explained, alone, search
from busbar.pairs.sites import Sites

_CLEARED = float(np.log1p(-THRESHOLD / 2))
_AS_SLOW = 0.1  # logarithm: both directions of a port this alike are one fault

_BOTH = {
    (Kind.HOST_EGRESS, Kind.HOST_INGRESS): Kind.HOST_BOTH,
    (Kind.NIC_EGRESS, Kind.NIC_INGRESS): Kind.NIC_BOTH,
}
_OF_LEAVES = (Kind.LEAF_UP, Kind.LEAF_DOWN, Kind.LEAF_PATH)


@dataclass(frozen=True)
class Rival:
    """Another explanation of the same cells."""

    kind: Kind
    name: str
    hosts: tuple[str, ...]
    """Whose it would be; none for what belongs to leaves."""
    measure: tuple[Pair, ...]
    """Pairs to measure alone that would tell; none where no pair can."""


@dataclass(frozen=True)
class Culprit:
    """Something slow, beyond doubt as far as the test goes."""

    kind: Kind
    name: str
    hosts: tuple[str, ...]
    """Whose it is; none for what belongs to leaves."""
    endpoints: tuple[int, ...]
    """The same by endpoint."""
    share: float
    """Of the healthy rate."""
    share_ci95: tuple[float, float] | None
    """95 % interval over launches."""
    confidence: float
    launches: int
    proof: tuple[Pair, ...]
    """The pairs that prove it, the slowest first."""
    rivals: tuple[Rival, ...]
    errors: dict[str, int | None] | None
    """What counters of the pairs' hosts saw, both ends together; None where none was read."""


@dataclass(frozen=True)
class Suspect:
    """Something that may be slow."""

    kind: Kind
    name: str
    hosts: tuple[str, ...]
    share: float
    because: str
    """Half a sentence: why it is no culprit."""
    measure: tuple[Pair, ...]
    """Pairs to measure next."""


@dataclass(frozen=True)
class Blame:
    """What a matrix says."""

    matrix: PairMatrix
    layout: Layout
    culprits: tuple[Culprit, ...]
    """The slowest first."""
    suspects: tuple[Suspect, ...]
    not_enough: tuple[str, ...]
    """Hosts of which too few cells are measured to say anything."""
    isolated: Residuals
    concurrent: Residuals

    def shown(self) -> Residuals:
        """What a figure shows: the isolated cells, or the concurrent ones where there are none."""
        return self.isolated if np.isfinite(self.isolated.middle).any() else self.concurrent


def blame(matrix: PairMatrix, sites: Sites | None = None) -> Blame:
    """Judge a matrix; `sites` says who hangs on which leaf."""
    place = layout(matrix.endpoints, sites or Sites())
    isolated = search(matrix.isolated, place, paths=True)
    concurrent = search(matrix.concurrent, place, paths=False)
    judge = _Judge(matrix, place, isolated, concurrent)
    return Blame(
        matrix=matrix,
        layout=place,
        culprits=tuple(judge.culprits()),
        suspects=(*judge.unproven(), *judge.colliding()),
        not_enough=_not_enough(place, isolated.found, concurrent.found),
        isolated=isolated.found,
        concurrent=concurrent.found,
    )


class _Judge:
    """Turns groups that stand out into culprits and suspects."""

    def __init__(
        self, matrix: PairMatrix, place: Layout, isolated: Explained, concurrent: Explained
    ) -> None:
        self._matrix = matrix
        self._names = matrix.names()
        self._layout = place
        self._isolated = isolated
        self._concurrent = concurrent
        self._doubtful = {
            id(group): why for group, said in isolated.groups if (why := self._doubt(group, said))
        }

    def culprits(self) -> list[Culprit]:
        """The slowest first; one fault that is found from both ends is named once."""
        found: list[Culprit] = []
        seen: list[set[tuple[int, int]]] = []
        for group, said in self._isolated.groups:
            cells = set(group.pairs(self._isolated.found.middle))
            if id(group) in self._doubtful or any(cells == other for other in seen):
                continue
            seen.append(cells)
            found.append(self._culprit(group, said))
        return sorted(_both_ways(found), key=lambda c: c.share)

    def unproven(self) -> list[Suspect]:
        """Slow alone too, but not proven."""
        return [
            self._suspect(group, said, why, group.pairs(self._isolated.found.middle)[:1])
            for group, said in self._isolated.groups
            if (why := self._doubtful.get(id(group)))
        ]

    def colliding(self) -> list[Suspect]:
        """Slow in concurrent rounds, unless it was fast, or is blamed already, when alone."""
        blamed = {(group.kind, group.subject) for group, _ in self._isolated.groups}
        return [
            self._suspect(group, said, "seen in concurrent rounds only, where pairs collide", [])
            for group, said in self._concurrent.groups
            if not self._cleared(group) and (group.kind, group.subject) not in blamed
        ]

    def _doubt(self, group: Group, said: Evidence) -> str:
        """Why a group that stands out is not blamed yet; empty if it is."""
        if not said.lasts and not self._matrix.exact:
            more = said.launches_needed
            wanted = f"{more} would tell" if more and more > said.launches else "more would tell"
            launches = "1 launch" if said.launches == 1 else f"{said.launches} launches"
            return f"measured in {launches}, {wanted}"
        if said.share_ci95 is not None and said.share_ci95[1] >= 1:
            low, high = said.share_ci95
            return f"its launches differ so much that {low:.0%} to {high:.0%} is all they tell"
        if group.kind is Kind.PATH and self._few_beside(group):
            return "too few other pairs of its two ends are measured to acquit their ports"
        return ""

    def _few_beside(self, group: Group) -> bool:
        source, target = group.subject
        usable = np.isfinite(over_launches(self._isolated.found.unexplained()))
        return bool(min(usable[source, :].sum(), usable[:, target].sum()) < LEAST_CELLS)

    def _cleared(self, group: Group) -> bool:
        """Whether isolated pairs show a port to be well; they do not fill an uplink."""
        found = self._isolated.found
        enough = len(group.pairs(found.middle)) >= LEAST_CELLS
        return group.kind not in _OF_LEAVES and enough and deficit(group, found.middle) > _CLEARED

    def _culprit(self, group: Group, said: Evidence) -> Culprit:
        found = self._isolated.found
        groups = [g for g, _ in self._isolated.groups]
        same = set(group.pairs(found.middle))
        others = [g for g in groups if set(g.pairs(found.middle)) != same]
        own = alone(group, [group, *others], found)
        proof = tuple(Pair(*pair) for pair in group.pairs(found.middle))
        return Culprit(
            kind=group.kind,
            name=self._name(group),
            hosts=self._hosts(group),
            endpoints=() if group.kind in _OF_LEAVES else group.subject,
            share=said.share,
            share_ci95=said.share_ci95,
            confidence=said.confidence if not self._matrix.exact else 1 - said.beyond_population,
            launches=said.launches,
            proof=proof,
            rivals=tuple(
                Rival(
                    kind=rival.kind,
                    name=self._name(rival),
                    hosts=self._hosts(rival),
                    measure=tuple(separating(group, rival, found, self._layout)),
                )
                for rival in rivals(group, found, self._layout, own)
            ),
            errors=_errors(self._matrix, proof),
        )

    def _suspect(
        self, group: Group, said: Evidence, because: str, again: Sequence[tuple[int, int]]
    ) -> Suspect:
        everyone = [g for x in (self._isolated, self._concurrent) for g, _ in x.groups]
        measure = [Pair(*pair) for pair in again]
        measure += [p for p in proving(group, everyone, self._layout) if p not in measure]
        return Suspect(
            kind=group.kind,
            name=self._name(group),
            hosts=self._hosts(group),
            share=said.share,
            because=because,
            measure=tuple(measure),
        )

    def _name(self, group: Group) -> str:
        if group.kind in _OF_LEAVES:
            return " → ".join(self._layout.leaves[leaf] for leaf in group.subject)
        if group.kind is Kind.PATH:
            return " → ".join(self._names[endpoint] for endpoint in group.subject)
        if group.kind in (Kind.HOST_EGRESS, Kind.HOST_INGRESS):
            return self._matrix.endpoints[group.subject[0]].host
        return self._names[group.subject[0]]

    def _hosts(self, group: Group) -> tuple[str, ...]:
        if group.kind in _OF_LEAVES:
            return ()
        return tuple(dict.fromkeys(self._matrix.endpoints[e].host for e in group.subject))


def _both_ways(culprits: Sequence[Culprit]) -> list[Culprit]:
    """A port that is about as slow both ways is one culprit."""
    left = list(culprits)
    for one in culprits:
        for other in culprits:
            kind = _BOTH.get((one.kind, other.kind))
            if kind is None or one.name != other.name or one not in left or other not in left:
                continue
            if abs(np.log(one.share / other.share)) < _AS_SLOW:
                slower = min(one, other, key=lambda c: c.share)
                left = [c for c in left if c not in (one, other)]
                left.append(
                    replace(
                        slower,
                        kind=kind,
                        confidence=min(one.confidence, other.confidence),
                        launches=min(one.launches, other.launches),
                        proof=one.proof + other.proof,
                        rivals=one.rivals + other.rivals,
                        errors=_sum(one.errors, other.errors),
                    )
                )
    return left


def _not_enough(place: Layout, isolated: Residuals, concurrent: Residuals) -> tuple[str, ...]:
    """Hosts that neither layer has rows and columns of."""
    known = np.zeros(len(place.host), dtype=bool)
    for found in (isolated, concurrent):
        lines = [np.isfinite(line_medians(found.middle, axis)) for axis in (0, 1)]
        known |= lines[0] & lines[1]
    return tuple(host for n, host in enumerate(place.hosts) if not known[place.of_host(n)].all())


def _errors(matrix: PairMatrix, pairs: Sequence[Pair]) -> dict[str, int | None] | None:
    total: dict[str, int | None] | None = None
    for pair in pairs:
        total = _sum(total, dict(matrix.errors.get(pair, {})) or None)
    return total


def _sum(
    one: dict[str, int | None] | None, other: dict[str, int | None] | None
) -> dict[str, int | None] | None:
    """Null where either could not be read."""
    if one is None or other is None:
        return one if other is None else other
    total: dict[str, int | None] = {}
    for name in [*one, *(n for n in other if n not in one)]:
        a, b = one.get(name, 0), other.get(name, 0)
        total[name] = None if a is None or b is None else a + b
    return total
