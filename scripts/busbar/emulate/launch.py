"""Running a command on the login host of a fresh world."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from busbar.emulate.plan import find_tool, plan_world
from busbar.emulate.spec import EmulationSpec

_INSIDE = Path(__file__).with_name("world.py")


def wrap(spec: EmulationSpec, argv: Sequence[str], *, lifeline: int | None = None) -> list[str]:
    """The command line that runs `argv` on the login host inside a fresh world.

    Input, output and exit code are those of `argv`: 128 + N if signal N ended it, 125 (and one
    sentence on standard error) if the world could not be built. The process may be killed at any
    moment, by SIGKILL too: the world goes with it. `lifeline`, the reading end of a pipe that the
    process inherits, ends the world with the caller as well: it must hold the only writing end.
    """
    plan = plan_world(spec, () if lifeline is None else (lifeline,))
    return [
        find_tool("unshare") or "unshare",
        *_identity(),
        "--net",
        "--mount",
        "--uts",
        "--ipc",
        "--pid",
        "--",
        # Isolated from the environment and from installed packages: the inside needs neither.
        sys.executable,
        "-I",
        "-S",
        str(_INSIDE),
        json.dumps(plan),
        "--",
        *argv,
    ]


def run(spec: EmulationSpec, argv: Sequence[str]) -> int:
    """Run `argv` on the login host inside a fresh world and return its exit code."""
    lifeline, held = os.pipe()
    try:
        process = subprocess.Popen(wrap(spec, argv, lifeline=lifeline), pass_fds=(lifeline,))
        os.close(lifeline)
        code = _wait(process)
    finally:
        os.close(held)
    return code if code >= 0 else 128 - code


def _wait(process: "subprocess.Popen[bytes]") -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal sent it to the command too, which decides what it means.
            continue


def _identity() -> list[str]:
    """A user namespace with this user as its root, which is all that the inside needs.

    Where an administrator has switched those off, root itself still can do without one.
    """
    if os.geteuid() == 0 and not user_namespaces_allowed():
        return []
    return ["--user", "--map-root-user"]


def user_namespaces_allowed() -> bool:
    """Whether the kernel has user namespaces and its limit on them is not zero."""
    try:
        return int(Path("/proc/sys/user/max_user_namespaces").read_text()) > 0
    except OSError:
        return False
