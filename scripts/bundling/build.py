"""What a build folder says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bundling.errors import Incomplete, UsageError
from bundling.shell import printed, printed_or_none

OLDEST_DRIVER = {"12": "525", "13": "580"}
"""By CUDA's major version, from NVIDIA's page on minor version compatibility."""


@dataclass(frozen=True)
class Build:
    """A finished build."""

    folder: Path
    cache: dict[str, str]

    @property
    def version(self) -> str:
        """Busbar's."""
        return self.cache["CMAKE_PROJECT_VERSION"]

    @property
    def engine(self) -> Path:
        """busbar-bench."""
        return self.folder / "bin" / "busbar-bench"

    @property
    def gpu_platform(self) -> Path | None:
        """libbusbar-cuda.so, None in a build without CUDA."""
        path = self.folder / "bin" / "libbusbar-cuda.so"
        return path if path.is_file() else None

    @property
    def plugins(self) -> list[Path]:
        """NCCL's, and the library that captures what an MPI program calls."""
        names = ("nccl-profiler-busbar", "nccl-tuner-busbar", "busbar-capture-mpi")
        return [self.folder / "lib" / f"lib{name}.so" for name in names]

    @property
    def mpirun(self) -> Path:
        """The launcher of the MPI that it was built with."""
        return Path(self.cache["MPIEXEC_EXECUTABLE"])

    @property
    def nccl(self) -> Path | None:
        """The NCCL that it was built with, None where there was the header alone."""
        path = Path(self.cache.get("BUSBAR_NCCL_LIBRARY", ""))
        return path if path.is_file() else None

    def compiler(self) -> str:
        """The C++ compiler, as it names itself."""
        return printed(self.cache["CMAKE_CXX_COMPILER"], "--version").splitlines()[0]

    def cuda(self) -> str | None:
        """CUDA's version, None in a build without it."""
        if self.gpu_platform is None:
            return None
        match = re.search(r"release ([\d.]+)", printed(self.cache["BUSBAR_NVCC"], "--version"))
        if match is None:
            raise Incomplete(f"{self.cache['BUSBAR_NVCC']} does not tell its version.")
        return match[1]

    def oldest_driver(self) -> str | None:
        """The oldest driver that runs its CUDA, None in a build without it."""
        cuda = self.cuda()
        if cuda is None:
            return None
        major = cuda.split(".")[0]
        if major not in OLDEST_DRIVER:
            raise UsageError(
                f"which driver CUDA {cuda} needs is not known here; accepted: CUDA "
                + ", ".join(OLDEST_DRIVER)
            )
        return OLDEST_DRIVER[major]

    def commit(self) -> str:
        """The source's git commit, and whether files of it were changed since."""
        source = self.cache["CMAKE_HOME_DIRECTORY"]
        commit = printed_or_none("git", "-C", source, "rev-parse", "HEAD")
        changed = printed_or_none("git", "-C", source, "status", "--porcelain", "-uno")
        if commit is None or changed is None:
            return "unknown"
        return commit.strip() + (" with changes" if changed.strip() else "")


def read_build(folder: Path) -> Build:
    """Raises UsageError if it is no finished release build."""
    cache_file = folder / "CMakeCache.txt"
    if not cache_file.is_file():
        raise UsageError(f"{folder} is no build; accepted: a folder that CMake built, release")
    lines = (line.strip() for line in cache_file.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if re.match(r"[\w-]+:\w+=", line))
    build = Build(folder, {left.split(":")[0]: value for left, _, value in pairs})
    kind = build.cache.get("CMAKE_BUILD_TYPE")
    if kind != "Release" or build.cache.get("BUSBAR_SANITIZERS"):
        raise UsageError(f"{folder} is built for {kind or 'nothing'}; accepted: Release")
    for file in (build.engine, *build.plugins):
        if not file.is_file():
            raise UsageError(f"{file} is not built; scripts/setup builds it")
    return build
