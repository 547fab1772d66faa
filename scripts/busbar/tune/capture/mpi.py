"""libbusbar-capture-mpi.so: from a line to executions."""

from __future__ import annotations

from busbar.tune.capture.lines import MpiCommunicator, MpiRecord
from busbar.tune.capture.member import Member, What
from busbar.tune.workload import REDUCING

_OPS = {
    "Allreduce": "all_reduce", "Bcast": "broadcast", "Reduce": "reduce", "Allgather": "all_gather",
    "Reduce_scatter": "reduce_scatter", "Reduce_scatter_block": "reduce_scatter",
    "Alltoall": "all_to_all", "Gather": "gather", "Scatter": "scatter", "Barrier": "barrier",
    "Send": "send_recv",
}  # fmt: skip
_REDOPS = {"MPI_SUM": "sum", "MPI_PROD": "prod", "MPI_MIN": "min", "MPI_MAX": "max"}
_DATATYPES = {
    "MPI_INT8_T": "int8", "MPI_UINT8_T": "uint8", "MPI_INT32_T": "int32", "MPI_UINT32_T": "uint32",
    "MPI_INT64_T": "int64", "MPI_UINT64_T": "uint64", "MPI_FLOAT": "float", "MPI_DOUBLE": "double",
}  # fmt: skip
_BYTES = "uint8"
"""Of operations that only move data: what it means is nothing to them."""

_UNEVEN = "MPI_Reduce_scatter counts as one with even parts"


def member(line: MpiCommunicator) -> Member:
    """The executions of one rank.

    Collectives that do not block are left out: the library carries them out by other algorithms,
    which settings of the blocking ones do not reach.
    """
    found = Member(
        transport="mpi",
        # What is not known to be the same group is one of its own.
        communicator=line.world_ranks or f"of several worlds, {line.host} {line.pid}",
        rank=line.rank,
        ranks=line.ranks,
        nodes=None,
        host=line.host,
        pid=line.pid,
    )
    if line.lost:
        found.left_out["there were too many different ones"] += line.lost
    for record in line.records:
        _count(record, found)
    return found


def _count(record: MpiRecord, found: Member) -> None:
    op = _OPS.get(record.function)
    if op is None or record.bytes is None:
        found.left_out[f"no operation stands for MPI_{record.function}"] += record.times
        return
    if not record.blocking and op != "send_recv":
        found.left_out[f"MPI_{record.function} was called without blocking"] += record.times
        return
    if record.bytes == 0 and op != "barrier":
        found.left_out["they carry no data"] += record.times
        return
    datatype = _DATATYPES.get(record.datatype or "", None if op in REDUCING else _BYTES)
    redop = _REDOPS.get(record.operator or "") if op in REDUCING else None
    if datatype is None or (op in REDUCING and redop is None):
        what = f"{record.operator or 'its own operator'} of {record.datatype or 'its own type'}"
        found.left_out[f"MPI_{record.function} with {what} is not measured"] += record.times
        return
    if op == "barrier":
        datatype = "float"
    found.executions[What(op, record.bytes, datatype, redop)] += record.times
    if record.function == "Reduce_scatter":
        found.remarks[_UNEVEN] += record.times
