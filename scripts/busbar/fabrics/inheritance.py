"""How a fabric file that extends another is joined with it, one document with the other.

Tables are merged key by key, lists are replaced whole. So is a figure, a table with a `value`: a
number never stands under the source of another. For the same reason a number in a table that
states its source as a whole, such as the count in [node], brings a source of its own.

`without` in a file names the tables of the other that it does not have, such as switches that
reduce on a site where nothing was set up for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = Mapping[str, Any]

EXTENDS, WITHOUT = "extends", "without"
_ITS_OWN = ("name", "description", EXTENDS, WITHOUT)
"""What a file never has from another: it says what it is itself."""


@dataclass(frozen=True)
class Resolved:
    """A fabric file joined with those it extends."""

    document: dict[str, Any]
    files: tuple[tuple[Path, Document], ...]
    """The file itself and what it says, then the one that it extends, and so on."""

    def origin(self, keys: Sequence[str]) -> Path:
        """The file that states what is found under these keys, one table inside the other.

        Raises KeyError if none does.
        """
        for path, document in self.files:
            if _has(document, keys):
                return path
        raise KeyError(".".join(keys))


def join(inherited: Document, own: Document) -> dict[str, Any]:
    """What a file says, and where it says nothing what the one that it extends says.

    Raises ValueError, one sentence, for `without` something that is not there, and for a number
    that would stand under the source of another.
    """
    base = {key: value for key, value in inherited.items() if key not in _ITS_OWN}
    for name in _names(own):
        base = _without(base, name.split("."), name)
    return merge(base, {key: v for key, v in own.items() if key not in (EXTENDS, WITHOUT)})


def merge(base: Document, own: Document, where: str = "") -> dict[str, Any]:
    """Both, key by key, and `own` where both have one. `where` is the table, for messages.

    Raises ValueError, one sentence, for a number that would stand under the source of another.
    """
    if "source" in base and "source" not in own:
        for key, value in own.items():
            if not isinstance(value, Mapping | list) and value != base.get(key):
                raise ValueError(
                    f"[{where}] states '{key}' and inherits the source of another figure, accepted "
                    "is a 'source' of its own beside it"
                )
    if "source" in own and "value" in base and "value" not in own:
        raise ValueError(
            f"[{where}] states a 'source' and no 'value', accepted are both, as of every figure"
        )
    merged = dict(base)
    for key, value in own.items():
        before = base.get(key)
        inside = isinstance(before, Mapping) and isinstance(value, Mapping) and "value" not in value
        name = f"{where}.{key}" if where else key
        if name == "limits" and isinstance(before, list) and isinstance(value, list):
            merged[key] = [old for old in before if not any(_instead(new, old) for new in value)]
            merged[key] += value
            continue
        merged[key] = merge(before, value, name) if inside else value  # type: ignore[arg-type]
    if where and "source" in base and "source" in own:
        merged["source"] = _sources(base, own)
    return merged


def _sources(base: Document, own: Document) -> Any:
    """Of a table: its own, and for what it inherits that of the table it comes from."""
    inherited = [
        key
        for key, value in base.items()
        if key != "source" and key not in own and not isinstance(value, Mapping | list)
    ]
    if not inherited or own["source"] == base["source"]:
        return own["source"]
    return f"{own['source']}; {', '.join(inherited)}: {base['source']}"


def _instead(new: Any, old: Any) -> bool:
    """Whether one limit takes the place of another: of the same row, and wherever it holds."""
    if not isinstance(new, Mapping) or not isinstance(old, Mapping):
        return True  # which is refused with what the list holds

    def row(limit: Document) -> tuple[Any, Any]:
        return limit.get("op"), limit.get("variant", "default")

    return row(new) == row(old) and new.get("domains") in (None, old.get("domains"))


def _names(own: Document) -> Iterator[str]:
    names = own.get(WITHOUT, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"'{WITHOUT}' is {names!r}, accepted is a list of names of tables")
    yield from names


def _without(base: Document, keys: Sequence[str], name: str) -> dict[str, Any]:
    if not isinstance(base, Mapping) or keys[0] not in base:
        raise ValueError(
            f"'{WITHOUT}' names '{name}', accepted are tables of the fabric it extends"
        )
    left = dict(base)
    if len(keys) == 1:
        del left[keys[0]]
    else:
        left[keys[0]] = _without(base[keys[0]], keys[1:], name)
    return left


def _has(document: Any, keys: Sequence[str]) -> bool:
    for key in keys:
        if not isinstance(document, Mapping) or key not in document:
            return False
        document = document[key]
    return True
