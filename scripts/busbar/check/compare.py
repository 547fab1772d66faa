"""Rows held against theory, their neighbours and their mirrors, all of a record together."""

from __future__ import annotations

from collections.abc import Sequence

from busbar.check.discovery import controlled
from busbar.check.measured import Measured, against_theory
from busbar.check.monotony import dips
from busbar.check.result import RowResult
from busbar.check.symmetry import asymmetries
from busbar.check.thresholds import Thresholds


def compared(
    rows: Sequence[RowResult], found: Sequence[Measured], thresholds: Thresholds
) -> tuple[RowResult, ...]:
    """The rows with what figures convict them of; `found` are those of them that have times."""
    claims = [
        *against_theory(rows, found),
        *dips(found, thresholds.dip),
        *asymmetries(found, thresholds.apart),
    ]
    return controlled(rows, claims)
