"""Errors that end a command: one sentence for the user, and the exit code that goes with it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every Busbar program."""

    HOLDS = 0
    """Everything that was asked holds."""
    NEGATIVE = 1
    """The verdict is negative: below its limit, a regression, wrong data."""
    USAGE = 2
    """Bad usage, or an input that cannot be read."""
    INCOMPLETE = 3
    """Something required was not measured, or not well enough to tell."""
    HANG = 4
    """An operation or a launch did not end before its deadline."""


class BusbarError(Exception):
    """A failure the user is told about in one sentence; the command ends with `exit_code`."""

    exit_code = ExitCode.NEGATIVE

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UsageError(BusbarError):
    """The input is wrong: the message names the culprit and says what is accepted."""

    exit_code = ExitCode.USAGE


class Incomplete(BusbarError):
    """Something required could not be measured or judged."""

    exit_code = ExitCode.INCOMPLETE
