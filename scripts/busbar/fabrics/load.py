"""Loads a fabric file: by name from the catalogue, or by path."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from busbar.errors import UsageError
from busbar.fabrics.model import Fabric
from busbar.validation import describe

CATALOGUE = Path(__file__).resolve().parents[2] / "fabrics"


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
    return fabric_of(read(path), str(path))


def read(path: Path) -> dict[str, Any]:
    """The document in a fabric file, not yet checked. Raises UsageError if it is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}.") from None


def fabric_of(document: Mapping[str, Any], origin: str) -> Fabric:
    """The fabric that a document describes. Raises UsageError that names the origin and the key."""
    try:
        return Fabric.model_validate(document)
    except ValidationError as error:
        raise UsageError(f"{origin}: {describe(error, Fabric)}.") from None
