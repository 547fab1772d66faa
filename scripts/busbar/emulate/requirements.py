"""Whether this machine can emulate a fabric, and if not, why not and what to do."""

import os
import subprocess
from pathlib import Path

from busbar.emulate.launch import user_namespaces_allowed, wrap
from busbar.emulate.plan import find_tool
from busbar.emulate.spec import EmulationSpec

_PACKAGES = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "ip": "iproute2",
    "tc": "iproute2",
    "mpirun": "openmpi-bin",
}
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_DEBIAN = Path("/proc/sys/kernel/unprivileged_userns_clone")
_OTHERWISE = "or use another fabric"


def preflight(*, mpi: bool = True) -> str | None:
    """None if an emulated fabric works here, else one sentence: what is missing, what to do.

    The proof is a world of one host, built and ended; `mpi=False` does not ask for mpirun.
    """
    for tool, package in _PACKAGES.items():
        if (mpi or tool != "mpirun") and find_tool(tool) is None:
            return (
                f"An emulated fabric needs the program '{tool}', which is not here: "
                f"install the package {package}, {_OTHERWISE}."
            )
    trial = subprocess.run(
        wrap(EmulationSpec(hosts=1), ["true"]),
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if trial.returncode == 0:
        return None
    return explain(trial.stderr, is_root=os.geteuid() == 0)


def explain(complaint: str, *, is_root: bool) -> str:
    """The sentence for what a trial world complained of."""
    if "qdisc kind is unknown" in complaint:
        return (
            "This kernel has no token bucket filter to limit a link's rate: load it with "
            f"'modprobe sch_tbf' as root, {_OTHERWISE}."
        )
    if "Unknown device type" in complaint:
        return (
            "This kernel has no virtual Ethernet or no bridge: load them with "
            f"'modprobe -a veth bridge' as root, {_OTHERWISE}."
        )
    if not is_root and (refusal := _refusal_of_user_namespaces()):
        return f"{refusal}: run as root, {_OTHERWISE}."
    lines = [line for line in complaint.splitlines() if line.strip()]
    reason = lines[-1].removeprefix("busbar emulate: ") if lines else "it ended without a word"
    advice = "use another fabric" if is_root else f"run as root, {_OTHERWISE}"
    return f"A trial of an emulated fabric failed ({reason}): {advice}."


def _refusal_of_user_namespaces() -> str | None:
    """Which setting of this machine keeps user namespaces from an ordinary user."""
    if not user_namespaces_allowed():
        return "This kernel has no user namespaces, or user.max_user_namespaces is 0"
    if _reads(_APPARMOR, "1"):
        return (
            "AppArmor refuses user namespaces to ordinary users here "
            "(kernel.apparmor_restrict_unprivileged_userns is 1)"
        )
    if _reads(_DEBIAN, "0"):
        return (
            "User namespaces are refused to ordinary users here "
            "(kernel.unprivileged_userns_clone is 0)"
        )
    return None


def _reads(setting: Path, value: str) -> bool:
    return setting.exists() and setting.read_text().strip() == value
