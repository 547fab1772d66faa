"""Loads a fabric by name from the catalogue, by path, or makes an emulated one by parameters."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from busbar.errors import UsageError
from busbar.fabrics.model import Fabric
from busbar.record.models import Run
from busbar.validation import describe

CATALOGUE = Path(__file__).resolve().parents[2] / "fabrics"
_EMULATED = "emulated-4x400m"  # the file that every emulated fabric varies


def names() -> list[str]:
    """Names of the fabrics in the catalogue."""
    return sorted(path.stem for path in CATALOGUE.glob("*.toml"))


def load(name_or_path: str) -> Fabric:
    """The fabric of that name in the catalogue, or in that file if the text ends in `.toml`.

    Raises UsageError, one sentence that names the file and the key, if it cannot be used.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = CATALOGUE / f"{name_or_path}.toml"
        if name_or_path not in names():
            raise UsageError(
                f"fabric '{name_or_path}' is unknown: accepted are {', '.join(names())}, "
                "or the path of a .toml file."
            )
    return _fabric(_read(path), str(path))


def emulated(
    hosts: int = 4,
    rate_bps: float = 400e6,
    overrides: Mapping[str, float] | None = None,
    burst_bytes: float | None = None,
) -> Fabric:
    """An emulated fabric by its parameters: rates in bits per second.

    `overrides` gives single hosts a rate of their own, for both directions (`host2`), for what
    they send (`host2.tx`) or for what they receive (`host2.rx`). Raises UsageError.
    """
    document = _read(CATALOGUE / f"{_EMULATED}.toml")
    table = document["hosts"]
    table["count"] = hosts
    for key in ("egress_bps", "ingress_bps"):
        table[key]["value"] = float(rate_bps)
    if burst_bytes is not None:
        table["burst_bytes"]["value"] = float(burst_bytes)
    different: dict[str, dict[str, Any]] = {}
    for target, rate in (overrides or {}).items():
        host, _, direction = target.partition(".")
        keys = {"": ("egress_bps", "ingress_bps"), "tx": ("egress_bps",), "rx": ("ingress_bps",)}
        if direction not in keys:
            raise UsageError(
                f"override '{target}' is unknown: accepted are HOST, HOST.tx, HOST.rx."
            )
        for key in keys[direction]:
            different.setdefault(host, {"name": host})[key] = {**table[key], "value": float(rate)}
    document["host"] = list(different.values())
    document["name"] = _name(hosts, rate_bps, overrides or {})
    document["description"] = f"{hosts} emulated hosts, each on a shaped link to one switch"
    return _fabric(document, f"emulated fabric '{document['name']}'")


class _Override(BaseModel):
    host: str
    direction: str = "both"
    rate_bps: float


class _Emulation(BaseModel):
    """What of `run.emulation` says how fast the links were."""

    model_config = ConfigDict(extra="ignore")

    hosts: int
    rate_bps: float
    burst_bytes: float
    overrides: list[_Override] = []


def from_emulation(emulation: Mapping[str, Any]) -> Fabric:
    """The fabric that a run was emulated on, from its record's `run.emulation`.

    Raises UsageError if that does not say how fast the links were.
    """
    try:
        spec = _Emulation.model_validate(emulation)
    except ValidationError as error:
        raise UsageError(f"run.emulation: {describe(error, _Emulation)}.") from None
    overrides: dict[str, float] = {}
    for one in spec.overrides:  # as the emulator has it, the last one that names a link holds
        target = one.host if one.direction == "both" else f"{one.host}.{one.direction}"
        overrides.pop(target, None)
        overrides[target] = one.rate_bps
    return emulated(spec.hosts, spec.rate_bps, overrides, spec.burst_bytes)


def for_run(run: Run) -> Fabric | None:
    """The fabric a run was emulated on, else the one it names, else none.

    Raises UsageError if that cannot be used.
    """
    if run.emulation is not None:
        return from_emulation(run.emulation)
    return None if run.fabric is None else load(run.fabric)


def _name(hosts: int, rate_bps: float, overrides: Mapping[str, float]) -> str:
    parts = [f"emulated-{hosts}x{rate_bps / 1e6:g}m"]
    return "-".join(parts + [f"{target}-{rate / 1e6:g}m" for target, rate in overrides.items()])


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}.") from None


def _fabric(document: Mapping[str, Any], origin: str) -> Fabric:
    try:
        return Fabric.model_validate(document)
    except ValidationError as error:
        raise UsageError(f"{origin}: {describe(error, Fabric)}.") from None
