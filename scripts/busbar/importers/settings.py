"""Which environment variables of another tool's run belong in a record.

The same as the engine's own (`src/observe/environment.cpp`): settings of the libraries, nothing
that may be a secret, nothing that a launcher sets by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ALLOWED = ("NCCL_", "UCX_", "UCC_", "OMPI_MCA_", "SHARP_", "HCOLL_", "OMPI_UCC_")
_SECRET = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL", "AUTH", "PRIVATE")
_OF_LAUNCHERS = ("OMPI_MCA_orte_", "OMPI_MCA_ess", "OMPI_MCA_pmix", "OMPI_MCA_initial_wdir",
                 "OMPI_MCA_shmem_RUNTIME_QUERY_hint")  # fmt: skip
_WITH_PASSWORD = re.compile(r"://[^@]*:[^@]*@")


def recordable(environment: Iterable[str]) -> dict[str, str]:
    """Of lines `NAME=value` those that a record may hold."""
    pairs = (line.partition("=") for line in environment)
    return {name: value for name, found, value in pairs if found and _belongs(name, value)}


def _belongs(name: str, value: str) -> bool:
    return (
        name.startswith(_ALLOWED)
        and not name.startswith(_OF_LAUNCHERS)
        and not any(word in name.upper() for word in _SECRET)
        and not _WITH_PASSWORD.search(value)
    )
