"""What every data model of the record shares: its strictness and its small types."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

Name = Annotated[str, Field(min_length=1)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Timestamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")]
"""UTC, such as 2026-01-01T00:00:00.000Z."""
Interval = Annotated[tuple[float, float], Field(strict=False)]
"""Lower and upper limit; JSON has no tuples, so a list of two is taken."""

Scalar = str | int | float | bool | None
Json = TypeAliasType("Json", "Scalar | list[Json] | dict[str, Json]")
"""Not pydantic's JsonValue, which lets NaN through."""


class Model(BaseModel):
    """Base of everything in a record: unknown fields, NaN and changes of type are refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )
