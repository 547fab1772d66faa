"""From record files to a report file: reading, naming, writing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from busbar.errors import UsageError
from busbar.fabrics import Fabric
from busbar.pairs.sites import Sites
from busbar.record.journal import SUFFIX
from busbar.record.load import load
from busbar.report.judge import judge
from busbar.report.page import Source, render
from busbar.report.rows import Judged


def read(
    paths: Sequence[Path], fabric: Fabric | None, sites: Sites | None = None
) -> tuple[list[Judged], list[Source]]:
    """The records, judged and named after their files. Raises UsageError."""
    if not paths:
        raise UsageError("no record given: accepted are one or more .json or .journal.jsonl files.")
    judged, sources = [], []
    for name, path in zip(_names(paths), paths, strict=True):
        record = load(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        judged.append(judge(name, record, fabric, sites))
        sources.append(Source(name, path.name, digest))
    return judged, sources


def write_page(judged: Sequence[Judged], sources: Sequence[Source], output: Path) -> None:
    """Write the page. Raises UsageError if it cannot be written."""
    try:
        output.write_text(render(judged, sources), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}.") from None


def _names(paths: Sequence[Path]) -> list[str]:
    """Names of the files without suffix; those that would be the same are numbered."""
    names: list[str] = []
    for path in paths:
        stem = path.name.removesuffix(SUFFIX).removesuffix(".json")
        used, name = 1, stem
        while name in names:
            used += 1
            name = f"{stem} ({used})"
        names.append(name)
    return names
