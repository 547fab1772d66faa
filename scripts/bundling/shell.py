"""Programs run for what they print."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bundling.errors import Incomplete


def printed(*words: str | Path, accepted: tuple[int, ...] = (0,)) -> str:
    """What the program wrote, in English. Raises Incomplete if it failed or is missing."""
    if shutil.which(words[0]) is None:
        raise Incomplete(f"{words[0]} is needed and not installed.")
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
    )
    if done.returncode not in accepted:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise Incomplete(f"{' '.join(map(str, words))} failed: {reason}")
    return done.stdout


def printed_or_none(*words: str | Path, accepted: tuple[int, ...] = (0,)) -> str | None:
    """What the program wrote, or None where it failed or is missing."""
    try:
        return printed(*words, accepted=accepted)
    except Incomplete:
        return None
