"""nccl-tests' JSON output (-J), versions 1 to 3 of its format.

The document has arguments, environment and NCCL's version, but not that of nccl-tests. Of the
environment only what a record may hold is taken: nccl-tests writes all of it, secrets too.
`devices` has the first GPU of each process; the others follow by number, as src/util.cu assigns
them. Raw times of iterations (-I) are not taken over: they are of another clock, the GPU's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from busbar.importers.nccl_tests import (
    OPS,
    ROOTED,
    datatype_of,
    op_of_program,
    redop_of,
    version_of,
)
from busbar.importers.printout import Figure, Place, PrintedRow, Printout, Reading, Source
from busbar.importers.settings import recordable
from busbar.validation import describe

_VERSIONS = (1, 2, 3)
_HALF_UNIT = 0.5e-6  # "%lf" prints six decimals
_REGISTRATION = {"0": "none", "1": "local", "2": "symmetric"}


class _Lenient(BaseModel):
    """Later versions may add fields; those that are used must be right."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class _Device(_Lenient):
    rank: int
    group: int
    pid: int
    hostname: str = Field(min_length=1)
    device: int = Field(ge=0)
    device_hex: str
    device_info: str


class _Config(_Lenient):
    nthreads: int = Field(ge=0)
    ngpus: int = Field(ge=1)
    iterations: int = Field(ge=0)
    aggregated_iterations: int = Field(ge=0)
    graph: int
    blocking_collectives: str
    devices: list[_Device] = Field(min_length=1)


class _Times(_Lenient):
    time: float | None = Field(default=None, ge=0)
    cpu_time: float | None = None
    alg_bw: float
    bus_bw: float = Field(ge=0)
    nwrong: float | None


class _PerIteration(_Lenient):
    min_us: float
    max_us: float
    avg_us: float
    p50_us: float
    p95_us: float
    p99_us: float
    stdev_us: float
    cv_pct: float


class _Result(_Lenient):
    size: int = Field(ge=0, lt=10**18)
    count: int = Field(ge=0)
    type: str
    redop: str
    root: str
    out_of_place: _Times | None = None
    in_place: _Times | None = None
    out_of_place_per_iter: _PerIteration | None = None
    in_place_per_iter: _PerIteration | None = None
    actual_iterations: int | None = None


class _Count(_Lenient):
    count: int = Field(ge=0)


class _Document(_Lenient):
    version: int
    start_time: str
    args: list[str] = Field(min_length=1)
    env: list[str]
    nccl_version: int
    config: _Config
    results: list[_Result]
    out_of_bounds: _Count | None = None
    end_time: str | None = None


def read(source: Source, op: str | None) -> Reading:
    """The launch that a document tells of. Raises UsageError naming the entry that is wrong."""
    document = _document(source)
    found = op_of_program(document.args[0])
    if found is None:
        raise source.refuse(
            f"'{document.args[0]}' has no counterpart here; accepted are the programs of: "
            f"{', '.join(OPS)}."
        )
    if op is not None and op != found:
        raise source.refuse(f"--op {op} of results that say they are of {found}.")
    rows = list(_rows(source, document, found))
    if not rows:
        raise source.refuse("no result in it.")
    wrong = document.out_of_bounds.count if document.out_of_bounds else 0
    nccl = version_of(document.nccl_version)
    return Reading("nccl-tests", None, "JSON", [
        Printout(
            where=source.name, rows=rows, transport="nccl", memory="gpu",
            registration=_registration(source, document.args), timing="pipelined",
            estimator="nccltests_pipelined", threads=max(1, document.config.nthreads),
            graph=document.config.graph > 0, places=_places(source, document.config),
            incomplete=_incomplete(document),
            wrong_somewhere=_wrong_somewhere(wrong, rows),
            settings=recordable(document.env), started=document.start_time,
            versions={"nccl-tests": None, "nccl": nccl},
        )
    ])  # fmt: skip


