"""The text of a guessed fabric, and the file that it is written to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from busbar.errors import UsageError
from busbar.fabrics.guess import Guess


@dataclass(frozen=True)
class Written:
    """What a user is told of the new file."""

    extends: str
    unknown: str
    """What could not be told, in one sentence."""


def write_new(file: Path, guess: Guess) -> Written:
    """Write a new file. Raises UsageError if it is there, or is no name of a fabric file."""
    if file.suffix != ".toml":
        raise UsageError(f"{file} is no name of a fabric file; accepted is NAME.toml.")
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text_of(file.stem, guess))
    except FileExistsError:
        raise UsageError(f"{file} already exists: choose another name.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}.") from None
    return Written(guess.extends, _sentence(guess))


def text_of(name: str, guess: Guess) -> str:
    """The text of the file of a fabric of that name."""
    lines = [
        f"# {_sentence(guess)}",
        f"name = {_toml(name)}",
        f"description = {_toml(guess.description)}",
        f"extends = {_toml(guess.extends)}",
    ]
    for table, values in guess.tables.items():
        lines += ["", f"[{table}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    return "\n".join([*lines, ""])


def _sentence(guess: Guess) -> str:
    return f"It could not be told: {'; '.join(guess.unknown)}."


def _toml(value: Any) -> str:
    """A value in TOML, whose strings take all that JSON writes where letters stay as they are."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_toml(one)}' for key, one in value.items())} }}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, float) and value % 1e9 == 0:
        return f"{value / 1e9:.0f}e9"  # a rate, as people write it
    return repr(value)
