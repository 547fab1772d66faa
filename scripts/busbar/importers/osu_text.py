"""OSU micro-benchmarks' text output, versions 3 to 7: blocking collectives and pairs of ranks.

Units: latencies in us; bandwidths in MB/s of 1e6 bytes (osu_bw.c, osu_bibw.c: size / 1e6), for
osu_bibw both directions together. Sizes: what one rank contributes of allgather, all-to-all,
gather and scatter, so S is that times the number of ranks; the vector of all others, as here. A
collective's time is the mean over iterations and ranks of each rank's own time behind a barrier;
with -f the least and the largest rank's mean stand beside it. Point to point it is rank 0's mean.

The datatype stands in the output from 7.1 on; before that reductions are of floats and all else of
characters. The output has no end mark, so that one cut between two lines looks whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from busbar.importers.numbers import figure, whole
from busbar.importers.printout import Figure, PrintedRow, Printout, Reading, Source


@dataclass(frozen=True)
class _Benchmark:
    op: str
    per_rank: bool = False
    whole_chunks: bool = False
    reduces: bool = False
    rooted: bool = False
    pair: bool = False
    floats: bool = False
    """Whether its elements are floats where the output does not say."""
    messages: int = 1
    """Messages whose bytes the printed bandwidth counts, per message time."""


_ALL_TO_ALL = _Benchmark("all_to_all", per_rank=True)
_BENCHMARKS = {
    "Allreduce Latency": _Benchmark("all_reduce", reduces=True),
    "Allgather Latency": _Benchmark("all_gather", per_rank=True),
    "All-to-All Personalized Exchange Latency": _ALL_TO_ALL,
    "All-to-All Latency": _ALL_TO_ALL,
    "Broadcast Latency": _Benchmark("broadcast", rooted=True),
    "Reduce Latency": _Benchmark("reduce", reduces=True, rooted=True),
    "Reduce_scatter Latency": _Benchmark("reduce_scatter", reduces=True, whole_chunks=True),
    "Reduce_scatter_block Latency": _Benchmark("reduce_scatter", reduces=True, whole_chunks=True),
    "Gather Latency": _Benchmark("gather", per_rank=True, rooted=True),
    "Scatter Latency": _Benchmark("scatter", per_rank=True, rooted=True),
    "Barrier Latency": _Benchmark("barrier", floats=True),  # no data; our barriers say float
    "Latency": _Benchmark("ping_pong", pair=True),
    "Bandwidth": _Benchmark("one_way", rooted=True, pair=True),
    "Bi-Directional Bandwidth": _Benchmark("bidirectional", pair=True, messages=2),
}
_DATATYPES = {"MPI_CHAR": "int8", "MPI_INT": "int32", "MPI_FLOAT": "float", "ncclChar": "int8",
              "ncclInt": "int32", "ncclFloat": "float"}  # fmt: skip
_MEMORY = {"": "host", "-CUDA": "gpu", "-ROCM": "gpu", "-OPENACC": "gpu",
           "-CUDA MANAGED": "managed", "-MANAGED": "managed"}  # fmt: skip
_TITLE = re.compile(
    r"# OSU (?P<library>MPI|NCCL)(?P<memory>-CUDA MANAGED|-CUDA|-ROCM|-OPENACC|-MANAGED|) "
    r"(?P<name>[A-Za-z_ -]+?) Test(?: v(?P<version>\S+))?\s*"
)
_DATATYPE = re.compile(r"# Datatype: (?P<name>\S+?)\.?\s*")
_BUFFERS = re.compile(r"# Send Buffer on (?P<send>\w+).* and Receive Buffer on (?P<recv>\w+).*")
_PLACES = {"DEVICE": "gpu", "HOST": "host", "MANAGED": "managed"}
_LIKE_A_ROW = re.compile(r"\s*\d+(\s+\d+(\.\d+)?)+\s*(Pass|Fail)?\s*")
_COLUMN = re.compile(
    r"\s*(?P<name>Size|Avg Latency\s?\(us\)|Min Latency\s?\(us\)|Max Latency\s?\(us\)|"
    r"Latency\s?\(us\)|(?:Bi-)?Bandwidth \(MB/s\)|Iterations|Validation|P\d{1,2} Tail Lat\(us\)|"
    r"P\d{1,2} Tail BW\(MB/s\))(?=\s|$)"
)


def _column(printed: str) -> str:
    """Our name of a column: figures under it are kept as printed."""
    name = printed.replace(" (", "(")
    known = {
        "Size": "size", "Avg Latency(us)": "avg_us", "Latency(us)": "avg_us",
        "Min Latency(us)": "min_us", "Max Latency(us)": "max_us", "Iterations": "iterations",
        "Validation": "validation", "Bandwidth(MB/s)": "bandwidth_mbs",
        "Bi-Bandwidth(MB/s)": "bandwidth_mbs",
    }  # fmt: skip
    tail = re.fullmatch(r"P(\d+) Tail (Lat|BW)\(.*", name)
    if tail:
        return f"p{tail[1]}_{'us' if tail[2] == 'Lat' else 'bandwidth_mbs'}"
    return known[name]


@dataclass
class _Launch:
    line: int
    benchmark: _Benchmark
    transport: str
    memory: str
    version: str | None
    datatype: str
    columns: list[str] | None = None
    rows: list[PrintedRow] = field(default_factory=list)


class _Reader:
    """One pass over the lines of a file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.launches: list[_Launch] = []
        self.torn = False
        self._in_table = False
        """From a head to the next blank line: after it anything may stand but rows."""

    def read(self) -> None:
        lines = self._source.lines()
        for number, line in enumerate(lines, start=1):
            if number == len(lines) and self._source.torn() and not line.startswith("#"):
                self.torn = bool(line.strip())
            elif line.startswith("#"):
                self._comment(number, line)
            elif not line.strip():
                self._in_table = False
            elif self._in_table:
                self._row(number, line)
            elif self.launches and _LIKE_A_ROW.fullmatch(line):
                raise self._source.error(number, "a row of results outside a table.")

    def _comment(self, number: int, line: str) -> None:
        takes: tuple[tuple[re.Pattern[str], Callable[[int, re.Match[str]], None]], ...] = (
            (_TITLE, self._take_title),
            (_DATATYPE, self._take_datatype),
            (_BUFFERS, self._take_buffers),
        )
        for pattern, take in takes:
            match = pattern.fullmatch(line)
            if match:
                take(number, match)
                return
        if line.startswith("# OSU "):
            raise self._source.error(number, _not_known(line.removeprefix("# OSU ").strip()))
        if self.launches and re.match(r"#\s+(Size|Avg Latency|Latency|Overall)\b", line):
            self._take_head(number, line)

    def _take_title(self, number: int, match: re.Match[str]) -> None:
        benchmark = _BENCHMARKS.get(match["name"])
        if benchmark is None:
            raise self._source.error(number, _not_known(match["name"]))
        transport = {"MPI": "mpi", "NCCL": "nccl"}[match["library"]]
        memory = "gpu" if transport == "nccl" else _MEMORY[match["memory"]]
        datatype = "float" if benchmark.reduces or benchmark.floats else "int8"
        self._in_table = False
        self.launches.append(
            _Launch(number, benchmark, transport, memory, match["version"], datatype)
        )

    def _take_datatype(self, number: int, match: re.Match[str]) -> None:
        if match["name"] not in _DATATYPES:
            raise self._source.error(
                number,
                f"the datatype '{match['name']}' is not known here; accepted are "
                f"{', '.join(_DATATYPES)}.",
            )
        self._launch(number).datatype = _DATATYPES[match["name"]]

    def _take_buffers(self, number: int, match: re.Match[str]) -> None:
        send, recv = _PLACES.get(match["send"]), _PLACES.get(match["recv"])
        if send is None or send != recv:
            raise self._source.error(
                number, "buffers of two kinds of memory; accepted are both on the same kind."
            )
        self._launch(number).memory = send

    def _take_head(self, number: int, line: str) -> None:
        rest, columns = line.removeprefix("#"), []
        while rest.strip():
            match = _COLUMN.match(rest)
            if match is None:
                raise self._source.error(
                    number, f"the column '{rest.strip()[:30]}' is not known here."
                )
            columns.append(_column(match["name"]))
            rest = rest[match.end() :]
        measured = {"avg_us", "bandwidth_mbs"} & set(columns)
        launch = self._launch(number)
        of_bandwidth = launch.benchmark.op in ("one_way", "bidirectional")
        if len(set(columns)) != len(columns) or measured != {
            "bandwidth_mbs" if of_bandwidth else "avg_us"
        }:
            raise self._source.error(number, "the columns do not fit the benchmark's name.")
        if ("size" in columns) != (launch.benchmark.op != "barrier"):
            raise self._source.error(number, "only a barrier has no column 'Size'.")
        launch.columns = columns
        self._in_table = True

    def _launch(self, number: int) -> _Launch:
        if not self.launches:
            raise self._source.error(number, "this stands before any line '# OSU … Test'.")
        return self.launches[-1]

    def _row(self, number: int, line: str) -> None:
        launch = self.launches[-1]
        assert launch.columns is not None
        words = line.split()
        if len(words) != len(launch.columns):
            raise self._source.error(
                number,
                f"{len(words)} columns where the head has {len(launch.columns)}: no row of its "
                "table, or a damaged one.",
            )
        own = dict(zip(launch.columns, words, strict=True))
        size = whole(own.pop("size", "0"))
        if size is None:
            raise self._source.error(number, "the size is no whole number.")
        validation = own.pop("validation", None)
        if validation not in (None, "Pass", "Fail"):
            raise self._source.error(
                number, f"validation is '{validation}'; accepted are Pass and Fail."
            )
        figures = {name: figure(text) for name, text in own.items()}
        bad = next((name for name, value in figures.items() if value is None), None)
        if bad is not None:
            raise self._source.error(number, f"{bad} is '{own[bad]}', which is no figure.")
        known = {name: value for name, value in figures.items() if value is not None}
        launch.rows.append(self._printed(number, launch, size, known, validation))

    def _printed(
        self, number: int, launch: _Launch, size: int, figures: dict[str, Figure],
        validation: str | None,
    ) -> PrintedRow:  # fmt: skip
        benchmark = launch.benchmark
        time = figures.get("avg_us")
        if time is None:
            time = self._message_time(number, benchmark, size, figures["bandwidth_mbs"])
        iterations = figures.get("iterations")
        failed = "OSU's validation failed: the data was wrong." if validation == "Fail" else ""
        return PrintedRow(
            where=f"line {number}", op=benchmark.op, size=size, datatype=launch.datatype,
            redop="sum" if benchmark.reduces else None, root=0 if benchmark.rooted else None,
            in_place=False, time=time, busbw=None,
            wrong=0 if validation == "Pass" else None, verified=validation == "Pass",
            failed=failed,
            per_rank=benchmark.per_rank, whole_chunks=benchmark.whole_chunks,
            iterations=None if iterations is None else int(iterations.value),
            printed={name: value.value for name, value in figures.items()},
        )  # fmt: skip

    def _message_time(
        self, number: int, benchmark: _Benchmark, size: int, bandwidth: Figure
    ) -> Figure:
        """Time per message, us: bytes over MB/s of 1e6 bytes."""
        if bandwidth.value <= 0 or size == 0:
            raise self._source.error(
                number, f"{bandwidth.value:g} MB/s for {size} bytes gives no time per message."
            )
        time = benchmark.messages * size / bandwidth.value
        return Figure(time, time * bandwidth.half_unit / bandwidth.value)


