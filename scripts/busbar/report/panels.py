"""Rows sorted into panels: what is drawn together, as curves over size with their bounds.

A panel holds one operation under one setting; its curves differ in record, transport and variant.
Both the page and the static figures are drawn from panels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from busbar.record.key import PointKey
from busbar.report.rows import Row, setting_text, varying_settings
from busbar.report.style import Style, style
from busbar.report.text import listed, setting_parts, slug


@dataclass(frozen=True)
class Curve:
    """One variant of one record, by size."""

    name: str
    style: Style
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class BoundAt:
    """The bound at one size."""

    size_bytes: int
    time_us: float
    busbw_gbs: float | None
    cut: str


@dataclass(frozen=True)
class Bound:
    """A bound that one or several curves share."""

    name: str
    points: tuple[BoundAt, ...]


@dataclass(frozen=True)
class Panel:
    """What is drawn together."""

    id: str
    op: str
    setting: str
    group: str
    """The group of ranks; empty where the page has only one."""
    curves: tuple[Curve, ...]
    bounds: tuple[Bound, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, curve by curve."""
        return tuple(row for curve in self.curves for row in curve.rows)

    @property
    def has_sizes(self) -> bool:
        """False for operations such as barrier, which move nothing."""
        return any(row.key.size_bytes for row in self.rows)

    @property
    def measured(self) -> bool:
        """Whether there is anything to draw."""
        return any(row.median_us for row in self.rows)


CurveKey = tuple[str, str, str]
"""Record, transport, variant."""


class CurveNames:
    """Names and styles of curves, the same in the whole page."""

    def __init__(self, rows: Iterable[Row]) -> None:
        keys = list(dict.fromkeys(_curve_key(row) for row in rows))
        self._differing = [len({key[i] for key in keys}) > 1 for i in range(2)]
        records = list(dict.fromkeys(key[0] for key in keys))
        # With several records a colour means a variant and a mark the record, as far as they go.
        variants = list(dict.fromkeys(key[1:] for key in keys))
        by_pair = len(keys) <= 7
        self._styles = {
            key: style(
                index if by_pair else variants.index(key[1:]),
                records.index(key[0]),
            )
            for index, key in enumerate(keys)
        }

    def name(self, row: Row) -> str:
        """Record and transport where they differ, and the variant."""
        record, transport, variant = _curve_key(row)
        parts = (record if self._differing[0] else "", transport if self._differing[1] else "")
        return " · ".join([p for p in parts if p] + [variant])

    def style(self, row: Row) -> Style:
        """Colour and mark."""
        return self._styles[_curve_key(row)]


def panels(rows: Sequence[Row]) -> tuple[Panel, ...]:
    """All panels, operations in the order in which they first appear."""
    names = CurveNames(rows)
    grouped: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        grouped.setdefault(_panel_key(row.key), []).append(row)
    ops = list(dict.fromkeys(row.key.op for row in rows))
    ordered = sorted(grouped.values(), key=lambda members: _rank(members[0].key, ops))
    varying = varying_settings(rows)
    return tuple(_panel(i, members, names, varying) for i, members in enumerate(ordered))


def _rank(key: PointKey, ops: Sequence[str]) -> tuple[int, int]:
    """All hosts come first: it is the panel that the page opens."""
    return ops.index(key.op), -key.group.size()


def _panel_key(key: PointKey) -> tuple[str, ...]:
    return (key.op, *setting_parts(key).values())


def _curve_key(row: Row) -> CurveKey:
    return row.record, row.key.transport, row.key.variant


def _panel(index: int, rows: Sequence[Row], names: CurveNames, varying: frozenset[str]) -> Panel:
    grouped: dict[CurveKey, list[Row]] = {}
    for row in rows:
        grouped.setdefault(_curve_key(row), []).append(row)
    curves = tuple(
        Curve(
            names.name(members[0]),
            names.style(members[0]),
            tuple(sorted(members, key=lambda row: row.key.size_bytes)),
        )
        for members in grouped.values()
    )
    key = rows[0].key
    return Panel(
        id=f"p{index}-{slug(key.op)}",
        op=key.op,
        setting=setting_text(key, varying),
        group=key.group.name if "group" in varying else "",
        curves=curves,
        bounds=_bounds(curves),
    )


def _bounds(curves: Sequence[Curve]) -> tuple[Bound, ...]:
    """The bounds of all curves; curves with the same bound share it, and name it together."""
    sharing: list[tuple[set[BoundAt], list[Curve]]] = []
    # Longest first: curves that lack some sizes share the bound of those that have them.
    for curve in sorted(curves, key=lambda c: -len(_bound_points(c))):
        points = _bound_points(curve)
        if not points:
            continue
        for known, members in sharing:
            if points <= known:
                members.append(curve)
                break
        else:
            sharing.append((points, [curve]))
    kinds = [_kind(members, curves) for _, members in sharing]
    return tuple(
        _bound(points, kind, members if kinds.count(kind) > 1 else [])
        for kind, (points, members) in zip(kinds, sharing, strict=True)
    )


def _bound_points(curve: Curve) -> set[BoundAt]:
    return {at for at in map(_bound_at, curve.rows) if at is not None}


def _bound_at(row: Row) -> BoundAt | None:
    if row.bound_us is None:
        return None
    return BoundAt(row.key.size_bytes, row.bound_us, row.bound_busbw_gbs, row.cut or "not named")


def _kind(members: Sequence[Curve], curves: Sequence[Curve]) -> str:
    """Whose bound it is, where some curves of the panel are to be reduced in the network."""
    asking = {_asks(curve) for curve in members}
    if asking == {True}:
        return "bound in the network"
    if not any(map(_asks, curves)):
        return "bound"
    return "bound of hosts and in the network" if True in asking else "bound of hosts"


def _asks(curve: Curve) -> bool:
    return any(row.asks for row in curve.rows)


def _bound(points: Iterable[BoundAt], kind: str, curves: Sequence[Curve]) -> Bound:
    ordered = tuple(sorted(points, key=lambda at: at.size_bytes))
    cuts = listed(list(dict.fromkeys(at.cut for at in ordered)), most=2)
    whose = f" ({listed([curve.name for curve in curves], most=2)})" if curves else ""
    return Bound(f"{kind}{whose}: {cuts}", ordered)
