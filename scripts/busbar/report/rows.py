"""A row of the report: a point, measured or only planned, with what the judge says of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from busbar.check import Verdict
from busbar.check.gain import GainRow
from busbar.fabrics import Fabric
from busbar.record.key import PointKey
from busbar.record.models import Point, RunRecord
from busbar.report.text import setting_parts

if TYPE_CHECKING:
    from busbar.pairs.blame import Blame


class Grade(Enum):
    """What a verdict means for the reader; the page's colours hang on it."""

    GOOD = "good"
    UNSURE = "unsure"
    BAD = "bad"
    NEUTRAL = "neutral"


def in_words(verdict: Verdict) -> str:
    """A verdict as the page writes it."""
    return verdict.value.lower().replace("_", " ")


@dataclass(frozen=True)
class Row:
    """One row. What is not known is None."""

    id: str
    """Unique in the page, safe as an HTML id."""
    record: str
    key: PointKey
    point: Point | None
    need: str
    """`required`, `optional`, `waived`, or `extra` for what was measured but not planned."""
    asks: bool
    """Whether its variant asks for reduction in the network."""
    verdict: Verdict
    grade: Grade
    severity: int
    """The larger, the worse."""
    reason: str
    bound_us: float | None
    bound_busbw_gbs: float | None
    cut: str | None
    """What sets the bound."""
    percent: float | None
    """Bound over measured time, in percent."""

    @property
    def word(self) -> str:
        """The verdict in words."""
        return in_words(self.verdict)

    @property
    def median_us(self) -> float | None:
        """Median time of one execution."""
        return self.point.time_us.median if self.point and self.point.time_us else None

    @property
    def ci95_us(self) -> tuple[float, float] | None:
        """95 % interval of the median over launches."""
        return self.point.time_us.ci95 if self.point and self.point.time_us else None

    @property
    def busbw_gbs(self) -> float | None:
        """Bus bandwidth."""
        return self.point.busbw_gbs if self.point else None

    def busbw_at(self, time_us: float | None) -> float | None:
        """The bus bandwidth that another time would mean."""
        point = self.point
        if not time_us or point is None or not point.algorithm_bytes or point.bus_factor is None:
            return None
        return point.algorithm_bytes * point.bus_factor / time_us / 1000


@dataclass(frozen=True)
class Unplaced:
    """A verdict on something that belongs to no point, such as a launch that never started."""

    label: str
    verdict: Verdict
    grade: Grade
    severity: int
    reason: str

    @property
    def word(self) -> str:
        """The verdict in words."""
        return in_words(self.verdict)


@dataclass(frozen=True)
class Judged:
    """A record with its name, its rows and the verdict on all of it."""

    name: str
    record: RunRecord
    rows: tuple[Row, ...]
    unplaced: tuple[Unplaced, ...]
    verdict: str
    grade: Grade
    fabric: Fabric | None
    """What it was judged against; None if it was not."""
    notes: tuple[str, ...]
    """What the judge wants a reader to know besides the rows."""
    gains: tuple[GainRow, ...]
    """What reduction in the network gained; none where no variant asks for it."""
    blames: tuple[Blame, ...] = ()
    """What pairs say of hosts, leaves and paths; none where no pairs were measured."""


def varying_settings(rows: Iterable[Row]) -> frozenset[str]:
    """Names of the settings that differ between rows; the others need saying only once."""
    seen: dict[str, set[str]] = {}
    for row in rows:
        for name, text in setting_parts(row.key).items():
            if text:
                seen.setdefault(name, set()).add(text)
    return frozenset(name for name, texts in seen.items() if len(texts) > 1)


_ALWAYS_SAID = ("datatype", "redop", "root", "in_place", "timing")


def setting_text(key: PointKey, varying: frozenset[str] = frozenset()) -> str:
    """The settings of a point in one line: `float · sum · out of place · isolated`."""
    parts = setting_parts(key)
    shown = (t for name, t in parts.items() if name in _ALWAYS_SAID or name in varying)
    return " · ".join(t for t in shown if t)


def common_settings(rows: Iterable[Row]) -> str:
    """The settings that all rows share and that `setting_text` leaves out."""
    rows = tuple(rows)
    if not rows:
        return ""
    varying = varying_settings(rows)
    parts = setting_parts(rows[0].key)
    return " · ".join(t for n, t in parts.items() if n not in varying and n not in _ALWAYS_SAID)
