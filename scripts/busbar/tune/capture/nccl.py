"""NCCL's profiler plugin: from a line to executions."""

from __future__ import annotations

from busbar.tune.capture.lines import NcclCommunicator, NcclRecord
from busbar.tune.capture.member import Member, What
from busbar.tune.workload import REDUCING

_OPS = {
    "AllReduce": "all_reduce", "AllGather": "all_gather", "ReduceScatter": "reduce_scatter",
    "Broadcast": "broadcast", "Reduce": "reduce", "AlltoAll": "all_to_all", "Gather": "gather",
    "Scatter": "scatter", "Send": "send_recv",
}  # fmt: skip
_TOTALS = frozenset({"all_gather", "reduce_scatter", "all_to_all", "gather", "scatter"})
_DATATYPES = {
    "ncclInt8": "int8", "ncclChar": "int8", "ncclUint8": "uint8", "ncclInt32": "int32",
    "ncclInt": "int32", "ncclUint32": "uint32", "ncclInt64": "int64", "ncclUint64": "uint64",
    "ncclFloat16": "half", "ncclHalf": "half", "ncclFloat32": "float", "ncclFloat": "float",
    "ncclFloat64": "double", "ncclDouble": "double", "ncclBfloat16": "bfloat16",
    "ncclFloat8e4m3": "float8_e4m3", "ncclFloat8e5m2": "float8_e5m2",
}  # fmt: skip

_NO_OPERATOR = "reductions are counted as sums: NCCL does not tell the operator"
_MESSAGES = "messages are counted where they are sent; an all-to-all may have been made of them"
_GRAPHS = "calls were captured into CUDA graphs, whose replays are not counted"


def member(line: NcclCommunicator) -> Member:
    """The executions of one rank.

    Calls are counted where the interface tells of them, and otherwise what NCCL enqueued.
    """
    found = Member(
        transport="nccl",
        communicator=line.comm_id,
        rank=line.rank,
        ranks=line.ranks,
        nodes=line.nodes,
        host=line.host,
        pid=line.pid,
    )
    if line.lost:
        found.left_out["the profiler's table was full"] += line.lost
    stage = "called" if any(record.stage == "called" for record in line.records) else "enqueued"
    for record in line.records:
        if record.stage == stage and record.function != "Recv":
            _count(record, found)
    return found


def _count(record: NcclRecord, found: Member) -> None:
    op = _OPS.get(record.function or "")
    datatype = _DATATYPES.get(record.datatype or "")
    if op is None:
        found.left_out[f"no operation stands for {record.function}"] += record.times
        return
    if datatype is None or record.bytes is None:
        found.left_out[f"NCCL does not tell the datatype of {record.function}"] += record.times
        return
    if record.bytes == 0:
        found.left_out["they carry no data"] += record.times
        return
    size = record.bytes * (found.ranks if op in _TOTALS else 1)
    redop = "sum" if op in REDUCING else None
    found.executions[What(op, size, datatype, redop)] += record.times
    if redop:
        found.remarks[_NO_OPERATOR] += record.times
    if op == "send_recv":
        found.remarks[_MESSAGES] += record.times
    if record.captured:
        found.remarks[_GRAPHS] += record.times
