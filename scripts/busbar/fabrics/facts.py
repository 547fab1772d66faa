"""What a fabric file states, one fact after the other, with the source of each and its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from busbar.fabrics.inheritance import Resolved
from busbar.units import format_rate, format_time_us

_HEADINGS = ("name", "description", "kind")
_ELSEWHERE = ("sweep", "limits")
"""What is no fact about hardware."""
_WHY = ("source", "reason")

_UNITS: dict[str, Callable[[float], str]] = {
    "_bps": format_rate,
    "_gbs": lambda value: f"{value:g} GB/s",
    "_bytes": lambda value: f"{value:g} bytes",
    "_us": format_time_us,
    "in_network.rate": format_rate,
    "reduction.gbs": lambda value: f"{value:g} GB/s",
}
"""By the end of a key."""


@dataclass(frozen=True)
class Fact:
    """A figure of a fabric file, or the plain values of one of its tables together."""

    key: str
    """Where it stands, such as `nic.rate_bps`, or `nic`; of a list with its place, `tier[1]`."""
    value: str
    """With its unit."""
    source: str | None
    """None where none is asked for, as of names."""
    files: tuple[Path, ...]
    """That state it: the fabric's own, or those it extends."""


def facts(resolved: Resolved) -> Iterator[Fact]:
    """What a fabric's tables state, in the order of the joined document."""
    for key, value in resolved.document.items():
        if key in _HEADINGS or key in _ELSEWHERE:
            continue
        if isinstance(value, list):
            # Lists are never joined: the file that has the list has all of it.
            file = resolved.origin([key])
            for number, item in enumerate(value, start=1):
                yield from _of_table(item, f"{key}[{number}]", lambda _, file=file: file)  # type: ignore[misc]
        elif isinstance(value, Mapping):
            yield from _of_table(value, key, lambda where: resolved.origin(where.split(".")))


def _of_table(table: Mapping[str, Any], where: str, file: Callable[[str], Path]) -> Iterator[Fact]:
    why = next((table[key] for key in _WHY if key in table), None)
    plain = {k: v for k, v in table.items() if not isinstance(v, Mapping) and k not in _WHY}
    if plain:
        text = ", ".join(f"{key} {_word(value)}" for key, value in plain.items())
        files = dict.fromkeys(file(f"{where}.{key}") for key in plain)
        yield Fact(where, text, why, tuple(files))
    for key, value in table.items():
        name = f"{where}.{key}"
        if isinstance(value, Mapping) and "value" in value:
            text = _with_unit(name, value["value"])
            yield Fact(name, text, value.get("source"), (file(name),))
        elif isinstance(value, Mapping):
            yield from _of_table(value, name, file)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _with_unit(name: str, value: float) -> str:
    for ending, text in _UNITS.items():
        if name.endswith(ending):
            return text(value)
    return f"{value:g}"
