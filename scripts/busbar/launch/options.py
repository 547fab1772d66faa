"""What `busbar run` was asked for, checked and in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast, get_args

from busbar.errors import UsageError
from busbar.launch.in_network import with_mechanisms
from busbar.launch.patterns import Pattern
from busbar.launch.slots import Observe
from busbar.record.key import Group, Split
from busbar.record.models import Stopping, Variant, Warmup

ENVIRONMENT_PREFIXES = (
    "NCCL_", "UCX_", "OMPI_MCA_", "SHARP_", "HCOLL_", "UCC_", "OMPI_UCC_", "SMPI_",
)  # fmt: skip
"""Settings that a library reads once, when its process starts: such a variant needs fresh ones."""


@dataclass(frozen=True)
class SweepOptions:
    """Which points: every combination of these."""

    operations: list[str]
    min_bytes: int
    max_bytes: int
    factor: int = 2
    datatypes: list[str] = field(default_factory=lambda: ["float"])
    redops: list[str] = field(default_factory=lambda: ["sum"])
    root: int = 0
    in_place: str = "out"
    timings: list[str] = field(default_factory=lambda: ["isolated"])
    nodes: list[int] = field(default_factory=list)
    """Also on so many of the first hosts; on all hosts in any case."""
    splits: list[Split | None] = field(default_factory=lambda: [None])
    """As one communicator, or in several side by side."""
    pattern: Pattern | None = None
    """Groups and roots are the pattern's, not those of `nodes`, `splits` and `root`."""
    graph: bool = False
    """Captured once as a graph and launched as a whole; on GPUs."""
    registrations: list[str] = field(default_factory=lambda: ["none"])
    """What the library is told of the buffers beforehand."""
    sizes: Sequence[int] | None = None
    """In bytes, in place of the sweep from `min_bytes` to `max_bytes`."""
    groups: Sequence[Group] | None = None
    """In place of those that `nodes`, `splits` or the pattern give; roots stay the pattern's."""


@dataclass(frozen=True)
class MeasureOptions:
    """How each point is measured."""

    variants: list[Variant]
    launches: int
    stopping: Stopping
    warmup: Warmup
    rest_us: float
    deadline_seconds: float
    init_deadline_seconds: float
    seed: int
    observe: Observe


def parse_variant(text: str) -> Variant:
    """The variant that `ring:coll_tuned_allreduce_algorithm=4` describes.

    Keys that look like environment variables of a library make it one of fresh processes.
    Raises UsageError for anything else.
    """
    name, _, rest = text.partition(":")
    settings: dict[str, str] = {}
    environment: dict[str, str] = {}
    for pair in filter(None, rest.split(",")):
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(
                f"'{pair}' in variant '{text}' is no KEY=VALUE; accepted: NAME:KEY=VALUE,KEY=VALUE"
            )
        if key.isupper() and not key.startswith(ENVIRONMENT_PREFIXES):
            raise UsageError(
                f"unknown variant key '{key}'; accepted environment variables begin with "
                + ", ".join(ENVIRONMENT_PREFIXES)
            )
        (environment if key.startswith(ENVIRONMENT_PREFIXES) else settings)[key] = value
    if not name:
        raise UsageError(f"variant '{text}' has no name; accepted: NAME:KEY=VALUE,KEY=VALUE")
    return Variant(name=name, settings=settings, environment=environment)


def parse_variants(
    texts: Sequence[str], mechanisms: Sequence[str] = ("off",), transport: str = "mpi"
) -> list[Variant]:
    """All variants: those described, and one for each in-network mechanism that is asked for.

    Raises UsageError where two share a name.
    """
    variants = with_mechanisms([parse_variant(text) for text in texts], mechanisms, transport)
    names = [variant.name for variant in variants]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two variants are called '{name}'; each needs a name of its own")
    return variants


def parse_splits(text: str) -> list[Split | None]:
    """The words of `none,node,index`, each once. Raises UsageError for anything else."""
    known: dict[str, Split | None] = {"none": None, "node": "node", "index": "index"}
    words = list(dict.fromkeys(word.strip() for word in text.split(",")))
    for word in words:
        if word not in known:
            raise UsageError(f"unknown --split '{word}'; accepted: {', '.join(known)}")
    return [known[word] for word in words]


def parse_observe(text: str | None, default: Observe = "largest") -> Observe:
    """Which points untimed launches look at. Raises UsageError for anything else."""
    if text is None:
        return default
    for known in get_args(Observe):
        if text == known:
            return cast(Observe, known)
    raise UsageError(f"unknown --observe '{text}'; accepted: {', '.join(get_args(Observe))}")


_ELLIPSES = ("…", "...")
_MOST_NODE_COUNTS = 1024  # far more than anybody measures; keeps 1,2,…,10**9 out of memory


def parse_nodes(text: str) -> list[int]:
    """The numbers of `2,3,4`, each once, rising; `4,8,…,64` goes on as the two before it begin.

    It goes on by their ratio where that is whole and ends at the number after it, else by their
    difference where that does. Raises UsageError for anything else.
    """
    numbers: list[int] = []
    words = [word.strip() for word in text.split(",")]
    for place, word in enumerate(words):
        if word in _ELLIPSES:
            end = words[place + 1] if place + 1 < len(words) else ""
            numbers += _continued(text, numbers, end)
        elif not _is_number_of_hosts(word):
            raise UsageError(
                f"--nodes '{text}': '{word}' is no number of hosts; accepted: 2,3,4 or 4,8,…,64"
            )
        else:
            numbers.append(int(word))
    return sorted(set(numbers))


def _is_number_of_hosts(word: str) -> bool:
    return word.isdecimal() and int(word) >= 1


def _continued(text: str, before: Sequence[int], word: str) -> list[int]:
    """What an ellipsis stands for, between the numbers before it and the word after it."""
    if len(before) < 2 or not _is_number_of_hosts(word):
        raise UsageError(
            f"--nodes '{text}': an ellipsis stands between two numbers and the last one; "
            "accepted: 4,8,…,64"
        )
    first, second, end = *before[-2:], int(word)
    if first < second <= end:
        if second % first == 0 and (found := _geometric(second, second // first, end)):
            return found
        if (end - second) % (second - first) == 0:
            found = list(range(second, end + 1, second - first)[:_MOST_NODE_COUNTS])
            if found[-1] == end:
                return found
    raise UsageError(
        f"--nodes '{text}': {first},{second},… ends at {end} neither by steps of their ratio, "
        f"a whole one, nor of their difference, within {_MOST_NODE_COUNTS} numbers; accepted: "
        "4,8,…,64 or 4,6,…,12"
    )


def _geometric(start: int, ratio: int, end: int) -> list[int]:
    """From `start` to `end`, each `ratio` times the one before; empty where it misses the end."""
    found = [start]
    while found[-1] < end:
        found.append(found[-1] * ratio)
    return found if found[-1] == end else []
