"""What launches of the transport nccl are given: plugins, and the variables NCCL reads only once.

NCCL keeps NCCL_NVLS_ENABLE for the life of a process, and before 2.27 NCCL_COLLNET_ENABLE is the
only word for CollNet: variants that need them get fresh processes. Algorithm, protocol, channels
and CTA policy are the engine's, communicator by communicator.

Nothing here chooses a network plugin: a variant with SHARP and its baseline load the same one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from busbar.record.models import Variant

TRANSPORT = "nccl"

REDUCES_IN_NETWORK = ("all_reduce", "all_gather", "reduce_scatter", "barrier")
"""What NCCL has algorithms in the network for (2.28.9, src/graph/tuning.cc); a barrier is an
all_reduce."""

_ENVIRONMENT = {
    # Left to itself NCCL takes NVLink's switches where it thinks they pay.
    "off": {"NCCL_NVLS_ENABLE": "0"},
    # Its default, 2, falls back in silence where they cannot be set up.
    "nvls": {"NCCL_NVLS_ENABLE": "1"},
    "collnet": {"NCCL_COLLNET_ENABLE": "1"},
    "sharp": {"NCCL_COLLNET_ENABLE": "1"},
}
"""Per `in_network`. A variant without it leaves everything to NCCL."""

_BEATEN_BY = {
    "algorithm": ("NCCL_ALGO", "NCCL_PROTO"),
    "protocol": ("NCCL_ALGO", "NCCL_PROTO"),
    "channels": ("NCCL_MIN_CTAS", "NCCL_MAX_CTAS", "NCCL_MIN_NCHANNELS", "NCCL_MAX_NCHANNELS"),
    "cta_policy": ("NCCL_CTA_POLICY",),
    "in_network": ("NCCL_NVLS_ENABLE", "NCCL_COLLNET_ENABLE"),
}
"""Per setting of a variant: variables that NCCL heeds more than what the engine tells it."""

_PLUGINS = {"NCCL_PROFILER_PLUGIN": "profiler", "NCCL_TUNER_PLUGIN": "tuner"}

_TRAVELLING = ("NCCL_", "SHARP_", "BUSBAR_NCCL_", "BUSBAR_GPU_")
"""Variables of this process that every rank needs; mpirun hands on only what it is told to."""

_UNBOUND = {"OMPI_MCA_hwloc_base_binding_policy": "none"}
"""NCCL's helper threads would share one core with the rank that is bound to it."""


def add_mechanisms(named: Sequence[Variant], mechanisms: Sequence[str]) -> list[Variant]:
    """The run's variants: those named, and one for each mechanism of `--in-network`.

    With none named and none asked for there is `default`, which leaves everything to NCCL. So
    there is where SHARP or CollNet is compared with `off`: `off` lacks NVLink's switches too, and
    only `default` differs from it in nothing but the fabric's.
    """
    variants = list(named)
    of_fabric = {"sharp", "collnet"} & set(mechanisms)
    if not variants and (not mechanisms or ("off" in mechanisms and of_fabric)):
        variants.append(Variant(name="default", settings={}, environment={}))
    for mechanism in mechanisms:
        settings = {"in_network": mechanism}
        variants.append(Variant(name=mechanism, settings=settings, environment={}))
    return variants


def with_environment(variants: Sequence[Variant]) -> list[Variant]:
    """The same variants with the variables that their `in_network` needs; the user's own win."""
    return [
        variant.model_copy(
            update={
                "environment": _ENVIRONMENT.get(variant.settings.get("in_network", ""), {})
                | variant.environment
            }
        )
        for variant in variants
    ]


def decided_by_variants(variants: Sequence[Variant]) -> dict[str, str]:
    """Variables that a variant decides, by its environment or by a setting; the first such variant.

    No launch may have them from elsewhere.
    """
    decided: dict[str, str] = {}
    for variant in variants:
        names = list(variant.environment)
        names += [name for key in variant.settings for name in _BEATEN_BY.get(key, ())]
        for name in names:
            decided.setdefault(name, variant.name)
    return decided


def common_environment(
    engine: Path, variants: Sequence[Variant], environment: Mapping[str, str], configured: set[str]
) -> dict[str, str]:
    """Variables of every launch: the user's own, less what variants decide, and our plugins.

    `configured`: names that a configuration file of NCCL sets. A plugin that the user chose stays.
    """
    decided = decided_by_variants(variants)
    own = {
        name: value
        for name, value in environment.items()
        if name.startswith(_TRAVELLING) and name not in decided
    }
    ours = {
        name: str(path)
        for name, path in plugins_beside(engine).items()
        if name not in own
        and name not in decided
        and name not in configured
        # A tuner takes the place of one that a network plugin may bring, so only if it is needed.
        and (name != "NCCL_TUNER_PLUGIN" or _needs_tuner(variants))
    }
    unbound = {k: v for k, v in _UNBOUND.items() if k not in environment}
    return unbound | ours | own


def _needs_tuner(variants: Sequence[Variant]) -> bool:
    return any({"algorithm", "protocol"} & set(variant.settings) for variant in variants)


def plugins_beside(engine: Path) -> dict[str, Path]:
    """Busbar's plugins by the variable that names them to NCCL; those that were built."""
    folders = (engine.parent, engine.parent.parent / "lib")
    found: dict[str, Path] = {}
    for variable, kind in _PLUGINS.items():
        for folder in folders:
            file = folder / _file(kind)
            if file.is_file():
                found.setdefault(variable, file.resolve())
    return found


def unproven_because(settings: Mapping[str, str], configured: set[str]) -> str | None:
    """Why no profiler plugin of ours saw what ran, in a clause; None where it did.

    `settings` are the variables that the launch had.
    """
    name, missing = "NCCL_PROFILER_PLUGIN", "not seen by Busbar's profiler plugin"
    named = settings.get(name)
    if named is None and name in configured:
        return f"{missing}: NCCL's configuration file sets {name}"
    if named is None:
        return f"{missing}: it is not beside the engine"
    # NCCL takes a file, or the end of a plugin's name.
    if Path(named).name in ("busbar", _file("profiler")):
        return None
    return f"{missing}: {name}={named}, which the user chose"


def _file(kind: str) -> str:
    return f"libnccl-{kind}-busbar.so"
