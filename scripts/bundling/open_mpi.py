"""Open MPI 4 as installed here: its programs, components and texts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from bundling.errors import UsageError
from bundling.libraries import needed_by, why_left_out
from bundling.shell import printed


@dataclass(frozen=True)
class OpenMpi:
    """Where the parts are."""

    version: str
    mpirun: Path
    orted: Path
    info: Path
    components: Path
    settings: Path
    texts: Path


def find_open_mpi(mpirun: Path) -> OpenMpi:
    """The installation that a launcher belongs to. Raises UsageError if it is none of version 4."""
    only = "only Open MPI 4 can be bundled; build with it, or take the node's own MPI"
    info = shutil.which("ompi_info", path=str(mpirun.parent))
    if info is None:
        raise UsageError(f"{mpirun} belongs to another MPI than Open MPI; {only}")
    lines = (
        printed(info, "--parsable") + printed(info, "--parsable", "--path", "all")
    ).splitlines()
    facts = {k: v for k, _, v in (line.rpartition(":") for line in lines)}
    version = facts.get("ompi:version:full", "unknown")
    if version.split(".")[0] != "4":
        raise UsageError(f"{mpirun} belongs to Open MPI {version}; {only}")
    return OpenMpi(
        version,
        mpirun.resolve(),
        Path(facts["path:bindir"]) / "orted",
        Path(info),
        Path(facts["path:pkglibdir"]),
        Path(facts["path:sysconfdir"]),
        Path(facts["path:pkgdatadir"]),
    )


def components_that_travel(folder: Path) -> tuple[list[Path], dict[str, str]]:
    """The plugins of a folder whose libraries may travel, and of the others why not.

    Open MPI, PMIx and UCX do without a component that is not there.
    """
    taken: list[Path] = []
    left: dict[str, str] = {}
    for file in sorted(folder.glob("*.so")):
        why = None
        for name, path in needed_by(file).items():
            why = why or why_left_out(name)
            if path is None:
                why = why or f"{name} is not installed here"
        if why is None:
            taken.append(file)
        else:
            left[file.name] = why
    return taken, left


def beside(library: Path, name: str) -> Path:
    """A folder of components that lies beside a library itself, behind all links to it."""
    return library.resolve().parent / name
