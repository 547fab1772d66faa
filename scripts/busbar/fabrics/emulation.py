"""Emulated fabrics by their parameters: the catalogue's two emulated fabrics, varied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from busbar.errors import UsageError
from busbar.fabrics.load import CATALOGUE, fabric_of, read
from busbar.fabrics.model import Fabric

_ONE_SWITCH = CATALOGUE / "emulated-4x400m.toml"
_TWO_LEVELS = CATALOGUE / "emulated-2x4x200m.toml"
_DIRECTIONS = {
    "": ("egress_bps", "ingress_bps"),
    "tx": ("egress_bps",),
    "rx": ("ingress_bps",),
}


def emulated(
    hosts: int = 4,
    rate_bps: float = 400e6,
    overrides: Mapping[str, float] | None = None,
    burst_bytes: float | None = None,
    *,
    leaves: int = 1,
    uplink_bps: float | None = None,
    uplink_overrides: Mapping[str, float] | None = None,
    in_network: bool = False,
) -> Fabric:
    """An emulated fabric by its parameters: rates in bits per second.

    `overrides` gives single hosts a rate of their own, for both directions (`host2`), for what
    they send (`host2.tx`) or for what they receive (`host2.rx`); `uplink_overrides` does so for
    leaves, whose `tx` goes to the spine. `in_network`: the switches reduce. Raises UsageError.
    """
    document = read(_ONE_SWITCH if leaves == 1 else _TWO_LEVELS)
    original = fabric_of(document, document["name"])
    different = dict(overrides or {})
    document["host"] = _vary(document["hosts"], hosts, rate_bps, different, burst_bytes)
    if leaves == 1:
        if uplink_bps is not None or uplink_overrides:
            raise UsageError("uplink rates belong to leaves: accepted is 2 leaves or more.")
        document["description"] = f"{hosts} emulated hosts, each on a shaped link to one switch"
    else:
        if uplink_bps is None:
            raise UsageError(f"{leaves} leaves have no uplink rate: it is required.")
        others = dict(uplink_overrides or {})
        document["leaf"] = _vary(document["leaves"], leaves, uplink_bps, others, burst_bytes)
        document["description"] = (
            f"{hosts} emulated hosts on {leaves} leaf switches, each on a shaped link to one spine"
        )
        different = {"uplink": uplink_bps} | different | others
    if not in_network:
        _remove_reduction(document)
    document["name"] = _name(hosts, leaves, rate_bps, different)
    fabric = fabric_of(document, f"emulated fabric '{document['name']}'")
    # What the catalogue has goes by its name there.
    same = fabric.cuts() == original.cuts()
    return fabric.model_copy(update={"name": original.name}) if same else fabric


def _vary(
    table: dict[str, Any],
    count: int,
    rate_bps: float,
    overrides: Mapping[str, float],
    burst_bytes: float | None,
) -> list[dict[str, Any]]:
    """Set the figures of [hosts] or [leaves]; return the [[host]] or [[leaf]] that differ."""
    table["count"] = count
    for key in _DIRECTIONS[""]:
        table[key]["value"] = float(rate_bps)
    if burst_bytes is not None:
        table["burst_bytes"]["value"] = float(burst_bytes)
    different: dict[str, dict[str, Any]] = {}
    for target, rate in overrides.items():
        name, _, direction = target.partition(".")
        if direction not in _DIRECTIONS:
            what = table["prefix"].upper()
            raise UsageError(
                f"override '{target}' is unknown: accepted are {what}, {what}.tx, {what}.rx."
            )
        for key in _DIRECTIONS[direction]:
            different.setdefault(name, {"name": name})[key] = {**table[key], "value": float(rate)}
    return list(different.values())


def _remove_reduction(document: dict[str, Any]) -> None:
    """Make the switches plain: they only forward, and nothing is asked of them."""
    del document["in_network"]
    document["limits"] = [one for one in document["limits"] if one.get("variant") != "in_network"]


def _name(hosts: int, leaves: int, rate_bps: float, different: Mapping[str, float]) -> str:
    shape = f"{hosts}" if leaves == 1 else f"{leaves}x{hosts // max(leaves, 1)}"
    if hosts != leaves * (hosts // max(leaves, 1)):
        shape = f"{hosts}on{leaves}"  # the leaves are not alike
    parts = [f"emulated-{shape}x{rate_bps / 1e6:g}m"]
    return "-".join(parts + [f"{target}-{rate / 1e6:g}m" for target, rate in different.items()])
