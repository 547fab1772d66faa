"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Replace the file by one with this text. Raises OSError where that is not possible."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    new = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        new.chmod(0o644)  # of a temporary file it is 0600, and other users run programs, too
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
