"""What the report shows of pairs: endpoints in order, shares of the healthy rate, who is marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from busbar.pairs.blame import Blame, Culprit
from busbar.pairs.groups import EGRESS, INGRESS, Kind
from busbar.pairs.matrix import Cells
from busbar.pairs.residuals import Codes, line_medians, scale_about
from busbar.pairs.rounds import PAIR_OPERATION
from busbar.pairs.sentences import errors_text, rival_texts, suspect_sentence
from busbar.report.rows import Judged, Row
from busbar.report.text import slug

_WIDE = 3.0  # robust standard deviations shown as what healthy ports differ by


@dataclass(frozen=True)
class Mark:
    """A culprit in the heat map: a rectangle over places in order, ends included."""

    number: int
    sources: tuple[int, int]
    targets: tuple[int, int]


@dataclass(frozen=True)
class Leaf:
    """Places of a leaf, ends included."""

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class CulpritLine:
    """A culprit as the table shows it."""

    number: int
    culprit: Culprit
    rivals: str
    """What else it could be; empty where nothing."""
    errors: str


@dataclass(frozen=True)
class PairView:
    """One matrix, its endpoints by leaf, then host."""

    id: str
    title: str
    record: str
    isolated: bool
    """Whether it shows pairs measured alone; else those of concurrent rounds."""
    names: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    percent: Cells
    """[from][to]: share of the healthy rate in percent; NaN where not measured."""
    rates_gbs: Cells
    sends: Cells
    """Per endpoint: median share of the healthy rate in percent; NaN where too few.

    Without cells that a leaf's culprit explains: its hosts must not look guilty.
    """
    receives: Cells
    healthy: float
    """Percent that healthy ports may differ by, from what they do."""
    culprits: tuple[CulpritLine, ...]
    marks: tuple[Mark, ...]
    suspects: tuple[str, ...]
    not_enough: tuple[str, ...]
    measured: int
    possible: int

    @property
    def summary(self) -> str:
        """How much was measured, and how."""
        how = "alone" if self.isolated else "in concurrent rounds only, which prove nothing"
        return f"{self.measured:,} of {self.possible:,} directed pairs measured {how}"


def curve_rows(judged: Iterable[Judged]) -> list[Row]:
    """The rows that curves over size show: not those of a matrix, which are one point each."""
    return [
        row
        for one in judged
        for row in one.rows
        if row.key.op != PAIR_OPERATION or all(len(x.layout.host) <= 2 for x in one.blames)
    ]


def pair_views(judged: Sequence[Judged]) -> list[PairView]:
    """Every matrix of every record."""
    return [view(one.name, blame, n) for one in judged for n, blame in enumerate(one.blames)]


def view(record: str, blame: Blame, number: int = 0) -> PairView:
    """One matrix."""
    matrix, place = blame.matrix, blame.layout
    order = _order(blame)
    shown = blame.shown()
    isolated = shown is blame.isolated
    percent = 100 * np.exp(shown.middle)
    kinds = place.kinds()
    names = matrix.names()
    own = _without_uplinks(percent, blame)
    lines = [line_medians(own, axis) for axis in (1, 0)]
    layer = matrix.isolated if isolated else matrix.concurrent
    grid = np.ix_(order, order)
    return PairView(
        id=f"pairs-{slug(record)}-{number}",
        title=matrix.title,
        record=record,
        isolated=isolated,
        names=tuple(names[e] for e in order),
        leaves=_leaves(blame, order),
        percent=percent[grid],
        rates_gbs=matrix.rates_gbs(layer)[grid],
        sends=lines[0][order],
        receives=lines[1][order],
        healthy=_healthy(np.concatenate(lines)),
        culprits=tuple(
            CulpritLine(n, culprit, "; ".join(rival_texts(culprit, blame)), errors_text(culprit))
            for n, culprit in enumerate(blame.culprits, start=1)
        ),
        marks=tuple(
            mark
            for n, culprit in enumerate(blame.culprits, start=1)
            for mark in _marks(n, culprit, order)
        ),
        suspects=tuple(suspect_sentence(suspect, blame) for suspect in blame.suspects),
        not_enough=blame.not_enough,
        measured=int((np.isfinite(shown.middle) & (kinds >= 0)).sum()),
        possible=int((kinds >= 0).sum()),
    )


def _without_uplinks(percent: Cells, blame: Blame) -> Cells:
    own = percent.copy()
    for culprit in blame.culprits:
        if not culprit.endpoints:
            own[tuple(np.array(culprit.proof).T)] = np.nan
    return own


def _order(blame: Blame) -> Codes:
    """By leaf, unknown last, then host as it came first, then index."""
    place = blame.layout
    leaf = np.where(place.leaf < 0, len(place.leaves), place.leaf)
    index = np.array([e.index for e in blame.matrix.endpoints])
    return np.lexsort((index, place.host, leaf))


def _leaves(blame: Blame, order: Codes) -> tuple[Leaf, ...]:
    own = blame.layout.leaf[order]
    found = []
    for number, name in enumerate(blame.layout.leaves):
        at = np.flatnonzero(own == number)
        if len(at):
            found.append(Leaf(name, int(at[0]), int(at[-1])))
    return tuple(found)


def _marks(number: int, culprit: Culprit, order: Codes) -> list[Mark]:
    """Rows, columns, or the block between leaves."""
    place = {int(endpoint): n for n, endpoint in enumerate(order)}
    everyone = (0, len(order) - 1)
    own = sorted(place[e] for e in culprit.endpoints)
    if culprit.kind in (*EGRESS, *INGRESS, Kind.HOST_BOTH, Kind.NIC_BOTH):
        span = (own[0], own[-1])
        rows = [] if culprit.kind in INGRESS else [Mark(number, span, everyone)]
        columns = [] if culprit.kind in EGRESS else [Mark(number, everyone, span)]
        return rows + columns
    sources = _runs(place[p.source] for p in culprit.proof)
    targets = _runs(place[p.target] for p in culprit.proof)
    return [Mark(number, rows, columns) for rows in sources for columns in targets]


def _runs(places: Iterable[int]) -> list[tuple[int, int]]:
    """Places that are next to each other, ends included."""
    runs: list[tuple[int, int]] = []
    for at in sorted(set(places)):
        if runs and at == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], at)
        else:
            runs.append((at, at))
    return runs


def _healthy(lines: Cells) -> float:
    known = lines[np.isfinite(lines)]
    return _WIDE * scale_about(known, float(np.median(known))) if len(known) else float("nan")
