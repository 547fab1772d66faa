"""Which tool wrote a file, and reading it accordingly."""

from __future__ import annotations

import re
from pathlib import Path

from busbar.errors import UsageError
from busbar.importers import nccl_tests_json, nccl_tests_text, osu_text
from busbar.importers.printout import Reading, Source

_NCCL_TESTS = re.compile(
    r"# [nr]ccl-tests version |# nThread \d|# NCCL Tests compiled |# Collective test starting: |"
    r"#\s+(size\s+count|bytes\s+N)\s+type\b"
)
_OSU = re.compile(r"# OSU ")
ACCEPTED = "text of nccl-tests, its JSON (-J), or text of the OSU micro-benchmarks"


def read(source: Source, op: str | None) -> Reading:
    """What a file says; `op` for text that does not name its operation.

    Raises UsageError naming the file and its line, if it is nothing known or cannot be read.
    """
    if source.text.lstrip().startswith("{"):
        return nccl_tests_json.read(source, op)
    lines = source.lines()
    of_nccl = any(_NCCL_TESTS.match(line) for line in lines)
    of_osu = any(_OSU.match(line) for line in lines)
    if of_nccl and of_osu:
        raise source.refuse("output of nccl-tests and of OSU in one; accepted is one tool a file.")
    if of_nccl:
        return nccl_tests_text.read(source, op)
    if of_osu:
        if op is not None:
            raise source.refuse("OSU's output names its operation; --op is for nccl-tests' text.")
        return osu_text.read(source)
    raise source.refuse(f"not known here; accepted are {ACCEPTED}.")


def load(path: Path) -> tuple[Source, bytes]:
    """A file's text and bytes. Raises UsageError if it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    return Source(str(path), content.decode("utf-8", "replace")), content
