"""Lists of hosts as Slurm writes them: `host[1-4,7],gpu[01-16]n1`."""

from __future__ import annotations

import itertools
import re

_MOST = 1 << 16  # hosts of one list; keeps a slip of the hand such as [1-99999999] out of memory
_ITEM = re.compile(r"(?:[^,\[\]\s]|\[[^\[\]\s]*\])+")
_PIECE = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")


def expand(text: str) -> tuple[str, ...]:
    """The names, in order. Raises ValueError with half a sentence about what is wrong."""
    items = _ITEM.findall(text)
    if not items or ",".join(items) != text:
        raise ValueError(f"'{text}' is no list of names such as host[1-4,7],host9")
    names: list[str] = []
    for item in items:
        pieces = [_piece(match) for match in _PIECE.finditer(item)]
        count = 1
        for piece in pieces:
            count *= len(piece)
        if count + len(names) > _MOST:
            raise ValueError(f"'{text}' names more than {_MOST} hosts")
        names += ["".join(parts) for parts in itertools.product(*pieces)]
    return tuple(names)


def _piece(match: re.Match[str]) -> list[str]:
    if match[1] is None:
        return [match[2]]
    found: list[str] = []
    for part in match[1].split(","):
        ends = _RANGE.fullmatch(part)
        if ends is None:
            raise ValueError(f"'[{match[1]}]' is no list of numbers and ranges such as [1-4,7]")
        first, last = ends[1], ends[2] or ends[1]
        if int(last) < int(first):
            raise ValueError(f"range '{part}' falls, accepted are rising ones such as 1-4")
        if int(last) - int(first) >= _MOST:
            raise ValueError(f"range '{part}' names more than {_MOST} hosts")
        found += [str(n).zfill(len(first)) for n in range(int(first), int(last) + 1)]
    return found
