"""What a candidate is called where people read, and which algorithm theory takes it for."""

from __future__ import annotations

from busbar.theory.scaling import is_known
from busbar.tune.candidate import DEFAULT_NAME, Candidate
from busbar.tune.space import PointSpace, Value
from busbar.units import format_size

_BYTES_FROM = 4096
"""Whole numbers from here on are bytes in every space, and are read as such."""


def spoken(space: PointSpace, candidate: Candidate) -> str:
    """`segmented ring, segment 64K`: by the library's own names for values, where it has any."""
    if not candidate.values:
        return DEFAULT_NAME
    known = {setting.name: setting for setting in space.settings}
    words = []
    for name, value in candidate.values:
        found = _value(space, name, value)
        if found is not None and found.label:
            words.append(found.label)
        else:
            short = known[name].short if name in known else ""
            words.append(f"{short or name} {_readable(value)}")
    return ", ".join(words)


def algorithm_of(space: PointSpace, op: str, candidate: Candidate) -> str | None:
    """The name under which `theory.scaling` knows how it grows with the ranks; None if it does not.

    A label names the algorithm; a model without one does, as the label would say the same.
    """
    for name, text in candidate.values:
        value = _value(space, name, text)
        algorithm = (value.label or value.model) if value is not None else None
        if algorithm is not None and is_known(op, algorithm):
            return algorithm
    return None


def _value(space: PointSpace, name: str, text: str) -> Value | None:
    values = (v for setting in space.settings if setting.name == name for v in setting.values)
    return next((value for value in values if value.value == text), None)


def _readable(value: str) -> str:
    return format_size(int(value)) if value.isdecimal() and int(value) >= _BYTES_FROM else value
