"""Fields that several kinds of documents have, checked in one place."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from busbar.errors import UsageError
from busbar.theory.operations import OPERATIONS
from busbar.units import parse_size


def _known_operation(name: str) -> str:
    if name not in OPERATIONS:
        raise ValueError(f"operation '{name}' is unknown, accepted: {', '.join(OPERATIONS)}")
    return name


def size_text(text: str) -> str:
    """The text, if it is a size; else raises ValueError, as validators do."""
    try:
        parse_size(text)
    except UsageError as error:
        raise ValueError(error.message.removesuffix(".")) from None
    return text


OperationName = Annotated[str, AfterValidator(_known_operation)]
"""An operation that theory knows."""
SizeText = Annotated[str, AfterValidator(size_text)]
"""Bytes as people write them, such as `64K`; `parse_size` takes it."""
