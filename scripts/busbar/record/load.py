"""Reads a run record, or the journal of a run that has not ended."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from busbar.errors import UsageError
from busbar.record.journal import SUFFIX, read_journal
from busbar.record.models import RunRecord
from busbar.record.version import refuse_other_version
from busbar.validation import describe


def load(path: Path) -> RunRecord:
    """The record in a `.json` file, or what a `.journal.jsonl` file adds up to so far.

    Raises UsageError, one sentence that names the file and the culprit, if it cannot be read.
    """
    if path.name.endswith(SUFFIX):
        return read_journal(path)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    refuse_other_version(path, text)
    try:
        return RunRecord.model_validate_json(text)
    except ValidationError as error:
        raise UsageError(f"{path} is not a run record: {describe(error, RunRecord)}.") from None
