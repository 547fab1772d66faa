"""Reduction inside the network as variants: who asks for it, how, and where it can be had.

A variant's setting `in_network` is `off` (as without it), `tree` (the engine's aggregators) or
`sharp` (the switches, through the MPI's collective library).
"""

from __future__ import annotations

from collections.abc import Sequence

from busbar.errors import UsageError
from busbar.launch import sharp
from busbar.record.models import Variant

MECHANISMS = ("off", "tree", "sharp")

_WORDS = ("off", "on", "tree", "sharp")
_NAME = {"tree": "in_network", "sharp": "sharp"}
"""What the variant is called that `--in-network` adds."""
_OFFERS = {
    "local": ("shared memory has no network", ()),
    "emulated": ("its switches have no SHARP", ("tree",)),
    "hostfile": ("", ("tree", "sharp")),
    "slurm": ("aggregators cannot be placed by srun yet", ("sharp",)),
}
"""Per target: why a mechanism is not to be had there, and those that are."""


def parse_in_network(text: str, on: str) -> list[str]:
    """The mechanisms that `off,on` asks for, each once; `on` is what the target has.

    Raises UsageError for words that are unknown.
    """
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in _WORDS:
            raise UsageError(
                f"unknown --in-network '{word}'; accepted: {', '.join(_WORDS)}, joined by commas"
            )
    default = "tree" if on in ("local", "emulated") else "sharp"
    return list(dict.fromkeys(default if word == "on" else word for word in words))


def with_mechanisms(named: Sequence[Variant], mechanisms: Sequence[str]) -> list[Variant]:
    """The run's variants: those named, with one more for each mechanism that is asked for.

    Without any named there is `default`, unless `off` is not asked for.
    """
    variants = list(named)
    if not variants and "off" in mechanisms:
        variants.append(Variant(name="default", settings={}, environment={}))
    for mechanism in mechanisms:
        if mechanism != "off":
            name, settings = _NAME[mechanism], {"in_network": mechanism}
            variants.append(Variant(name=name, settings=settings, environment={}))
    return variants


def refuse_where_impossible(variants: Sequence[Variant], on: str) -> None:
    """Raises UsageError naming the first variant that the target cannot give what it asks for."""
    for variant in variants:
        asked = variant.in_network
        if asked not in MECHANISMS:
            raise UsageError(
                f"variant '{variant.name}' has in_network={asked}; "
                f"accepted: {', '.join(MECHANISMS)}"
            )
        why, offered = _OFFERS.get(on, ("", MECHANISMS))
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


def with_library(variants: Sequence[Variant], *, baseline: bool) -> list[Variant]:
    """The same variants, those that ask for SHARP with what the library here needs for it.

    `baseline`: put the library without SHARP beside them (see sharp.py). Raises Incomplete where
    SHARP is asked for and something it needs is missing.
    """
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
