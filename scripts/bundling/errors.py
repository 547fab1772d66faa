"""What stops the packing."""

from __future__ import annotations


class UsageError(Exception):
    """Something asked for that cannot be done: one sentence, exit code 2."""


class Incomplete(Exception):
    """Something is missing here: one sentence, exit code 3."""
