"""Turns a failed validation into one sentence: where, what is there, what is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

_SHOWN = 60  # characters of a culprit worth quoting


def describe(error: ValidationError, model: type[BaseModel] | None) -> str:
    """The first problem of `error`, found while reading a `model`, without a final stop.

    Without a model, the fields that are accepted in the place of an unknown one are not named.
    """
    problems = error.errors(include_url=False)
    # An unknown field often makes a known one look missing: name the cause, not its effect.
    first = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    where, kind = _path(first["loc"]), first["type"]
    if kind == "json_invalid":
        return f"not JSON ({first['ctx']['error']}), a whole document is accepted"
    if kind == "extra_forbidden":
        accepted = ", ".join(_fields_at(model, first["loc"][:-1])) if model else ""
        return f"unknown field '{where}'" + (f", accepted there: {accepted}" if accepted else "")
    if kind == "missing":
        return f"field '{where}' is missing, it is required"
    if kind == "value_error":
        return f"'{where}': {first['ctx']['error']}" if where else str(first["ctx"]["error"])
    message = first["msg"][0].lower() + first["msg"][1:]
    return f"'{where}' is {_quote(first['input'])}: {message}"


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _quote(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Names of the fields that the model at `location` inside `model` has."""
    for part in location:
        if isinstance(part, int) or part not in model.model_fields:
            continue
        inner = next(_models_in(model.model_fields[part].annotation), None)
        if inner is None:
            break
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
