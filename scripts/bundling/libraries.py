"""Shared libraries: which a file needs, and which of them travel."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from bundling.errors import Incomplete
from bundling.shell import printed

STAYS = (
    # The loader and its libraries are one with the node's kernel and name services.
    r"ld-linux.*|lib(c|m|pthread|dl|rt|resolv|util|anl|nsl|mvec)\.so\..*|linux-vdso.*"
    # A C++ runtime as new as ours is where a glibc as new as ours is, and what the node itself
    # loads into us, such as a network plugin of NCCL, may need a newer one.
    r"|libstdc\+\+\.so\..*|libgcc_s\.so\..*"
    # These belong to the driver of the node's kernel.
    r"|libcuda\.so\..*|libnvidia-.*"
)
"""Libraries that are taken from the node."""

LEFT_OUT = {
    # Their private halves must be as old as the kernel's driver for the adapter: the node has both.
    r"lib(ibverbs|rdmacm|mlx\d|efa|ibumad)\.so\..*": "the node's own RDMA library",
    r"lib(fabric|psm2|psm_infinipath)\.so\..*": "a network that is not supported",
    r"liboshmem\.so\..*": "OpenSHMEM, which nothing here uses",
}
"""Libraries that do not travel; a component that needs one stays behind with it."""


def stays_on_node(name: str) -> bool:
    """Whether the node's own is used."""
    return re.fullmatch(STAYS, name) is not None


def why_left_out(name: str) -> str | None:
    """Why a library does not travel, None if it may."""
    return next((why for pattern, why in LEFT_OUT.items() if re.fullmatch(pattern, name)), None)


@cache
def needed_by(file: Path) -> dict[str, Path | None]:
    """All that the loader would load for it, by name; None where it finds none."""
    found: dict[str, Path | None] = {}
    for line in printed("ldd", file).splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if arrow:
            path = rest.split(" (")[0]
            found[name] = None if path == "not found" else Path(path)
    return {name: path for name, path in found.items() if not stays_on_node(name)}


def closure(file: Path) -> dict[str, Path]:
    """What must travel with the file. Raises Incomplete naming what cannot."""
    needed: dict[str, Path] = {}
    for name, path in needed_by(file).items():
        why = why_left_out(name)
        if why is not None:
            raise Incomplete(f"{file} needs {name}: {why}")
        if path is None:
            raise Incomplete(f"{file} needs {name}, and there is none here.")
        needed[name] = path
    return needed


def newest_version(files: list[Path], prefix: str) -> str | None:
    """The newest symbol version of a kind, such as GLIBC, that any of the files asks for."""
    versions = [
        tuple(map(int, found.split(".")))
        for file in files
        for found in re.findall(
            rf"Name: {prefix}_(\d+(?:\.\d+)+)", printed("readelf", "--version-info", file)
        )
    ]
    return ".".join(map(str, max(versions))) if versions else None
