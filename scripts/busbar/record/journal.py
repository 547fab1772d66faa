"""The journal: one line per block, flushed as it arrives, folded into the record at the end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from busbar.errors import UsageError
from busbar.record.fold import fold
from busbar.record.lines import EndLine, JournalLine, RunLine, parse_line
from busbar.record.models import SCHEMA_VERSION, Run, RunRecord, RunStatus
from busbar.record.version import refuse_other_version

SUFFIX = ".journal.jsonl"


def journal_path(record_path: Path) -> Path:
    """Where the journal of the record `<name>.json` grows: `<name>.journal.jsonl` beside it."""
    return record_path.with_name(record_path.name.removesuffix(".json") + SUFFIX)


def record_path(journal: Path) -> Path:
    """Where the record of `<name>.journal.jsonl` goes: `<name>.json` beside it."""
    return journal.with_name(journal.name.removesuffix(SUFFIX) + ".json")


class JournalWriter:
    """Appends lines. A line is out of this process, though not on the disk, when `append` returns:
    it survives the process being killed, and costs no wait for the disk between two blocks.
    """

    def __init__(self, path: Path, mode: str) -> None:
        self.path = path
        try:
            self._file = path.open(mode)
        except FileExistsError:
            raise UsageError(
                f"{path} already exists: resume that run, or choose another name."
            ) from None
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from None

    @classmethod
    def create(cls, path: Path, run: Run) -> Self:
        """Begin the journal of a new run. Raises UsageError if the file is there already."""
        writer = cls(path, "xb")
        writer.append(RunLine(schema_version=SCHEMA_VERSION, run=run))
        return writer

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Go on with the journal of a killed run, less its torn last line.

        Raises UsageError if it cannot be read.
        """
        read_journal(path)
        writer = cls(path, "r+b")
        writer._file.truncate(_whole_bytes(path))
        writer._file.seek(0, os.SEEK_END)
        return writer

    def append(self, line: JournalLine) -> None:
        """Write one line and hand it to the operating system."""
        self._file.write(line.model_dump_json().encode() + b"\n")
        self._file.flush()

    def finish(self, status: RunStatus, finished: str) -> Path:
        """End the run: move the record into place at once, whole, and remove the journal.

        Returns the record's path. `finished` is a UTC timestamp.
        """
        self.append(EndLine(status=status, finished=finished))
        self.close()
        target = record_path(self.path)
        write_record(read_journal(self.path), target)
        self.path.unlink()
        return target

    def close(self) -> None:
        """Close the file and leave the journal where it is."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def write_record(record: RunRecord, path: Path) -> None:
    """Write a record so that `path` is at every moment either the old document or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(record.model_dump_json(indent=1).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from None


def read_journal(path: Path) -> RunRecord:
    """The record a journal adds up to so far; a torn last line is dropped.

    Raises UsageError naming the line that cannot be read.
    """
    try:
        return parse_journal(path, path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None


def parse_journal(path: Path, content: bytes) -> RunRecord:
    """The same of a content that has been read; `path` is what it is called in errors."""
    lines: list[JournalLine] = []
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):
        if number == 1:
            refuse_other_version(path, text)
        try:
            lines.append(parse_line(text))
        except UsageError as error:
            raise UsageError(f"{path} line {number}: {error}.") from None
    try:
        return fold(lines)
    except ValueError as error:
        raise UsageError(f"{path} is not a journal: {error}.") from None


def _whole_bytes(path: Path) -> int:
    """Length of a journal up to the end of its last whole line."""
    return path.read_bytes().rfind(b"\n") + 1
