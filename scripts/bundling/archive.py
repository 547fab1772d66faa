"""The bundle as a folder, and as one file."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
from pathlib import Path

from bundling.contents import LIBRARIES, PROGRAMS, UCX, Contents
from bundling.shell import printed

FILES = Path(__file__).parent / "files"
LICENCE = Path(__file__).parents[2] / "LICENSE"


def write_folder(
    folder: Path, contents: Contents, own: dict[Path, str], notices: list[Path]
) -> None:
    """Everything in its place, finding its libraries from there; `own` are the bundle's texts."""
    for file in (f for f in FILES.rglob("*") if f.is_file()):
        _copy(file, folder / file.relative_to(FILES))
    for place, source in contents.files.items():
        _copy(source, folder / place)
    for place, text in own.items():
        (folder / place).write_text(text)
    licences = folder / "share" / "licences"
    _copy(LICENCE, licences / "busbar")
    for notice in notices:
        _copy(notice, licences / notice.parent.name)
    for place in contents.code():
        _relocate(folder / place, place)


def _copy(source: Path, target: Path) -> None:
    """As anybody may read it, and start it if it is a program."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    is_program = target.parent.name in ("bin", str(PROGRAMS)) and os.access(source, os.X_OK)
    target.chmod(0o755 if is_program else 0o644)


def _relocate(file: Path, place: Path) -> None:
    """Makes a program look into lib/ first, for all that it loads; RPATH, not RUNPATH.

    Only RPATH holds for what libraries need and load in turn, and before LD_LIBRARY_PATH, in which
    a site's modules may have put another Open MPI.
    """
    if place.parent == PROGRAMS and place.suffix != ".so":
        path = f"$ORIGIN/../{LIBRARIES}:$ORIGIN/../{UCX}"
        printed("patchelf", "--force-rpath", "--set-rpath", path, file)
    elif printed("patchelf", "--print-rpath", file).strip():
        printed("patchelf", "--remove-rpath", file)


def write_archive(folder: Path, output: Path) -> None:
    """The folder as a .tar.gz that is the same for the same files, whoever packs them."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = "root"
        return member

    with (
        output.open("wb") as file,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed,
        tarfile.open(mode="w", fileobj=packed) as tar,
    ):
        tar.add(folder, arcname=folder.name, filter=plain)
