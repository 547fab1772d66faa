"""Reads a run record, or the journal of a run that has not ended."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from busbar.errors import UsageError
from busbar.record.journal import SUFFIX, parse_journal
from busbar.record.models import RunRecord
from busbar.record.version import refuse_other_version
from busbar.validation import describe


def load(path: Path) -> RunRecord:
    """The record in a `.json` file, or what a `.journal.jsonl` file adds up to so far.

    Raises UsageError, one sentence that names the file and the culprit, if it cannot be read.
    """
    return load_with_sha256(path)[0]


def load_with_sha256(path: Path) -> tuple[RunRecord, str]:
    """The same, with the hash of exactly the bytes that it was read from."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    return _parsed(path, text), hashlib.sha256(text).hexdigest()


def _parsed(path: Path, text: bytes) -> RunRecord:
    if path.name.endswith(SUFFIX):
        return parse_journal(path, text)
    refuse_other_version(path, text)
    try:
        return RunRecord.model_validate_json(text)
    except ValidationError as error:
        raise UsageError(f"{path} is not a run record: {describe(error, RunRecord)}.") from None
