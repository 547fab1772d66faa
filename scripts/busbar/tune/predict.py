"""What is to be expected where nothing was measured: latency and bandwidth of each candidate.

A candidate's time is taken to be `step_us * messages(n) + us_per_byte * share(n) * S`, whose counts
are those of `theory.scaling` and say how it grows with the ranks n. Where theory does not know the
algorithm, both counts are 1, and nothing is said of other numbers of ranks.

Fitted are relative errors, as a microsecond matters at 10 us and not at 10 ms; both constants are
at least 0 (Lawson and Hanson, "Solving Least Squares Problems", 1974, 23). Intervals are those of a
new measurement under a fitted line (Draper and Smith, "Applied Regression Analysis", 3rd edition,
3.1). They know what the line missed where it was measured, not what changes beyond.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from busbar.theory.scaling import growth
from busbar.tune.candidate import Candidate

FAR = 4.0
"""A size that is so many times above the largest, or below the smallest, is beyond the data."""
_OWN_FROM = 2
"""Degrees of freedom from which a candidate's own misses say how well its line holds. One or none
say next to nothing; then those of all candidates of the operation do."""
_Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Measured:
    """A candidate's median at one point, in microseconds."""

    what: str
    """The operation, and what else its candidates' times may depend on, such as the datatype."""
    op: str
    size_bytes: int
    ranks: int
    candidate: Candidate
    time_us: float


@dataclass(frozen=True)
class Expected:
    """What a candidate should take."""

    candidate: Candidate
    time_us: float
    sigma: float | None
    """Standard deviation of its logarithm; None where too few sizes were measured to tell."""
    extrapolated: bool
    """Beyond the sizes (by more than FAR), or the numbers of ranks, that were measured."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Holds a new measurement with 95 %, microseconds."""
        if self.sigma is None:
            return None
        factor = math.exp(min(_Z_95 * self.sigma, 700.0))  # beyond it a float overflows
        return self.time_us / factor, self.time_us * factor


@dataclass(frozen=True)
class Line:
    """One candidate's fit."""

    what: str
    op: str
    candidate: Candidate
    algorithm: str | None
    """As `theory.scaling` knows it; None: it holds for `ranks` only."""
    ranks: frozenset[int]
    """Those that were measured."""
    smallest_bytes: int
    largest_bytes: int
    step_us: float
    us_per_byte: float
    misses: tuple[float, ...]
    """Predicted over measured, less 1."""
    precision: tuple[tuple[float, float], tuple[float, float]]
    """The inverse of X'X, X the relative rows: what scales a prediction's variance."""

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the misses."""
        return max(0, len(self.misses) - (2 if self.largest_bytes else 1))

    def row(self, size_bytes: int, ranks: int) -> tuple[float, float] | None:
        """Messages, and bytes through the busiest rank; None where that is not known."""
        if self.algorithm is None:
            return (1.0, float(size_bytes)) if ranks in self.ranks else None
        return _row(self.op, self.algorithm, size_bytes, ranks)

    def beyond(self, size_bytes: int, ranks: int) -> bool:
        """Whether that is beyond the data."""
        near = self.smallest_bytes / FAR <= size_bytes <= self.largest_bytes * FAR
        return not near or ranks not in self.ranks


@dataclass(frozen=True)
class Predictor:
    """The lines of all candidates."""

    lines: tuple[Line, ...]
    unfitted: tuple[tuple[str, Candidate], ...]
    """Measured at one size only, which makes no line."""

    def expect(
        self, what: str, size_bytes: int, ranks: int, among: Collection[Candidate] | None = None
    ) -> list[Expected]:
        """Candidates of which something is known there, fastest first; `among` None is all."""
        found = [
            one
            for line in self.lines
            if line.what == what and (among is None or line.candidate in among)
            if (one := self._expected(line, size_bytes, ranks)) is not None
        ]
        return sorted(found, key=lambda one: (one.time_us, one.candidate))

    def _expected(self, line: Line, size_bytes: int, ranks: int) -> Expected | None:
        row = line.row(size_bytes, ranks)
        if row is None:
            return None
        time_us = line.step_us * row[0] + line.us_per_byte * row[1]
        if time_us <= 0:
            return None  # a line through the origin says nothing of no bytes
        relative = np.array(row) / time_us
        leverage = float(relative @ np.array(line.precision) @ relative)
        spread = self._spread(line)
        return Expected(
            candidate=line.candidate,
            time_us=time_us,
            sigma=None if spread is None else spread * math.sqrt(1.0 + leverage),
            extrapolated=line.beyond(size_bytes, ranks),
        )

    def _spread(self, line: Line) -> float | None:
        """Of a measurement about the line; Student's t is put into it, so that z can be used."""
        judged = [line] if line.degrees >= _OWN_FROM else self._of(line.what)
        degrees = sum(one.degrees for one in judged)
        if degrees == 0:
            return None
        squares = sum(miss**2 for one in judged for miss in one.misses)
        wider = float(stats.t.ppf(0.975, degrees)) / _Z_95
        return math.sqrt(squares / degrees) * wider

    def _of(self, what: str) -> list[Line]:
        return [line for line in self.lines if line.what == what and line.degrees > 0]


