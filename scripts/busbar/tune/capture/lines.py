"""The lines of captured files as data models, and their reading."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from busbar.errors import UsageError
from busbar.record.base import Model, Name
from busbar.validation import describe

Unsigned = Annotated[int, Field(ge=0, lt=1 << 64)]
Times = Annotated[int, Field(ge=1, lt=1 << 64)]


class NcclRecord(Model):
    """Events that were alike, in NCCL's own words; null where NCCL says nothing."""

    stage: Literal["called", "enqueued"]
    function: Name | None
    datatype: Name | None
    count: Unsigned
    bytes: Unsigned | None
    root: int | None
    algorithm: Name | None
    protocol: Name | None
    channels: int | None
    warps: int | None
    captured: bool | None
    times: Times


class NcclCommunicator(Model):
    """One rank of a NCCL communicator."""

    type: Literal["nccl_communicator"]
    host: str
    pid: int
    comm_id: Name
    comm_name: str | None
    rank: Unsigned
    ranks: int = Field(ge=1)
    nodes: int | None = Field(ge=1)
    interface: int
    finalized: bool
    lost: Unsigned
    records: list[NcclRecord]


class MpiRecord(Model):
    """Calls that were alike, in MPI's own words."""

    function: Name
    blocking: bool
    datatype: Name | None
    """Null for a datatype that the application made, and where there is none."""
    operator: Name | None
    """Null likewise."""
    bytes: Unsigned | None
    """Size as nccl-tests counts it; null for functions whose ranks have sizes of their own."""
    times: Times


class MpiCommunicator(Model):
    """One rank of a group of ranks, whatever the communicators it calls through."""

    type: Literal["mpi_communicator"]
    host: str
    pid: int
    world_ranks: Name | None
    """The group, as ranks of MPI_COMM_WORLD; null with processes of another one in it."""
    rank: Unsigned
    ranks: int = Field(ge=1)
    lost: Unsigned
    records: list[MpiRecord]


Line = Annotated[NcclCommunicator | MpiCommunicator, Field(discriminator="type")]
_LINE: TypeAdapter[NcclCommunicator | MpiCommunicator] = TypeAdapter(Line)


def read_capture(path: Path) -> list[NcclCommunicator | MpiCommunicator]:
    """All lines of a `.jsonl` file, or of all of them in a folder, in the order of their names.

    Raises UsageError, one sentence that names the file and the line, where one cannot be used, and
    where there are none.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    lines = [line for file in files for line in _lines_of(file)]
    if not lines:
        raise UsageError(
            f"{path} has nothing captured: accepted is what NCCL's profiler plugin or "
            "libbusbar-capture-mpi.so wrote, which needs a program that calls NCCL, or MPI from C."
        )
    return lines


def _lines_of(file: Path) -> Iterator[NcclCommunicator | MpiCommunicator]:
    try:
        texts = file.read_bytes().split(b"\n")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            yield _LINE.validate_json(text)
        except ValidationError as error:
            what = describe(error, None)
            raise UsageError(f"{file}, line {number} is not a captured line: {what}.") from None
