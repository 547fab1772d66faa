"""Loads a fabric file: by name from the catalogue, or by path; with the files that it extends."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from busbar.documents import read_text
from busbar.errors import UsageError
from busbar.fabrics.inheritance import EXTENDS, WITHOUT, Document, Resolved, join
from busbar.fabrics.model import Fabric
from busbar.validation import describe

CATALOGUE = Path(__file__).resolve().parents[2] / "fabrics"
_CLOSE = 0.5
"""How alike a name is that a wrong one may have meant; 1 is the same."""


def names() -> list[str]:
    """Names of the fabrics in the catalogue."""
    return sorted(path.stem for path in CATALOGUE.glob("*.toml"))


def load(name_or_path: str) -> Fabric:
    """The fabric of that name in the catalogue, or in that file if the text ends in `.toml`.

    Raises UsageError, one sentence that names the file and the key, if it cannot be used.
    """
    path = find(name_or_path)
    return fabric_of(resolve(path).document, str(path))


def find(name_or_path: str) -> Path:
    """The file of the fabric of that name. Raises UsageError if the catalogue has none."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = CATALOGUE / f"{name_or_path}.toml"
        if name_or_path not in names():
            close = ", ".join(get_close_matches(name_or_path, names(), cutoff=_CLOSE))
            raise UsageError(
                f"fabric '{name_or_path}' is unknown: accepted are names that busbar fabrics list "
                f"shows, {f'such as {close}, ' if close else ''}and paths of .toml files."
            )
    return path


def read(path: Path) -> dict[str, Any]:
    """The document in a fabric file, not yet checked. Raises UsageError if it is not TOML."""
    text = read_text(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}.") from None


def resolve(path: Path) -> Resolved:
    """The document in a fabric file joined with those of the files it extends, not yet checked.

    Raises UsageError, one sentence that names the file, if one of them cannot be used.
    """
    files = _chain(path)
    _, joined = files[-1]
    for one, own in reversed(files[:-1]):
        try:
            joined = join(joined, own)
        except ValueError as error:
            raise UsageError(f"{one}: {error}.") from None
    return Resolved(dict(joined), tuple(files))


def fabric_of(document: Mapping[str, Any], origin: str) -> Fabric:
    """The fabric that a document describes. Raises UsageError that names the origin and the key."""
    try:
        return Fabric.model_validate(document)
    except ValidationError as error:
        raise UsageError(f"{origin}: {describe(error, Fabric)}.") from None


def _chain(path: Path) -> list[tuple[Path, Document]]:
    """The file and what it says, then the one that it extends, to one that extends none."""
    chain: list[tuple[Path, Document]] = [(path, read(path))]
    while (extended := _extended(*chain[-1])) is not None:
        last = chain[-1][0]
        if extended.resolve() in {one.resolve() for one, _ in chain}:
            raise UsageError(
                f"{last}: '{EXTENDS}' leads back to {extended}, accepted is a file that does not "
                "come from this one."
            )
        try:
            chain.append((extended, read(extended)))
        except UsageError as error:
            raise UsageError(f"{last}: '{EXTENDS}' fails, {error.message}") from None
    return chain


def _extended(path: Path, document: Document) -> Path | None:
    """The file that a file extends, if any: in the catalogue, or relative to its own folder."""
    if EXTENDS not in document:
        if WITHOUT in document:
            raise UsageError(f"{path}: '{WITHOUT}' has no meaning without '{EXTENDS}'.")
        return None
    name = document[EXTENDS]
    if isinstance(name, str) and name.endswith(".toml"):
        return path.parent / name
    if name in names():
        return CATALOGUE / f"{name}.toml"
    raise UsageError(
        f"{path}: '{EXTENDS}' is {name!r}, accepted are names that busbar fabrics list shows, and "
        "paths of .toml files relative to this one."
    )
