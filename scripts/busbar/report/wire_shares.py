"""Bytes that hosts moved over their links beside what each hypothesis expects, over the size.

What a busiest host sends or receives, whichever is more, is what `PointWire.expected` has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from busbar.launch.monitoring import HOW as MONITORING
from busbar.record.evidence import finding
from busbar.record.models import Point, RunRecord
from busbar.record.placement import placement
from busbar.report.rows import Grade, Row
from busbar.report.style import Style

_BY_COUNTERS = "bytes counted: "
_PROOFS = (_BY_COUNTERS, "bytes per peer: ")


@dataclass(frozen=True)
class WireCurve:
    """One variant: its rows that have bytes, by size."""

    name: str
    style: Style
    points: tuple[tuple[Row, float], ...]
    """Bytes of the busiest host over the size."""


@dataclass(frozen=True)
class Hypothesis:
    """What one or several ways of carrying it out expect, over the size."""

    names: tuple[str, ...]
    points: tuple[tuple[int, float], ...]
    """By size in bytes."""

    @property
    def name(self) -> str:
        """What it expects at the largest size, and of whom: `1.5: ring`."""
        return f"{self.points[-1][1]:.4g}: {'; '.join(self.names)}"


@dataclass(frozen=True)
class WireChart:
    """Bytes over size of all variants of one group, beside the hypotheses."""

    curves: tuple[WireCurve, ...]
    hypotheses: tuple[Hypothesis, ...]


@dataclass(frozen=True)
class Proof:
    """What was concluded of one point whose variant asks for reduction in the network."""

    row: Row
    sent: float | None
    """By the busiest host, over the size."""
    received: float | None
    word: str
    grade: Grade
    because: str
    told: tuple[str, ...]
    """What the engine or a log of the library says of how it was carried out."""


def wire_chart(rows: Sequence[Row], styles: Mapping[str, Style]) -> WireChart | None:
    """The chart of rows that differ in size and variant; None where no byte was counted."""
    by_variant: dict[str, list[tuple[Row, float]]] = {}
    for row in sorted(rows, key=lambda row: row.key.size_bytes):
        share = _busiest(row)
        if share is not None:
            by_variant.setdefault(row.key.variant, []).append((row, share))
    if not by_variant:
        return None
    curves = [WireCurve(name, styles[name], tuple(p)) for name, p in by_variant.items()]
    return WireChart(tuple(curves), _hypotheses(rows))


def _busiest(row: Row) -> float | None:
    sides = (_share(row, "tx_bytes_per_node"), _share(row, "rx_bytes_per_node"))
    known = [side for side in sides if side is not None]
    return max(known) if len(known) == 2 else None


def _share(row: Row, side: str) -> float | None:
    """Bytes of the busiest host on one side over the size; None where a host was not counted."""
    wire = row.point.wire if row.point else None
    counted: list[float | None] = getattr(wire, side) if wire else []
    known = [value for value in counted if value is not None]
    if not known or len(known) < len(counted) or not row.key.size_bytes:
        return None
    return max(known) / row.key.size_bytes


def _expected(row: Row) -> dict[str, float]:
    wire = row.point.wire if row.point else None
    if wire is None or not row.key.size_bytes:
        return {}
    return {name: value / row.key.size_bytes for name, value in wire.expected.items()}


def _hypotheses(rows: Sequence[Row]) -> tuple[Hypothesis, ...]:
    """Least bytes first; those that expect the same at every size share a line."""
    by_name: dict[str, dict[int, float]] = {}
    for row in rows:
        for name, share in _expected(row).items():
            by_name.setdefault(name, {})[row.key.size_bytes] = round(share, 6)
    sharing: dict[tuple[tuple[int, float], ...], list[str]] = {}
    for name, shares in by_name.items():
        sharing.setdefault(tuple(sorted(shares.items())), []).append(name)
    found = [Hypothesis(tuple(names), points) for points, names in sharing.items()]
    return tuple(sorted(found, key=lambda h: h.points[-1][1]))


def proof(row: Row, record: RunRecord) -> Proof:
    """What was concluded of a point whose variant asks for reduction in the network."""
    word, grade, because = _conclusion(row, record)
    how = row.point.observed.how if row.point else []
    return Proof(
        row=row,
        sent=_share(row, "tx_bytes_per_node"),
        received=_share(row, "rx_bytes_per_node"),
        word=word,
        grade=grade,
        because=because,
        told=tuple(text for text in how if text != MONITORING and not text.startswith(_PROOFS)),
    )


def _conclusion(row: Row, record: RunRecord) -> tuple[str, Grade, str]:
    point = row.point
    if point is None or not point.blocks:
        return "not measured", Grade.UNSURE, row.reason
    how = point.observed.how
    if point.observed.in_network is None:
        return "unsure", Grade.UNSURE, _why_unsure(point, record) or "; ".join(how)
    because = "; ".join([text for text in how if text.startswith(_PROOFS)] or how)
    if point.observed.in_network:
        return "proved", Grade.GOOD, because
    return "not used", Grade.BAD, because


def proved_by(point: Point) -> str:
    """What proves that it was reduced in the network: the strongest of what the record has."""
    how = point.observed.how
    if any(text.startswith(_BY_COUNTERS) for text in how):
        return "bytes on the wire"
    if any(text.startswith(_PROOFS) for text in how):
        return "bytes per peer"
    return "what the library logged"


def _why_unsure(point: Point, record: RunRecord) -> str:
    """Why the bytes do not tell, and the measurement that would; empty if it is not the bytes."""
    measuring = {launch.id: launch for launch in record.launches if launch.purpose == "measure"}
    timed = [block for block in point.blocks if block.launch in measuring]
    if not timed:
        return ""
    try:
        hosts = placement(point.key.group, measuring[timed[0].launch])
    except KeyError:
        return ""
    found = finding(point.key, timed, hosts)
    return found.because if found is not None and found.in_network is None else ""
