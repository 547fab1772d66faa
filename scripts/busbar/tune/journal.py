"""The journal of a search: a line for each ask with its answer, so that it can be gone on with.

A strategy asks the same whenever it is told the same, so going on is to run it again and to answer
from here until the lines are used up.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError

from busbar.errors import UsageError
from busbar.record.base import Count, Model, Name, NonNegative, Timestamp
from busbar.record.models import PointKey
from busbar.tune.ask import Ask
from busbar.tune.candidate import Candidate
from busbar.validation import describe


class Header(Model):
    """The first line: what is searched for."""

    type: Literal["search"] = "search"
    format: Literal["busbar search 1"] = "busbar search 1"
    command: list[str]
    started: Timestamp


class SystemLine(Model):
    """The system that the lines after it were measured on."""

    type: Literal["system"] = "system"
    fingerprint: Name
    versions: dict[str, str]
    nodes: int = Field(ge=1)
    fake: bool


class Answer(Model):
    """What one ask brought."""

    type: Literal["answer"] = "answer"
    point: PointKey | None
    """Under the default; null for the whole workload, whose samples are of launches."""
    environment: dict[str, str]
    """Of the launch, beyond what all launches have; of the search for a point."""
    samples: Count
    """Asked for, of each."""
    times_us: dict[str, list[NonNegative]]
    """By the candidate's name."""
    failed: dict[str, str]
    """Why, by the candidate's name. It is taken for endlessly slow."""
    seconds: NonNegative
    """That it took."""
    spent_seconds: NonNegative
    """Of the budget, when the answer was there."""

    def seen(self, ask: Ask) -> dict[Candidate, list[float]]:
        """The same by candidate. Raises UsageError if it answers another ask."""
        names = {candidate.name: candidate for candidate in ask.candidates}
        told = set(self.times_us) | set(self.failed)
        if set(names) != told or ask.samples != self.samples:
            raise UsageError(
                "this journal was written by another version of the search; start a new one."
            )
        seen = {names[name]: list(times) for name, times in self.times_us.items()}
        return seen | {names[name]: [float("inf")] * ask.samples for name in self.failed}


class Pruned(Model):
    """What was left out of the search for a point, as theory says that it cannot win."""

    type: Literal["pruned"] = "pruned"
    point: PointKey
    """Under the default."""
    environment: dict[str, str]
    least_us: dict[str, NonNegative]
    """By the candidate's name: microseconds that it cannot get below."""


Line = Header | SystemLine | Answer | Pruned
_Line = Annotated[Line, Field(discriminator="type")]
_LINE: TypeAdapter[Line] = TypeAdapter(_Line)
_Where = tuple[PointKey | None, tuple[tuple[str, str], ...]]


class SearchJournal:
    """Appends answers; those that were there already are taken first."""

    def __init__(self, path: Path, mode: str) -> None:
        self.path = path
        self.system: SystemLine | None = None
        """What was measured on; None before the first launch."""
        self.spent_seconds = 0.0
        self._known: dict[_Where, deque[Answer]] = {}
        self._pruned: dict[_Where, dict[str, float]] = {}
        try:
            self._file = path.open(mode)
        except FileExistsError:
            raise UsageError(
                f"{path} already exists: resume that search, or choose another --output."
            ) from None
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from None

    @classmethod
    def create(cls, path: Path, command: list[str], started: str) -> Self:
        """Begin one. Raises UsageError if the file is there already. `started` is UTC."""
        journal = cls(path, "xb")
        journal._append(Header(command=command, started=started))
        return journal

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Go on with one, less its torn last line. Raises UsageError if it cannot be read."""
        lines = read_lines(path)
        journal = cls(path, "r+b")
        journal._file.truncate(path.read_bytes().rfind(b"\n") + 1)
        journal._file.seek(0, os.SEEK_END)
        for line in lines[1:]:
            if isinstance(line, SystemLine):
                journal.system = line
            elif isinstance(line, Answer):
                journal._known.setdefault(_where(line.point, line.environment), deque()).append(
                    line
                )
                journal.spent_seconds = max(journal.spent_seconds, line.spent_seconds)
            elif isinstance(line, Pruned):
                journal._pruned[_where(line.point, line.environment)] = line.least_us
        return journal

    def known(self, point: PointKey | None, environment: dict[str, str]) -> Answer | None:
        """The next answer that was there before, once; None when they are used up."""
        answers = self._known.get(_where(point, environment))
        return answers.popleft() if answers else None

    def add(self, answer: Answer) -> None:
        """A new one, on disk when this returns as far as the process being killed goes."""
        self._append(answer)
        self.spent_seconds = answer.spent_seconds

    def note_pruned(self, found: Pruned) -> None:
        """What theory has ruled out for a point; nothing is written where it says so already."""
        where = _where(found.point, found.environment)
        if found.least_us != self._pruned.get(where, {}):
            self._append(found)
            self._pruned[where] = found.least_us

    def meet(self, found: SystemLine) -> None:
        """The system of a launch. Raises UsageError if the search's is another one."""
        if self.system is None:
            self._append(found)
            self.system = found
        elif self.system.fingerprint != found.fingerprint:
            raise UsageError(
                f"this system's fingerprint is {found.fingerprint}, the search's is "
                f"{self.system.fingerprint}: what was found on one says nothing of another; "
                "start a new search."
            )

    def _append(self, line: Model) -> None:
        self._file.write(line.model_dump_json().encode() + b"\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()


def read_command(path: Path) -> list[str]:
    """The command line that a search's journal holds. Raises UsageError if it cannot be read."""
    first = read_lines(path)[0]
    assert isinstance(first, Header)  # read_lines looked
    return first.command


def read_lines(path: Path) -> list[Line]:
    """All of them; a torn last one is left out. Raises UsageError if it is no search's journal."""
    try:
        whole = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    lines: list[Line] = []
    for number, text in enumerate(whole[: whole.rfind(b"\n") + 1].splitlines(), start=1):
        try:
            lines.append(_LINE.validate_json(text))
        except ValidationError as error:
            raise UsageError(f"{path} line {number}: {describe(error, None)}.") from None
    if not lines or not isinstance(lines[0], Header):
        raise UsageError(f"{path} is not the journal of a search.")
    return lines


def _where(point: PointKey | None, environment: dict[str, str]) -> _Where:
    return point, tuple(sorted(environment.items()))
