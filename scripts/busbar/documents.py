"""TOML documents that a model describes: what ships with Busbar by name, and users' own files."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from busbar.errors import UsageError
from busbar.validation import describe

M = TypeVar("M", bound=BaseModel)


def read_text(path: Path) -> str:
    """What is in a file. Raises UsageError, one sentence that names it, if that is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text, which such a file is.") from None


def parse(model: type[M], text: str, origin: str) -> M:
    """What a TOML document describes. Raises UsageError that names the origin and the key."""
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{origin} is not TOML: {error}.") from None
    except ValidationError as error:
        raise UsageError(f"{origin}: {describe(error, model)}.") from None


@dataclass(frozen=True)
class Shipped(Generic[M]):
    """Documents of one kind in a folder of the package, called by their names."""

    kind: str
    """As messages call one: `plan`."""
    folder: Path
    model: type[M]

    def names(self) -> list[str]:
        """Of those that come with Busbar."""
        return sorted(path.stem for path in self.folder.glob("*.toml"))

    def load(self, name_or_path: str) -> M:
        """One by its name, or the one in a `.toml` file.

        Raises UsageError, one sentence that names the file and the key, where it cannot be used.
        """
        path = Path(name_or_path)
        if path.suffix != ".toml":
            if name_or_path not in self.names():
                raise UsageError(
                    f"{self.kind} '{name_or_path}' is unknown: accepted are "
                    f"{', '.join(self.names())}, or the path of a .toml file."
                )
            path = self.folder / f"{name_or_path}.toml"
        return parse(self.model, read_text(path), str(path))
