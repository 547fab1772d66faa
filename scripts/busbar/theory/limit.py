"""What one cut, in one direction, allows."""

from __future__ import annotations

from dataclasses import dataclass

from busbar.fabrics.model import Fabric, Port


@dataclass(frozen=True)
class CutLimit:
    """The shortest time in which the payload bytes that must pass a cut can pass it."""

    time_us: float
    cut: str
    payload_bytes: float
    formula: str


def cut_limit(fabric: Fabric, name: str, port: Port, payload_bytes: float) -> CutLimit:
    """The limit of a port of the fabric's links, whose packets carry headers."""
    efficiency = fabric.efficiency()
    burst = f" - {port.burst_bytes:.0f} B burst" if port.burst_bytes else ""
    return CutLimit(
        time_us=port.least_us(payload_bytes / efficiency),
        cut=name,
        payload_bytes=float(payload_bytes),
        formula=(
            f"({payload_bytes:.0f} B / {efficiency:.4f} payload share{burst})"
            f" / {port.rate_bps / 8e6:.4g} B/us"
        ),
    )
