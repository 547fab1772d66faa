"""What an examination says of hosts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Severity(StrEnum):
    """How much a finding harms a measurement."""

    SPOILS = "spoils"
    """Figures would not be those of the hardware."""
    DOUBTFUL = "doubtful"
    """Figures may suffer; it depends on what is measured."""
    NOTE = "note"
    """Good to know when figures are read."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be."""

    severity: Severity
    what: str
    why: str
    """Why it matters, in one sentence."""
    mend: str
    """One sentence or command."""
    source: str
    """Of the rule or its threshold."""
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unchecked:
    """A check that could not be made: never a pass."""

    reason: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inapplicable:
    """A check that has nothing to look at."""

    reason: str
    hosts: tuple[str, ...] = ()


Said: TypeAlias = Finding | Unchecked | Inapplicable
