"""What figures of scaling draw, whichever library draws them: curves over hosts, cells, axes."""

from __future__ import annotations

from dataclasses import dataclass

from busbar.report.scaling import Cell, ScaledVariant, Scaling
from busbar.report.scaling_words import floored
from busbar.report.style import Style, ramp
from busbar.report.text import listed

_HEADROOM = 1.08
_WHOLE_FROM = 10.0  # percent below which a whole figure says too little, 0 nothing
_ROUND_FROM = 9  # numbers of hosts from which cells have no room for a decimal


@dataclass(frozen=True)
class SizeCurve:
    """One size of one variant over numbers of hosts; a hole where there is no figure."""

    size_bytes: int
    style: Style
    cells: tuple[Cell, ...]


def size_curves(scaling: Scaling, variant: ScaledVariant) -> list[SizeCurve]:
    """Those that are drawn, the largest the darkest."""
    drawn = scaling.table.drawn
    return [
        SizeCurve(size_bytes, ramp(i, len(drawn)), scaling.cells(variant, size_bytes))
        for i, size_bytes in enumerate(drawn)
    ]


def percent_top(scaling: Scaling) -> float:
    """The upper end of every axis of shares of the study: what theory allows, and all there is."""
    shown = [c.percent for one in scaling.variants for line in one.cells for c in line if c.percent]
    return _HEADROOM * max(100.0, *shown)


def percent_ends(cell: Cell) -> tuple[float, float] | None:
    """The interval of a share of the bound in percent, low first."""
    row = cell.row
    if row is None or cell.percent is None or row.bound_us is None or row.ci95_us is None:
        return None
    fast, slow = row.ci95_us
    return (100 * row.bound_us / slow, 100 * row.bound_us / fast) if fast > 0 else None


def cell_text(cell: Cell, columns: int) -> str:
    """The figure of a cell, rounded down; a cross for one that does not count."""
    if cell.percent is None:
        return "✕" if cell.refused else ""
    digits = 0 if columns >= _ROUND_FROM and cell.percent >= _WHOLE_FROM else 1
    return f"{floored(cell.percent, digits):.{digits}f}"


@dataclass(frozen=True)
class HostsBound:
    """The bound over numbers of hosts that some variants share."""

    name: str
    points: tuple[tuple[int, float], ...]
    """Hosts and bus bandwidth in GB/s."""


def hosts_bounds(scaling: Scaling) -> list[HostsBound]:
    """The bounds at the largest size; variants with the same one share it."""
    sharing: dict[tuple[tuple[int, float], ...], list[ScaledVariant]] = {}
    for variant in scaling.variants:
        cells = scaling.cells(variant, scaling.largest)
        points = tuple(
            (hosts, float(f"{cell.row.bound_busbw_gbs:.9g}"))
            for hosts, cell in zip(scaling.table.hosts, cells, strict=True)
            if cell.row is not None and cell.row.bound_busbw_gbs is not None
        )
        if points:
            sharing.setdefault(points, []).append(variant)
    several = len(sharing) > 1
    return [
        HostsBound(
            f"bound of {listed([one.name for one in variants], most=3)}" if several else "bound",
            points,
        )
        for points, variants in sharing.items()
    ]


def bandwidth_cells(scaling: Scaling) -> list[tuple[ScaledVariant, tuple[Cell, ...]]]:
    """Each variant at the largest size."""
    return [(one, scaling.cells(one, scaling.largest)) for one in scaling.variants]


def busbw_of(cell: Cell) -> float | None:
    """Bus bandwidth in GB/s of what counts."""
    return cell.row.busbw_gbs if cell.row is not None and cell.percent is not None else None


def bandwidth_top(scaling: Scaling) -> float:
    """The upper end of the axis of bus bandwidth."""
    bounds = [gbs for bound in hosts_bounds(scaling) for _, gbs in bound.points]
    found = [busbw_of(cell) or 0.0 for _, cells in bandwidth_cells(scaling) for cell in cells]
    return _HEADROOM * max([*bounds, *found])


def busbw_ends(cell: Cell) -> tuple[float, float] | None:
    """The interval of the bus bandwidth, low first."""
    if cell.row is None or cell.row.ci95_us is None:
        return None
    known = [at for us in cell.row.ci95_us if (at := cell.row.busbw_at(us)) is not None]
    return (min(known), max(known)) if len(known) == 2 else None