def fit(measured: Iterable[Measured], algorithms: Mapping[tuple[str, Candidate], str]) -> Predictor:
    """A line for each candidate of each `what`.

    `algorithms` names those, by operation and candidate, that `theory.scaling` knows; such a line
    is fitted to all numbers of ranks together, any other to each number on its own.
    """
    grouped: dict[tuple[str, Candidate, int | None], list[Measured]] = {}
    for one in measured:
        algorithm = algorithms.get((one.op, one.candidate))
        known = algorithm is not None and growth(one.op, algorithm, one.ranks) is not None
        grouped.setdefault((one.what, one.candidate, None if known else one.ranks), []).append(one)
    lines, unfitted = [], []
    for (what, candidate, apart), members in grouped.items():
        algorithm = algorithms.get((members[0].op, candidate)) if apart is None else None
        line = _line(members, algorithm)
        if line is None:
            unfitted.append((what, candidate))
        else:
            lines.append(line)
    return Predictor(tuple(lines), tuple(unfitted))


def _line(members: Sequence[Measured], algorithm: str | None) -> Line | None:
    """The fit to one candidate's points; None where they leave it open."""
    rows = [_row(one.op, algorithm, one.size_bytes, one.ranks) for one in members]
    known = np.array([row for row in rows if row is not None], dtype=float)
    relative = known / np.array([[one.time_us] for one in members])
    scale = relative.max(axis=0)  # messages and bytes differ by orders of magnitude
    scale[scale == 0] = 1.0
    columns = 2 if known[:, 1].any() else 1
    # The same bytes per message everywhere tell the two constants apart no more than one size.
    if np.linalg.matrix_rank(relative[:, :columns] / scale[:columns]) < columns:
        return None
    scaled = relative / scale
    constants = _not_negative(scaled, columns) / scale
    inverse = np.linalg.pinv(scaled.T @ scaled, hermitian=True) / np.outer(scale, scale)
    sizes = [one.size_bytes for one in members]
    return Line(
        what=members[0].what,
        op=members[0].op,
        candidate=members[0].candidate,
        algorithm=algorithm,
        ranks=frozenset(one.ranks for one in members),
        smallest_bytes=min(sizes),
        largest_bytes=max(sizes),
        step_us=float(constants[0]),
        us_per_byte=float(constants[1]),
        misses=tuple(float(miss) for miss in relative @ constants - 1.0),
        precision=(
            (float(inverse[0, 0]), float(inverse[0, 1])),
            (float(inverse[1, 0]), float(inverse[1, 1])),
        ),
    )


def _not_negative(rows: NDArray[np.float64], columns: int) -> NDArray[np.float64]:
    """The constants that bring every row nearest to 1; those without a column are 0."""
    found = np.zeros(2)
    found[:columns] = optimize.nnls(rows[:, :columns], np.ones(len(rows)))[0]
    return found


def _row(op: str, algorithm: str | None, size_bytes: int, ranks: int) -> tuple[float, float] | None:
    if algorithm is None:
        return 1.0, float(size_bytes)
    takes = growth(op, algorithm, ranks)
    return None if takes is None else (takes.messages, takes.bytes_share * size_bytes)
