"""Kernel modules, libraries, their versions, and daemons."""

from __future__ import annotations

import contextlib
import mmap
import re
from pathlib import Path
from typing import Any

from busbar.doctor.probe.machine import NOT_INSTALLED, Machine

_LIBRARIES = {
    "NCCL": "libnccl.so.2",
    "NCCL net plugin": "libnccl-net.so",
    "NCCL tuner plugin": "libnccl-tuner.so",
    "MPI": "libmpi.so.40",
    "UCX": "libucp.so.0",
    "libibverbs": "libibverbs.so.1",
    "SHARP": "libsharp_coll.so",
    "HCOLL": "libhcoll.so.1",
}
_PLUGINS = {"NCCL net plugin": "net", "NCCL tuner plugin": "tuner"}
_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/usr/local/cuda/lib64",
    "/opt/mellanox/sharp/lib",
)
_NCCL_SAYS = re.compile(rb"NCCL version (\d+\.\d+\.\d+)")
NOT_HERE = "not installed"


def read_modules(machine: Machine) -> list[str] | None:
    """Loaded kernel modules of NVIDIA's and of RDMA; null where that cannot be read."""
    data = machine.data("/proc/modules") if machine.there("/proc/modules") else None
    if data is None:
        # A kernel without modules has none of them; /sys/module then tells no more.
        names = machine.names("/sys/module")
    else:
        lines = data.decode(errors="replace").splitlines()
        names = [word for line in lines for word in line.split()[:1]]
    if names is None or "/proc/modules" in machine.unread:
        return None
    return [name for name in names if re.match(r"nvidia|nv_|mlx5|ib_|gdrdrv", name)]


def open_modules(machine: Machine) -> bool | None:
    """Whether NVIDIA's driver is the open one; null without a driver."""
    path = "/proc/driver/nvidia/version"
    said = machine.text(path) if machine.there(path) else None
    return None if said is None else "Open Kernel Module" in said


def read_versions(machine: Machine, nvidia: dict[str, Any] | None) -> dict[str, str | None]:
    """Versions by what has them; "not installed", or null where one cannot be read."""
    found: dict[str, str | None] = {"kernel": machine.text("/proc/sys/kernel/osrelease")}
    if machine.there("/sys/bus/pci/drivers/nvidia") or machine.there("/proc/driver/nvidia"):
        found["NVIDIA driver"] = nvidia["driver"] if nvidia else _driver(machine)
        found["CUDA of the driver"] = nvidia["cuda"] if nvidia else None
    if machine.there("/sys/module/mlx5_core/version"):
        found["mlx5 driver"] = machine.text("/sys/module/mlx5_core/version")
    folders = [p for p in machine.environment.get("LD_LIBRARY_PATH", "").split(":") if p]
    for name, library in _LIBRARIES.items():
        file = _chosen_plugin(machine, name) or library
        places = [str(Path(file).parent)] if "/" in file else [*folders, *_FOLDERS]
        found[name] = _library(machine, Path(file).name, places)
    return found


def _chosen_plugin(machine: Machine, name: str) -> str | None:
    """The file of a plugin that a variable of NCCL names: a path, a file, or the end of a name."""
    kind = _PLUGINS.get(name)
    chosen = machine.environment.get(f"NCCL_{kind.upper()}_PLUGIN") if kind else None
    if not chosen or chosen == "none":
        return None
    first = chosen.split(",")[0]
    return first if ".so" in first else f"libnccl-{kind}-{first}.so"


def _driver(machine: Machine) -> str | None:
    said = machine.text("/proc/driver/nvidia/version") or ""
    version = re.search(r"Kernel Module.*?\s(\d+\.[\d.]+)\s", said)
    return version.group(1) if version else None


def _library(machine: Machine, name: str, folders: list[str]) -> str | None:
    """Version and size of the first that is found, as the loader looks."""
    for folder in folders:
        names = machine.names(folder)
        if names is None:
            return None
        if name not in names:
            continue
        file = machine.target(f"{folder}/{name}")
        if file is None:
            machine.unread[f"{folder}/{name}"] = "its link leads nowhere"
            return None
        said = _nccl_version(Path(file)) if name.startswith("libnccl.so") else None
        versioned = re.search(r"\.so\.(\d+\.[\d.]+)$", file)
        # Versions of an interface may stay while the library changes: libucp.so.0.0.0.
        version = said or (versioned.group(1) if versioned else "unversioned")
        size = _size(file)
        return None if size is None else f"{version} ({size} bytes)"
    return NOT_HERE


def _size(file: str) -> int | None:
    try:
        return Path(file).stat().st_size
    except OSError:
        return None


def _nccl_version(file: Path) -> str | None:
    """The version that the library prints when it starts, out of its text."""
    with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
        stream = stack.enter_context(file.open("rb"))
        content = stack.enter_context(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
        found = _NCCL_SAYS.search(content)
        return found.group(1).decode() if found else None
    return None


def sees_fabric_manager(machine: Machine) -> bool | None:
    """Whether nv-fabricmanager runs; a container may not see the host's processes."""
    names = machine.names("/proc")
    if names is None:
        return None
    # The kernel keeps 15 characters of a name.
    comms = (machine.at(f"/proc/{name}/comm") for name in names if name.isdecimal())
    for comm in comms:
        with contextlib.suppress(OSError):  # a process that has ended
            if comm.read_text(errors="replace").strip() == "nv-fabricmanage":
                return True
    return False


def read_sharp(machine: Machine, manager: str) -> dict[str, Any]:
    """What of SHARP is here, and whether its aggregation manager answers."""
    base = machine.environment.get("HPCX_SHARP_DIR", "/opt/mellanox/sharp")
    beside = f"{base}/bin/sharp_hello"
    program = beside if machine.there(beside) else "sharp_hello"
    hello = "reached" if machine.run(program) is not None else machine.unread.get(program)
    facts: dict[str, Any] = {
        "library": _library(machine, _LIBRARIES["SHARP"], [f"{base}/lib", *_FOLDERS]),
        "hello": None if hello == NOT_INSTALLED else hello,
        "manager": None,
    }
    if manager:
        host, _, port = manager.rpartition(":")
        why = machine.connect(host, int(port))
        facts["manager"] = {"address": manager, "reached": why is None, "why": why}
    return facts
