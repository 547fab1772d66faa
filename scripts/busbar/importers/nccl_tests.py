"""What text and JSON of nccl-tests share: its names, and what they are here.

Sources: nccl-tests v1.0.0 to v2.19.6, src/common.cu, src/util.cu and the getBw of each operation.
Sizes and bus factors are ours (`collectives/README.md`): nothing is converted.
"""

from __future__ import annotations

from busbar.importers.printout import PrintedRow, Source
from busbar.theory.operations import OPERATIONS

OPS = {
    "all_reduce": "all_reduce", "all_gather": "all_gather", "reduce_scatter": "reduce_scatter",
    "alltoall": "all_to_all", "broadcast": "broadcast", "reduce": "reduce", "gather": "gather",
    "scatter": "scatter", "sendrecv": "send_recv",
}  # fmt: skip
"""By the name of the program, without `_perf`. alltoallv has other counts than ours, hypercube is
no operation of ours."""
ROOTED = ("broadcast", "reduce", "gather", "scatter")
REDUCING = ("all_reduce", "reduce_scatter", "reduce")
_DATATYPES = {
    "int8": "int8", "char": "int8", "uint8": "uint8", "int32": "int32", "int": "int32",
    "uint32": "uint32", "int64": "int64", "uint64": "uint64", "half": "half", "float": "float",
    "double": "double", "bfloat16": "bfloat16", "f8e4m3": "float8_e4m3", "fp8_e4m3": "float8_e4m3",
    "f8e5m2": "float8_e5m2", "fp8_e5m2": "float8_e5m2",
}  # fmt: skip
_REDOPS = {"sum": "sum", "prod": "prod", "max": "max", "min": "min", "avg": "avg",
           "mulsum": "premulsum"}  # fmt: skip
_BUSBW_SLACK = 1e-3
"""Relative, beyond the rounding of what is printed."""


def op_of_program(path: str) -> str | None:
    """`build/all_reduce_perf` is all_reduce; None for what has no counterpart here."""
    name, found, _ = path.rsplit("/", 1)[-1].partition("_perf")
    return OPS.get(name) if found else None


def datatype_of(name: str) -> str | None:
    """Ours; None for an unknown one."""
    return _DATATYPES.get(name)


def redop_of(op: str, name: str | None) -> str | None:
    """Ours, None for an operation that does not reduce. Raises KeyError for an unknown one."""
    return _REDOPS[name or ""] if op in REDUCING else None


def version_of(code: int) -> str | None:
    """NCCL's version from its number: 22809 is 2.28.9, 2408 is 2.4.8; None for 0."""
    if code <= 0:
        return None
    wide = code >= 10000  # NCCL_VERSION in nccl.h: from 2.9 on in ten thousands
    major, rest = divmod(code, 10000 if wide else 1000)
    return f"{major}.{rest // 100}.{rest % 100}"


def refuse_other_bandwidth(source: Source, row: PrintedRow, ranks: int) -> None:
    """Raise UsageError unless size, time, operation and ranks give the printed bus bandwidth.

    This catches a wrong --op or number of ranks, and a damaged line.
    """
    if row.busbw is None or row.time.value <= row.time.half_unit:
        return
    expected = row.size * OPERATIONS[row.op].bus_factor(ranks) / row.time.value / 1000
    rounding = row.time.half_unit / (row.time.value - row.time.half_unit)
    slack = 1.001 * row.busbw.half_unit + expected * (rounding + _BUSBW_SLACK)
    if abs(expected - row.busbw.value) > slack:
        raise source.refuse(
            f"{row.where}: {row.busbw.value:g} GB/s is not the bus bandwidth of {row.op} with "
            f"{row.size} bytes in {row.time.value:g} us on {ranks} ranks, which is {expected:.4g}: "
            "the operation or the number of ranks is another, or the line is damaged."
        )