def _document(source: Source) -> _Document:
    try:
        raw: Any = json.loads(source.text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise source.error(
            line, "this is not JSON, or was cut; accepted is a whole document of nccl-tests -J."
        ) from None
    version = raw.get("version") if isinstance(raw, dict) else None
    if isinstance(version, bool) or version not in _VERSIONS:
        raise source.refuse("no JSON of nccl-tests with version 1, 2 or 3.")
    try:
        return _Document.model_validate(raw)
    except ValidationError as error:
        raise source.refuse(f"no result of nccl-tests: {describe(error, _Document)}.") from None


def _rows(source: Source, document: _Document, op: str) -> Iterator[PrintedRow]:
    if document.config.blocking_collectives != "false":
        raise source.refuse(
            "blocking mode (-z) waits after each iteration, so its times are neither isolated nor "
            "pipelined; accepted is output without it."
        )
    for index, result in enumerate(document.results):
        for in_place, times, per_iteration in (
            (False, result.out_of_place, result.out_of_place_per_iter),
            (True, result.in_place, result.in_place_per_iter),
        ):
            if times is not None:
                where = f"results[{index}]"
                yield _row(source, document, op, where, result, times, per_iteration, in_place)


def _row(
    source: Source, document: _Document, op: str, where: str, result: _Result, times: _Times,
    per_iteration: _PerIteration | None, in_place: bool,
) -> PrintedRow:  # fmt: skip
    datatype = datatype_of(result.type)
    if datatype is None:
        raise source.refuse(f"{where}: the datatype '{result.type}' is not known here.")
    try:
        redop = redop_of(op, result.redop)
    except KeyError:
        raise source.refuse(
            f"{where}: {op} reduces, and '{result.redop}' is no reduction known here."
        ) from None
    root = result.root.strip()
    if op in ROOTED and not (root.isascii() and root.isdigit() and len(root) < 10):
        raise source.refuse(f"{where}: {op} has a root, and '{root}' is none.")
    if times.time is None:
        raise source.refuse(
            f"{where}: -C writes the time to enqueue; accepted is output with times of execution."
        )
    if times.nwrong is not None and not (times.nwrong >= 0 and times.nwrong.is_integer()):
        raise source.refuse(f"{where}: nwrong is {times.nwrong}, which is no number of elements.")
    printed: dict[str, float | None] = {
        "time_us": times.time, "algbw_gbs": times.alg_bw, "busbw_gbs": times.bus_bw,
        "wrong": times.nwrong,
    }  # fmt: skip
    if per_iteration is not None:
        printed |= {f"i_{name}": value for name, value in per_iteration.model_dump().items()}
    config = document.config
    return PrintedRow(
        where=where, op=op, size=result.size, datatype=datatype, redop=redop,
        root=int(root) if op in ROOTED else None, in_place=in_place,
        time=Figure(times.time, _HALF_UNIT), busbw=Figure(times.bus_bw, _HALF_UNIT),
        wrong=None if times.nwrong is None else int(times.nwrong),
        verified=times.nwrong is not None,
        iterations=config.iterations * max(1, config.aggregated_iterations), printed=printed,
    )  # fmt: skip


def _places(source: Source, config: _Config) -> list[Place]:
    if len({device.group for device in config.devices}) > 1:
        raise source.refuse(
            "ranks of several groups (NCCL_TESTS_SPLIT): the times are means over communicators "
            "of their own; accepted is output of one group."
        )
    each = max(1, config.nthreads) * config.ngpus
    if each > 1024:
        raise source.refuse(f"{each} ranks of one process are more than any host has GPUs.")
    places = []
    for process, device in enumerate(config.devices):
        if device.rank != process * each:
            raise source.refuse(
                f"config.devices[{process}] is rank {device.rank}, expected is {process * each}."
            )
        for index in range(each):
            first = index == 0
            places.append(
                Place(
                    rank=process * each + index, host=device.hostname, pid=device.pid,
                    gpu=device.device + index, gpu_name=device.device_info if first else None,
                    pci_bus_id=device.device_hex if first else None, thread=index,
                )
            )  # fmt: skip
    return places


def _registration(source: Source, args: list[str]) -> str:
    """What -R asks for."""
    said = "0"
    for index, word in enumerate(args[1:], start=1):
        if word in ("-R", "--local_register"):
            said = args[index + 1] if index + 1 < len(args) else ""
        elif word.startswith("--local_register="):
            said = word.partition("=")[2]
        elif word.startswith("-R"):
            said = word.removeprefix("-R")
    if said not in _REGISTRATION:
        raise source.refuse(f"-R {said} is not known here; accepted are 0, 1 and 2.")
    return _REGISTRATION[said]


def _incomplete(document: _Document) -> str:
    if document.end_time is None or document.out_of_bounds is None:
        return "The document ends before its summary: results may be missing."
    return ""


def _wrong_somewhere(wrong: int, rows: list[PrintedRow]) -> str:
    if not wrong or any(row.wrong for row in rows):
        return ""
    return f"nccl-tests counts {wrong} values out of bounds and does not say in which rows."
