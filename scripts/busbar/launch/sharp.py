"""Real in-network reduction for MPI: what SHARP needs here, what it is set to, what it is against.

Open MPI reaches SHARP through one of two collective libraries:

* UCC (component coll_ucc), whose trace says for every collective what carried it. Taken where it
  has its SHARP transport, since only so can each operation be proved.
* HCOLL (coll_hcoll). Forced (HCOLL_ENABLE_SHARP=3), a communicator that cannot have SHARP is an
  error and no silent fallback. Its log tells of groups, not of operations.

The library without SHARP is the baseline that isolates SHARP: against Open MPI's own algorithms, a
gain would be partly the library's. `--in-network off,sharp` measures both.

Settings as the vendor documents them; no machine with SHARP has run this (README).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from busbar.errors import Incomplete
from busbar.record.models import Variant

OBSERVING = {"UCC_COLL_TRACE": "INFO"}
"""For observing launches only: a line per collective has no place where time is taken."""

_COMMON = {"SHARP_COLL_LOG_LEVEL": "3"}  # jobs, trees and groups, when they are made
_SHARP = {"SHARP_COLL_ENABLE_SAT": "1"}  # streaming trees, for messages beyond some KiB
_UCC = {
    "OMPI_MCA_coll_ucc_enable": "1",
    "OMPI_MCA_coll_ucc_priority": "100",
    "OMPI_MCA_coll_hcoll_enable": "0",
}
_HCOLL = {"OMPI_MCA_coll_hcoll_enable": "1", "OMPI_MCA_coll_ucc_enable": "0"}

_HELLO_SECONDS = 30


@dataclass(frozen=True)
class Library:
    """A collective library and how it is told to use SHARP, or not to."""

    name: str
    environment: dict[str, str]
    without: dict[str, str]

    def baseline(self) -> Variant:
        """The same library with the hosts reducing."""
        return Variant(name=f"{self.name}_host", settings={}, environment=self.without)


UCC = Library(
    "ucc",
    _COMMON
    | _SHARP
    | _UCC
    # One rank a host is all that TL/SHARP takes by itself; a team of two is its least.
    | {"OMPI_UCC_CL_BASIC_TLS": "ucp,sharp", "UCC_TL_SHARP_MIN_TEAM_SIZE": "2"},
    _COMMON | _UCC | {"OMPI_UCC_CL_BASIC_TLS": "ucp"},
)
HCOLL = Library(
    "hcoll",
    _COMMON | _SHARP | _HCOLL | {"HCOLL_ENABLE_SHARP": "3"},
    _COMMON | _HCOLL | {"HCOLL_ENABLE_SHARP": "0"},
)


@dataclass(frozen=True)
class Machine:
    """What of SHARP can be seen on this machine without privileges."""

    components: frozenset[str]
    """Collective components of the MPI here, such as `ucc`."""
    libsharp: Path | None
    ucc_sharp: Path | None
    """UCC's SHARP transport."""
    infiniband: tuple[str, ...]
    """InfiniBand ports that are up, such as `mlx5_0:1`."""
    hello: str | None
    """What `sharp_hello` complained of; None where it reached the manager, or is not installed."""


def library_on(machine: Machine) -> Library:
    """The library that brings SHARP to this machine's MPI.

    Raises Incomplete with one sentence that names what is missing. Whether the aggregation manager
    (sharp_am, on the subnet manager's host) runs cannot be seen from here without `sharp_hello`;
    where it does not, the launch fails or its log tells (sharp_log.py).
    """
    if not machine.components & {"ucc", "hcoll"}:
        raise _missing("this MPI has neither coll_ucc nor coll_hcoll (ompi_info lists them)")
    if machine.libsharp is None:
        raise _missing(
            "libsharp_coll.so is not found (ldconfig, LD_LIBRARY_PATH, HPCX_SHARP_DIR/lib)"
        )
    if "hcoll" not in machine.components and machine.ucc_sharp is None:
        raise _missing("UCC's transport libucc_tl_sharp.so is not found beside libucc.so")
    if not machine.infiniband:
        raise _missing("no InfiniBand port is active on this machine (/sys/class/infiniband)")
    if machine.hello is not None:
        raise _missing(f"sharp_hello cannot reach the aggregation manager: {machine.hello}")
    return UCC if "ucc" in machine.components and machine.ucc_sharp is not None else HCOLL


def look(
    environment: Mapping[str, str] = os.environ, ports: Path = Path("/sys/class/infiniband")
) -> Machine:
    """What this machine has; start `busbar run` on a host of the fabric, not on one beside it."""
    folders = _library_folders(environment)
    return Machine(
        components=_components(environment),
        libsharp=_first([folder / "libsharp_coll.so" for folder in folders]),
        ucc_sharp=_first([folder / "ucc" / "libucc_tl_sharp.so" for folder in folders]),
        infiniband=tuple(_active(ports)),
        hello=_hello(environment),
    )


def _missing(what: str) -> Incomplete:
    return Incomplete(f"in_network=sharp cannot run here: {what}.")


def _components(environment: Mapping[str, str]) -> frozenset[str]:
    said = _said(["ompi_info", "--parsable"], environment).splitlines()
    fields = [line.split(":") for line in said if line.startswith("mca:coll:")]
    return frozenset(field[2] for field in fields)


def _library_folders(environment: Mapping[str, str]) -> list[Path]:
    """Where the loader looks, and where HPC-X keeps its parts."""
    named = [Path(p) for p in environment.get("LD_LIBRARY_PATH", "").split(":") if p]
    for variable in ("HPCX_SHARP_DIR", "HPCX_UCC_DIR"):
        if variable in environment:
            named.append(Path(environment[variable]) / "lib")
    cached = [
        Path(line.rpartition("=> ")[2]).parent
        for line in _said(["ldconfig", "-p"], environment).splitlines()
        if "libsharp_coll.so" in line or "libucc.so" in line
    ]
    return list(dict.fromkeys(named + cached))


def _first(candidates: Iterable[Path]) -> Path | None:
    """The first that is there, under that name or a versioned one."""
    for candidate in candidates:
        for found in sorted(candidate.parent.glob(f"{candidate.name}*")):
            return found
    return None


def _active(ports: Path) -> Iterable[str]:
    for port in sorted(ports.glob("*/ports/*")):
        link, state = (_text(port / "link_layer"), _text(port / "state"))
        if link == "InfiniBand" and state.endswith("ACTIVE"):
            yield f"{port.parent.parent.name}:{port.name}"


def _hello(environment: Mapping[str, str]) -> str | None:
    kept = Path(environment.get("HPCX_SHARP_DIR", "/opt/mellanox/sharp")) / "bin"
    program = shutil.which("sharp_hello", path=f"{environment.get('PATH', '')}:{kept}")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program], env=dict(environment), capture_output=True, text=True, check=False,
            timeout=_HELLO_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no answer within {_HELLO_SECONDS} s"
    if done.returncode == 0:
        return None
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def _said(command: list[str], environment: Mapping[str, str]) -> str:
    """What a program prints; nothing where it is not installed."""
    # ldconfig is in a folder that an ordinary user's path may lack.
    program = shutil.which(command[0], path=f"{environment.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        return ""
    return subprocess.run(
        [program, *command[1:]], env=dict(environment), capture_output=True, text=True, check=False
    ).stdout


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
