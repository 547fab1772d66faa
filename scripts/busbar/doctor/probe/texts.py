"""Values in the texts of the kernel; null for what is not one."""

from __future__ import annotations

import re


def word(text: str | None) -> str | None:
    return text.split()[0] if text and text.split() else None


def number(text: str | None) -> float | None:
    try:
        found = float(text) if text is not None else None
    except ValueError:
        return None
    return found if found is not None and abs(found) < 1e18 else None


def integer(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,18}", text) else None


def field(text: str | None, name: str) -> str | None:
    found = re.search(rf"^{re.escape(name)}\s*:\s*(.*?)\s*$", text or "", re.M)
    return found.group(1) if found else None
