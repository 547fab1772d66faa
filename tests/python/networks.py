"""Networks for tests of theory, by the rates of their links."""

from __future__ import annotations

from collections.abc import Sequence

from busbar import fabrics
from busbar.fabrics import Fabric

Rates = Sequence[tuple[float, float]]
"""Egress and ingress of each, in bits per second."""


def star(rates: Rates, burst_bytes: float = 65536) -> Fabric:
    """Hosts with these rates (egress, ingress)."""
    overrides = {}
    for number, (egress, ingress) in enumerate(rates, start=1):
        overrides[f"host{number}.tx"] = egress
        overrides[f"host{number}.rx"] = ingress
    return fabrics.emulated(len(rates), 400e6, overrides, burst_bytes)


def two_levels(rates: Rates, uplinks: Rates, burst_bytes: float = 1e-9) -> Fabric:
    """Hosts and leaves with these rates (egress, ingress)."""
    source = "typed"

    def figure(value: float) -> dict[str, object]:
        return {"value": value, "source": source}

    def links(prefix: str, each: Rates) -> dict[str, object]:
        return {
            "prefix": prefix, "count": len(each), "egress_bps": figure(1.0),
            "ingress_bps": figure(1.0), "burst_bytes": figure(burst_bytes),
        }  # fmt: skip

    def own(prefix: str, each: Rates) -> list[dict[str, object]]:
        return [
            {"name": f"{prefix}{n}", "egress_bps": figure(e), "ingress_bps": figure(i)}
            for n, (e, i) in enumerate(each, start=1)
        ]

    document = fabrics.load("emulated-4x400m").model_dump(by_alias=True) | {
        "name": "two levels", "limits": [], "hosts": links("host", rates),
        "host": own("host", rates), "leaves": links("leaf", uplinks), "leaf": own("leaf", uplinks),
    }  # fmt: skip
    return Fabric.model_validate(document)
