"""What rows are called."""

from __future__ import annotations

from busbar.record.key import PointKey
from busbar.units import format_size


def label(key: PointKey) -> str:
    """A row's name for people: what differs from the usual is appended."""
    return " ".join([key.op, format_size(key.size_bytes), key.variant, *_unusual(key)])


def point_label(key: PointKey) -> str:
    """The same without the variant, for what compares variants."""
    return " ".join([key.op, format_size(key.size_bytes), *_unusual(key)])


def distinct(key: PointKey) -> str:
    """What tells rows of one name apart: their ranks, and where these were."""
    nodes = "" if key.group.nodes is None else f" on {key.group.nodes} nodes"
    return f"ranks {key.group.ranks}{nodes}"


def manner(key: PointKey) -> list[str]:
    """What it is of and how it is carried out, where that is not the usual; no root, no ranks."""
    return [*_of_what(key), *_how(key)]


def _unusual(key: PointKey) -> list[str]:
    root = [f"root {key.root}"] if key.root else []
    group = [f"group {key.group.name}"] if key.group.name != "all" else []
    return [*_of_what(key), *root, *_how(key), *group]


def _of_what(key: PointKey) -> list[str]:
    parts = [key.datatype] if key.datatype != "float" else []
    parts += [key.redop] if key.redop not in (None, "sum") else []
    return parts


def _how(key: PointKey) -> list[str]:
    parts = ["in place"] if key.in_place else []
    parts += ["graph"] if key.graph else []
    parts += [f"{key.registration} buffers"] if key.registration != "none" else []
    parts += [key.timing] if key.timing != "isolated" else []
    return parts
