"""Headers and compilers out of Python packages, kept in a folder of the user's."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

KEPT = {"bin", "include", "nvvm"}
"""Folders of a package that compiling takes; libraries of hundreds of MB stay behind."""


class NotFetched(Exception):
    """A package cannot be had."""


def fetched(cache: Path, name: str, requirements: list[str]) -> Path:
    """The packages' files, laid over each other as in one installation. Raises NotFetched."""
    folder = cache / name
    if not folder.is_dir():
        print(f"fetching {', '.join(requirements)}", file=sys.stderr)
        partial = cache / f"{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        for requirement in requirements:
            with TemporaryDirectory(dir=cache) as wheels:
                _download(requirement, Path(wheels))
                for wheel in Path(wheels).glob("*.whl"):
                    _unpack(wheel, partial)
        partial.rename(folder)
    return folder


def _download(requirement: str, to: Path) -> None:
    words = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    words += ["--no-deps", "--only-binary", ":all:", "-d", str(to), requirement]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise NotFetched(f"{requirement}: {reason}")


def _unpack(wheel: Path, folder: Path) -> None:
    """What lies below the first folder that is kept, wherever in the package that is."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            parts = PurePosixPath(member.filename).parts
            start = next((i for i, part in enumerate(parts) if part in KEPT), None)
            if member.is_dir() or start is None:
                continue
            target = folder.joinpath(*parts[start:])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(member))
            if "bin" in parts:
                target.chmod(0o755)
