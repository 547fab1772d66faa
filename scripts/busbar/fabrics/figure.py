"""A number with its source, of which every table of a fabric file is made."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    """A table of a fabric file: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Figure(Part):
    """A number, and where it comes from."""

    value: float = Field(gt=0)
    source: Name


class Share(Figure):
    """A part of a whole, and where that comes from."""

    value: float = Field(gt=0, le=1)