def _not_known(name: str) -> str:
    return f"'{name}' has no counterpart here; accepted are: {', '.join(_BENCHMARKS)}."


def read(source: Source) -> Reading:
    """The launches that a file tells of. Raises UsageError naming the line that cannot be read."""
    reader = _Reader(source)
    reader.read()
    launches = reader.launches
    empty = next((launch for launch in launches if not launch.rows), None)
    if empty is not None:
        raise source.error(empty.line, "a benchmark begins here that has no row of results.")
    if not launches:
        raise source.refuse("no row of results of OSU micro-benchmarks in it.")
    versions = {launch.version for launch in launches}
    if len(versions) > 1:
        raise source.refuse("results of several versions in one file; accepted is one a file.")
    version = versions.pop()
    return Reading(
        "OSU micro-benchmarks",
        version,
        "text",
        [_printout(source, one, reader.torn and one is launches[-1]) for one in launches],
    )


def _printout(source: Source, launch: _Launch, torn: bool) -> Printout:
    cut = "The output ends in the middle of a line, which was left out: rows may be missing."
    pair = launch.benchmark.pair
    return Printout(
        where=f"{source.name} line {launch.line}",
        rows=launch.rows,
        transport=launch.transport,
        memory=launch.memory,
        registration="none" if launch.transport == "mpi" else "unknown",
        timing="pipelined" if pair else "isolated",
        estimator="osu_mean",
        threads=1,
        graph=False,
        places=None,
        exactly_ranks=2 if pair else None,
        incomplete=cut if torn else "",
        versions={"OSU micro-benchmarks": launch.version},
    )
