"""What a bundle says of itself, for people (MANIFEST) and for its own programs (requirements)."""

from __future__ import annotations

import ctypes
import platform
from dataclasses import dataclass
from pathlib import Path

from bundling.build import Build
from bundling.contents import LIBRARIES, Contents
from bundling.errors import Incomplete
from bundling.libraries import newest_version
from bundling.open_mpi import OpenMpi
from bundling.packages import Package


@dataclass(frozen=True)
class Needs:
    """What the node must have."""

    machine: str
    glibc: str
    glibcxx: str
    cuda: str | None
    driver: str | None

    def for_shell(self) -> str:
        """As variables."""
        return (
            f"for_machine={self.machine}\nneeds_glibc={self.glibc}\n"
            f"has_cuda={self.cuda or ''}\nneeds_driver={self.driver or ''}\n"
        )


def needs_of(build: Build, contents: Contents) -> Needs:
    """Read from the files themselves."""
    files = [contents.files[place] for place in contents.code()]
    glibc, glibcxx = newest_version(files, "GLIBC"), newest_version(files, "GLIBCXX")
    if glibc is None or glibcxx is None:
        raise Incomplete("readelf shows no versions of glibc and libstdc++ in these files.")
    return Needs(platform.machine(), glibc, glibcxx, build.cuda(), build.oldest_driver())


def manifest(
    build: Build, mpi: OpenMpi, contents: Contents, needs: Needs, packages: dict[Path, Package]
) -> str:
    """One `name: value` a line, then where each library is from, then what was left out."""
    nccl = contents.source_of("libnccl.so.2")
    driver = needs.driver and f"{needs.driver} or newer, for CUDA {needs.cuda}"
    lines = [
        f"busbar: {build.version}",
        f"commit: {build.commit()}",
        f"compiler: {build.compiler()}",
        f"cuda: {needs.cuda or 'none: host memory only'}",
        f"open mpi: {mpi.version}",
        f"nccl: {_nccl_version(nccl) if nccl else 'not in here'}",
        f"machine: {needs.machine}",
        f"needs glibc: {needs.glibc}",
        f"needs libstdc++ with: GLIBCXX_{needs.glibcxx}",
        f"needs driver: {driver or 'none'}",
        "",
    ]
    for place in sorted(p for p in contents.files if p.parent == LIBRARIES):
        file = contents.files[place]
        package = packages.get(file)
        origin = f" of {package.name} {package.version}" if package else ""
        lines.append(f"{place}: {file.resolve()}{origin}")
    lines.append("")
    for why in sorted(set(contents.left_out.values())):
        names = [name for name, reason in contents.left_out.items() if reason == why]
        lines.append(f"left out: {', '.join(names)}: {why}")
    return "\n".join(lines) + "\n"


def _nccl_version(library: Path) -> str:
    """As it says itself, which takes no GPU."""
    code = ctypes.c_int()
    ctypes.CDLL(str(library)).ncclGetVersion(ctypes.byref(code))
    return f"{code.value // 10000}.{code.value // 100 % 100}.{code.value % 100}"
