"""Settings that programs on this host would find: the environment's and NCCL's files.

Only what a run record may hold leaves a host (src/observe/environment.cpp has the same rule).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from busbar.doctor.probe.machine import Machine

_PREFIXES = ("NCCL_", "UCX_", "UCC_", "OMPI_MCA_", "SHARP_", "HCOLL_", "OMPI_UCC_")
_SECRETS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL", "AUTH", "PRIVATE")
_LAUNCHERS = tuple(
    "OMPI_MCA_" + own
    for own in ("orte_", "ess", "pmix", "initial_wdir", "shmem_RUNTIME_QUERY_hint")
)


def may_be_shown(name: str, value: str) -> bool:
    """Whether a variable may leave the host: ours by its prefix, and no secret."""
    _, scheme, rest = value.partition("://")
    has_password = bool(scheme) and "@" in rest and ":" in rest.partition("@")[0]
    return (
        name.startswith(_PREFIXES)
        and not name.startswith(_LAUNCHERS)
        and not any(word in name.upper() for word in _SECRETS)
        and not has_password
    )


def read_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment's variables that may be shown."""
    return {k: v for k, v in sorted(environment.items()) if may_be_shown(k, v)}


def read_nccl_conf(machine: Machine) -> list[dict[str, Any]]:
    """NCCL's files in the order in which it heeds them; `settings` null where one is unreadable.

    $NCCL_CONF_FILE if it is set, else ~/.nccl.conf; then /etc/nccl.conf (NCCL 2.23 and later).
    """
    chosen, home = machine.environment.get("NCCL_CONF_FILE"), machine.home()
    own = f"{home}/.nccl.conf" if home else None
    paths = [path for path in (chosen or own, "/etc/nccl.conf") if path]
    found = []
    for path in paths:
        data = machine.data(path)
        if data is None and not machine.there(path) and path != chosen:
            continue
        found.append({"path": path, "settings": None if data is None else _settings_of(data)})
    return found


def _settings_of(data: bytes) -> dict[str, str]:
    lines = data.decode(errors="replace").splitlines()
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    # NCCL trims nothing: blanks stay in the name, so that the reader can see them.
    return {name: value for name, _, value in pairs if may_be_shown(name.strip(), value)}
