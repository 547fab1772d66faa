"""Captured lines as the plugins write them, for the tests of their readers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def nccl_record(
    function: str = "AllReduce", count: int = 1024, times: int = 1, **more: Any
) -> Json:
    """Calls; `bytes` follows from the datatype unless it is given."""
    datatype = more.get("datatype", "ncclFloat32")
    widths = {"ncclFloat32": 4, "ncclBfloat16": 2, "ncclInt8": 1}
    record = {
        "stage": "called", "function": function, "datatype": datatype, "count": count,
        "bytes": count * widths[datatype] if datatype in widths else None, "root": None,
        "algorithm": None, "protocol": None, "channels": None, "warps": None, "captured": False,
        "times": times,
    }  # fmt: skip
    return record | more


def nccl_line(records: Iterable[Json], **more: Any) -> Json:
    """One rank of a communicator."""
    line = {
        "type": "nccl_communicator", "host": "node0", "pid": 100, "comm_id": "0x1",
        "comm_name": None, "rank": 0, "ranks": 2, "nodes": 1, "interface": 5, "finalized": True,
        "lost": 0, "records": list(records),
    }  # fmt: skip
    return line | more


def mpi_record(function: str = "Allreduce", bytes_: int | None = 4096, **more: Any) -> Json:
    """Calls."""
    record = {
        "function": function, "blocking": True, "datatype": "MPI_FLOAT", "operator": None,
        "bytes": bytes_, "times": 1,
    }  # fmt: skip
    return record | more


def mpi_line(records: Iterable[Json], **more: Any) -> Json:
    """One rank of a group."""
    line = {
        "type": "mpi_communicator", "host": "node0", "pid": 100, "world_ranks": "0-1", "rank": 0,
        "ranks": 2, "lost": 0, "records": list(records),
    }  # fmt: skip
    return line | more


def write(folder: Path, *lines: Json, name: str = "nccl-node0-100.jsonl") -> Path:
    """Lines of one file. Returns the folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder
