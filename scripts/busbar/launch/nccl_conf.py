"""NCCL's configuration files: what they set, and whether that is a variant's to decide.

NCCL reads $NCCL_CONF_FILE if that is set, else ~/.nccl.conf, and then /etc/nccl.conf; the
environment goes before all of them. One NAME=VALUE a line, `#` in the first column comments.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from pathlib import Path

from busbar.errors import UsageError
from busbar.launch.nccl import decided_by_variants
from busbar.record.models import Variant


def read_here(
    environment: Mapping[str, str] = os.environ,
    etc: Path = Path("/etc"),
    home: Path | None = None,
) -> dict[str, str]:
    """Per name the file of this machine that sets it; the one that NCCL heeds."""
    # From the user database, as NCCL has it, not from $HOME.
    own = (home or Path(pwd.getpwuid(os.getuid()).pw_dir)) / ".nccl.conf"
    chosen = environment.get("NCCL_CONF_FILE")
    files = [Path(chosen) if chosen else own, etc / "nccl.conf"]
    text = "".join(f"# {file}\n{_text(file)}\n" for file in files if file.is_file())
    return names_in(text)


def names_in(text: str | None) -> dict[str, str]:
    """The same of a launch's `nccl_conf`: each file's lines below a comment with its path."""
    names: dict[str, str] = {}
    file = "nccl.conf"
    for line in (text or "").splitlines():
        if line.startswith("# /"):
            file = line.removeprefix("# ")
        elif "=" in line and not line.startswith("#"):
            names.setdefault(line.partition("=")[0], file)
    return names


def refuse_decided(variants: Sequence[Variant], names: Mapping[str, str]) -> None:
    """Raises UsageError for a name that a file sets for all variants and one of them decides."""
    for name, variant in decided_by_variants(variants).items():
        if name in names:
            raise UsageError(
                f"{name} is set in {names[name]} for every launch, but variant '{variant}' decides "
                "it; accepted is a file without it."
            )


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read ({error.strerror}), and NCCL may find settings in it; accepted "
            "is a file that can be read, or none"
        ) from None
