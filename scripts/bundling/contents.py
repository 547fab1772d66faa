"""What goes into the bundle, and where in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bundling.build import Build
from bundling.errors import UsageError
from bundling.libraries import closure, needed_by, why_left_out
from bundling.open_mpi import OpenMpi, beside, components_that_travel

PROGRAMS = Path("libexec")
LIBRARIES = Path("lib")
UCX = LIBRARIES / "ucx"


@dataclass
class Contents:
    """Files by their place in the bundle, and what was left out with the reason."""

    files: dict[Path, Path] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, folder: Path, files: list[Path]) -> None:
        """Files that are no programs or libraries."""
        for file in files:
            self.files[folder / file.name] = file

    def add_code(self, place: Path, file: Path) -> None:
        """A program or library, and all that must travel with it."""
        self.files[place] = file
        for name, path in closure(file).items():
            self.files[LIBRARIES / name] = path

    def add_components(self, place: Path, folder: Path) -> None:
        """The plugins of a folder that can travel."""
        taken, left = components_that_travel(folder)
        for file in taken:
            self.add_code(place / file.name, file)
        self.left_out.update(left)

    def add_ucx(self, folder: Path) -> None:
        """UCX's transports. One whose library the node lacks is left out by UCX, in silence."""
        modules = sorted(folder.glob("*.so.[0-9]"))
        self.add(UCX, modules)
        for module in modules:
            for name, path in needed_by(module).items():
                is_module = UCX / name in self.files
                if path is not None and why_left_out(name) is None and not is_module:
                    self.files[LIBRARIES / name] = path

    def source_of(self, library: str) -> Path | None:
        """Where a library was found, None if nothing needs it."""
        return self.files.get(LIBRARIES / library)

    def code(self) -> list[Path]:
        """The places of all programs and libraries."""
        return sorted(p for p in self.files if p.parts[0] in (str(PROGRAMS), str(LIBRARIES)))


def contents_of(build: Build, mpi: OpenMpi, with_nccl: bool) -> Contents:
    """Everything but the bundle's own texts. Raises Incomplete where something is missing."""
    contents = Contents()
    programs = {"busbar-bench": build.engine, "mpirun": mpi.mpirun, "orted": mpi.orted}
    for name, file in (programs | {"ompi_info": mpi.info}).items():
        contents.add_code(PROGRAMS / name, file)
    if build.gpu_platform:
        contents.add_code(PROGRAMS / build.gpu_platform.name, build.gpu_platform)
    for plugin in build.plugins:
        contents.add_code(LIBRARIES / plugin.name, plugin)
    contents.add_components(LIBRARIES / "openmpi", mpi.components)
    # Defaults of the Open MPI that was tested; a list of hosts beside them stays where it is.
    contents.add(Path("etc", "openmpi"), list(mpi.settings.glob("openmpi-mca-params.conf")))
    contents.add(Path("share", "openmpi"), sorted(mpi.texts.glob("help-*.txt")))
    if pmix := contents.source_of("libpmix.so.2"):
        contents.add_components(LIBRARIES / "pmix", beside(pmix, "pmix"))
        texts = beside(pmix, "../share/pmix")
        contents.add(Path("share", "pmix"), sorted(texts.glob("help-*.txt")))
    if ucx := contents.source_of("libucs.so.0"):
        contents.add_ucx(beside(ucx, "ucx"))
    if with_nccl:
        if build.nccl is None:
            raise UsageError("--with-nccl: this build found NCCL's header alone, no library")
        contents.files[LIBRARIES / "libnccl.so.2"] = build.nccl
    return contents
