"""The engine's program: where it is, and what it says of its operations."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from busbar.errors import Incomplete, UsageError

ENVIRONMENT_NAME = "BUSBAR_BENCH"
"""Names another engine than the one that was built beside this package."""


class OperationInfo(BaseModel):
    """What `--describe` says of one operation."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    summary: str
    reduces: bool
    rooted: bool
    in_place: bool
    chunked: bool
    has_data: bool
    point_to_point: bool
    min_ranks: int
    bus_factor: float | None
    in_network: bool
    """Whether a reduction tree has something to do for it."""


class Described(BaseModel):
    """What `--describe` says."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    class Datatype(BaseModel):
        """An element type."""

        name: str
        bytes: int

    protocol: int
    operations: list[OperationInfo]
    datatypes: list[Datatype]
    redops: list[str]
    transports: list[str]

    def operation(self, name: str) -> OperationInfo:
        """Raises UsageError naming the accepted ones."""
        for info in self.operations:
            if info.name == name:
                return info
        names = ", ".join(info.name for info in self.operations)
        raise UsageError(f"unknown operation '{name}'; accepted: {names}")

    def element_bytes(self, datatype: str) -> int:
        """Bytes per element. Raises UsageError naming the accepted types."""
        for known in self.datatypes:
            if known.name == datatype:
                return known.bytes
        names = ", ".join(known.name for known in self.datatypes)
        raise UsageError(f"unknown datatype '{datatype}'; accepted: {names}")

    def check_redop(self, redop: str) -> None:
        """Raises UsageError naming the accepted ones."""
        if redop not in self.redops:
            raise UsageError(
                f"unknown reduction operator '{redop}'; accepted: {', '.join(self.redops)}"
            )

    def check_transport(self, transport: str) -> None:
        """Raises UsageError naming those that this build has."""
        if transport not in self.transports:
            raise UsageError(
                f"unknown transport '{transport}'; accepted by this build: "
                + ", ".join(self.transports)
            )


def find_engine() -> Path:
    """The engine that `BUSBAR_BENCH` names, that was built in this tree, or that is on the path.

    Raises Incomplete if there is none.
    """
    named = os.environ.get(ENVIRONMENT_NAME)
    if named:
        if not os.access(named, os.X_OK):
            raise UsageError(f"{ENVIRONMENT_NAME}={named} is no program that can be run.")
        return Path(named).resolve()
    built = Path(__file__).resolve().parents[3] / "build" / "release" / "bin" / "busbar-bench"
    if built.is_file():
        return built
    installed = shutil.which("busbar-bench")
    if installed is None:
        raise Incomplete("busbar-bench is not built here: scripts/setup builds it.")
    return Path(installed)


def describe(engine: Path, ranks: int) -> Described:
    """The operations' metadata for so many ranks."""
    done = subprocess.run(
        [str(engine), "--describe", "--describe-ranks", str(ranks)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Incomplete(f"{engine} cannot be run: {done.stderr.strip() or 'no reason given'}")
    return Described.model_validate(json.loads(done.stdout))
