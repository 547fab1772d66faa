"""A document in lines of one length, so that launchers can mix the output of several processes.

mpirun forwards what it finds, at most 4096 bytes at once, and cuts lines where more than that has
piled up. So lines come in small lots with pauses, all of them twice; of a line that was cut the
checksum says so.
"""

from __future__ import annotations

import base64
import json
import os
import time
import zlib
from collections.abc import Iterable
from typing import Any

FRAME_BYTES = 512
_MARK = "busbar-probe"
_LOT = 4  # lines: half of what mpirun forwards at once
_PAYLOAD = 440  # leaves room for the mark and four numbers


def frames_of(document: dict[str, Any], sender: str) -> list[bytes]:
    """The lines; `sender` is without blanks and differs from process to process."""
    packed = base64.b64encode(zlib.compress(json.dumps(document).encode())).decode()
    parts = [packed[i : i + _PAYLOAD] for i in range(0, len(packed), _PAYLOAD)]
    lines = []
    for index, part in enumerate(parts):
        head = f"{_MARK} {sender} {index} {len(parts)} {zlib.crc32(part.encode())} "
        lines.append((head + part).ljust(FRAME_BYTES - 1).encode() + b"\n")
    return lines


def documents_in(text: str) -> tuple[list[dict[str, Any]], int]:
    """The whole documents among the lines of a launch, and how many came in part only."""
    senders: dict[str, dict[int, str]] = {}
    counts: dict[str, int] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) != 6 or words[0] != _MARK or not _is_whole(words):
            continue
        senders.setdefault(words[1], {})[int(words[2])] = words[5]
        counts[words[1]] = int(words[3])
    whole = [parts for sender, parts in senders.items() if len(parts) == counts[sender]]
    return [_unpack(parts) for parts in whole], len(senders) - len(whole)


def _is_whole(words: Iterable[str]) -> bool:
    _, _, index, count, check, part = words
    numbers = index.isdecimal() and count.isdecimal() and check.isdecimal()
    return numbers and zlib.crc32(part.encode()) == int(check)


def _unpack(parts: dict[int, str]) -> dict[str, Any]:
    packed = "".join(parts[index] for index in sorted(parts))
    document: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(packed)))
    return document


def write_frames(lines: list[bytes], descriptor: int = 1, pause_seconds: float = 0.02) -> None:
    """All lines, twice, in lots that a launcher can forward at once; a pipe takes each whole."""
    for index, line in enumerate([*lines, *lines]):
        if index % _LOT == 0:
            time.sleep(pause_seconds)
        os.write(descriptor, line)
