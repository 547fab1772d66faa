"""The terminal that commands print to."""

from __future__ import annotations

from rich.console import Console

_LOG_WIDTH = 120
"""Columns where there is no terminal: a log is read in an editor, and tables must not be cut."""


def console() -> Console:
    """As wide as the terminal, or wide enough for our tables where there is none."""
    found = Console()
    return found if found.is_terminal else Console(width=max(_LOG_WIDTH, found.width))
