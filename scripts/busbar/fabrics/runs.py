"""The fabric that a run was measured on, as its record tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from busbar.errors import UsageError
from busbar.fabrics.emulation import emulated
from busbar.fabrics.load import load
from busbar.fabrics.model import Fabric
from busbar.record.models import Run
from busbar.validation import describe


class _Override(BaseModel):
    direction: str = "both"
    rate_bps: float


class _HostOverride(_Override):
    host: str


class _UplinkOverride(_Override):
    leaf: str


class _Emulation(BaseModel):
    """What of `run.emulation` says how fast the links were, and whether the switches reduced."""

    model_config = ConfigDict(extra="ignore")

    hosts: int
    rate_bps: float
    burst_bytes: float
    overrides: list[_HostOverride] = []
    leaves: int = 1
    uplink_bps: float | None = None
    uplink_overrides: list[_UplinkOverride] = []
    aggregators: int = 0


def from_emulation(emulation: Mapping[str, Any]) -> Fabric:
    """The fabric that a run was emulated on, from its record's `run.emulation`.

    Raises UsageError if that does not say how fast the links were.
    """
    try:
        spec = _Emulation.model_validate(emulation)
    except ValidationError as error:
        raise UsageError(f"run.emulation: {describe(error, _Emulation)}.") from None
    return emulated(
        spec.hosts,
        spec.rate_bps,
        _in_force((one.host, one) for one in spec.overrides),
        spec.burst_bytes,
        leaves=spec.leaves,
        uplink_bps=spec.uplink_bps,
        uplink_overrides=_in_force((one.leaf, one) for one in spec.uplink_overrides),
        in_network=spec.aggregators > 0,
    )


def for_run(run: Run) -> Fabric | None:
    """The fabric a run was emulated on, else the one it names, else none.

    Raises UsageError if that cannot be used.
    """
    if run.emulation is not None:
        return from_emulation(run.emulation)
    return None if run.fabric is None else load(run.fabric)


def _in_force(named: Iterable[tuple[str, _Override]]) -> dict[str, float]:
    """The overrides in the order that tells: the last one that names a link holds, as emulated."""
    rates: dict[str, float] = {}
    for name, one in named:
        target = name if one.direction == "both" else f"{name}.{one.direction}"
        rates.pop(target, None)
        rates[target] = one.rate_bps
    return rates
