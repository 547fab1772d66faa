"""Reduction inside the network as variants: who asks for it, how, and where it can be had.

What a variant's setting `in_network` may be depends on the transport:

* mpi: `off` (as without it), `tree` (the engine's aggregators) or `sharp` (the switches, through
  the MPI's collective library).
* ucx: `off`; it carries messages and reduces nothing.
* nccl: `off` (neither NVLink's switches nor the fabric's), `nvls` (NVLink's), `collnet` (the
  fabric's, through any network plugin) or `sharp` (through SHARP's). Without it NCCL chooses.
"""

from __future__ import annotations

from collections.abc import Sequence

from busbar.errors import UsageError
from busbar.launch import nccl, sharp
from busbar.record.models import Variant

MECHANISMS = {
    "mpi": ("off", "tree", "sharp"),
    "nccl": ("off", "nvls", "collnet", "sharp"),
    "ucx": ("off",),
}
"""What `in_network` may be, by transport."""

_NAME = {"tree": "in_network", "sharp": "sharp"}
"""What the variant is called that `--in-network` adds."""
_OFFERS = {
    ("mpi", "local"): ("shared memory has no network", ()),
    ("mpi", "emulated"): ("its switches have no SHARP", ("tree",)),
    ("mpi", "simulated"): ("its switches have no SHARP", ("tree",)),
    ("mpi", "hostfile"): ("", ("tree", "sharp")),
    ("mpi", "slurm"): ("aggregators cannot be placed by srun yet", ("sharp",)),
    ("nccl", "local"): ("one host has no switch between hosts", ("nvls", "collnet")),
}
"""Per transport and target: why a mechanism is not to be had there, and those that are."""


def parse_in_network(
    text: str | None, on: str, transport: str = "mpi", hosts: int | None = None
) -> list[str]:
    """The mechanisms that `off,on` asks for, each once; `on` is what the target has.

    Without a text: `off` for mpi and ucx, and for nccl none, which leaves it to NCCL. `hosts` is
    the number of hosts, None where it is not known. Raises UsageError for words that are unknown.
    """
    if text is None:
        return [] if transport == nccl.TRANSPORT else ["off"]
    known = MECHANISMS[transport]
    words = [word.strip() for word in text.split(",")]
    if known == ("off",) and words != ["off"]:
        raise UsageError(
            f"--in-network {text}: transport {transport} reduces nothing in the network; "
            "accepted: off"
        )
    for word in words:
        if word not in (*known, "on"):
            raise UsageError(
                f"unknown --in-network '{word}' of transport {transport}; accepted: "
                f"{', '.join(('on', *known))}, joined by commas"
            )
    if transport == "mpi":
        default = "tree" if on in ("local", "emulated", "simulated") else "sharp"
    else:
        default = "nvls" if hosts == 1 else "sharp"
    return list(dict.fromkeys(default if word == "on" else word for word in words))


def with_mechanisms(
    named: Sequence[Variant], mechanisms: Sequence[str], transport: str = "mpi"
) -> list[Variant]:
    """The run's variants: those named, with one more for each mechanism that is asked for.

    Without any named there is `default`, unless `off` is not asked for.
    """
    if transport == "nccl":
        return nccl.add_mechanisms(named, mechanisms)
    variants = list(named)
    if not variants and "off" in mechanisms:
        variants.append(Variant(name="default", settings={}, environment={}))
    for mechanism in mechanisms:
        if mechanism != "off":
            name, settings = _NAME[mechanism], {"in_network": mechanism}
            variants.append(Variant(name=name, settings=settings, environment={}))
    return variants


def refuse_where_impossible(variants: Sequence[Variant], on: str, transport: str = "mpi") -> None:
    """Raises UsageError naming the first variant that the target cannot give what it asks for."""
    known = MECHANISMS[transport]
    for variant in variants:
        asked = variant.in_network
        if asked not in known:
            raise UsageError(
                f"variant '{variant.name}' of transport {transport} has in_network={asked}; "
                f"accepted: {', '.join(known)}"
            )
        why, offered = _OFFERS.get((transport, on), ("", known))
        if asked != "off" and asked not in offered:
            raise UsageError(
                f"variant '{variant.name}' asks for in_network={asked} on {on}, but {why}; "
                f"accepted there: {', '.join(('off', *offered))}"
            )


def trees_asked(variants: Sequence[Variant]) -> int:
    """Parallel trees that the launches of these variants need; 0 if none asks for a tree.

    Raises UsageError where a number is none.
    """
    most = 0
    for variant in variants:
        if variant.in_network != "tree":
            continue
        text = variant.settings.get("in_network_trees", "1")
        if not text.isdecimal() or int(text) < 1:
            raise UsageError(
                f"variant '{variant.name}' has in_network_trees={text}; accepted: 1 or more"
            )
        most = max(most, int(text))
    return most


def with_library(
    variants: Sequence[Variant], *, baseline: bool, transport: str = "mpi"
) -> list[Variant]:
    """The same variants, with the environment that the library needs for what they ask.

    `baseline`: put MPI's collective library without SHARP beside them (see sharp.py). Raises
    Incomplete where SHARP is asked of MPI and something it needs is missing; NCCL is not asked
    beforehand, its log and its profiler tell (nccl_log.py).
    """
    if transport == "nccl":
        return nccl.with_environment(variants)
    if not any(variant.in_network == "sharp" for variant in variants):
        return list(variants)
    library = sharp.library_on(sharp.look())
    prepared: list[Variant] = [library.baseline()] if baseline else []
    for variant in variants:
        if variant.in_network == "sharp":
            # What the user sets counts: forcing may be what they want to leave out.
            environment = library.environment | variant.environment
            prepared.append(variant.model_copy(update={"environment": environment}))
        else:
            prepared.append(variant)
    return prepared
