"""Which schema versions this Busbar reads."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ValidationError

from busbar.errors import UsageError
from busbar.record.models import SCHEMA_VERSION

_SEMVER = re.compile(r"(\d+)\.(\d+)\.(\d+)")


class _Versioned(BaseModel):
    schema_version: str


def refuse_other_version(path: Path, text: bytes) -> None:
    """Raise UsageError if `text`, a JSON object, names a schema version that is not read here.

    Checked before the rest, because in a newer document the rest looks full of unknown fields.
    Text without a version is left for the caller to refuse.
    """
    try:
        found = _Versioned.model_validate_json(text).schema_version
    except ValidationError:
        return
    ours = [int(part) for part in SCHEMA_VERSION.split(".")]
    match = _SEMVER.fullmatch(found)
    if match is None or int(match[1]) != ours[0] or int(match[2]) > ours[1]:
        raise UsageError(
            f"{path} has schema_version {found!r}: accepted are {ours[0]}.0 to {SCHEMA_VERSION}."
        )
