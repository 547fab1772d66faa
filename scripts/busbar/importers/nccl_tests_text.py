"""nccl-tests' text output, versions 1.0 to 2.19, and rccl-tests', which is derived from it.

A time is the mean over back-to-back iterations, and over ranks from 2.10 on: what Busbar calls
pipelined. The output does not say how buffers were registered, nor before 2.12 whether graphs were
launched (taken as none), nor in version 1 how many threads a process had (taken as one).

Around a table anything may stand, as launchers and batch systems print what they like; within one
only rows, comments, log lines of NCCL and a message that Open MPI is known to put there. A table
without its footer was cut: incomplete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from busbar.importers.nccl_tests import OPS, op_of_program, version_of
from busbar.importers.nccl_tests_table import Table, parse_head, rows_of
from busbar.importers.numbers import figure
from busbar.importers.printout import Place, PrintedRow, Printout, Reading, Source

_VERSION = re.compile(
    r"# ([nr]ccl-tests) version (\S+) [nr]ccl-headers=\d+ [nr]ccl-library=(\d{1,9})\s*"
)
_RCCL = re.compile(r"rccl-tests: Version (\S+)\s*")
_PROGRAM = re.compile(r"# Collective test starting: (\S+)\s*")
_OPTIONS = re.compile(
    r"# nThread (?P<threads>\d{1,6}) nGpus (?P<gpus>\d{1,6}) .*"
    r"warmup iters: (?P<warmup>\d{1,9}) iters: (?P<iters>\d{1,9})(?: agg iters: (?P<agg>\d{1,9}))?"
    r"(?: validation: (?P<validation>\d{1,9}))?(?: graph: (?P<graph>\d{1,9}))?.*"
)
_COMPILED = re.compile(r"# NCCL Tests compiled with NCCL (\S+)\s*")
_RANK = re.compile(
    r"#\s+Rank\s+(?P<rank>\d{1,7}) (?:Group\s+(?P<group>\d{1,9}) )?(?:Pid\s+(?P<pid>\d{1,9}) )?"
    r"on\s+(?P<host>\S+) device\s+(?P<gpu>\d{1,4}) \[(?P<pci>[0-9a-fA-Fx:]+)\]\s*(?P<name>.*)"
)
_WRONG = re.compile(r"#?\s*Out of bounds values\s*:\s*(\d{1,18}) (OK|FAILED)\s*")
_AVERAGE = re.compile(r"#?\s*Avg bus bandwidth\s*:\s*(\S+)\s.*|#?\s*Avg bus bandwidth\s*:\s*(\S+)")
_NO_ROW = re.compile(
    r".*\bNCCL (INFO|WARN|TRACE|VERSION|CALL|ABORT)\b.*|NCCL version .*|"
    r"\d+ more process(es have| has) sent help message .*"  # Open MPI's
)
_LIKE_A_ROW = re.compile(r"\s*\d+\s+\d+\s+[a-z]\w*\s+\S+\s+\S+.*")
_ACCEPTED = ", ".join(OPS)


@dataclass
class _Launch:
    """What was read of one launch so far."""

    line: int
    op: str | None = None
    version: str | None = None
    tool: str = "nccl-tests"
    library: str | None = None
    iterations: int | None = None
    threads: int = 1
    graph: bool = False
    places: list[Place] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    table: Table | None = None
    rows: list[PrintedRow] = field(default_factory=list)
    wrong: int | None = None
    average: float | None = None

    def transport(self) -> str:
        """The library that was measured."""
        return "rccl" if self.tool == "rccl-tests" else "nccl"

    def begun(self) -> bool:
        """Whether a header line would belong to the next launch."""
        return bool(self.rows or self.places or self.table or self.average is not None)


class _Reader:
    """One pass over the lines of a file."""

    def __init__(self, source: Source, op: str | None) -> None:
        self._source = source
        self._op = op
        self._launches: list[_Launch] = []
        self._above = ""
        """The comment before this line: it names the placements of a table."""
        self._in_table = False
        self._torn = False

    def read(self) -> list[_Launch]:
        lines = self._source.lines()
        for number, line in enumerate(lines, start=1):
            last = number == len(lines)
            if last and self._source.torn() and self._in_table and not line.startswith("#"):
                self._torn = bool(line.strip())
                break
            self._line(number, line)
        return self._launches

    def torn(self) -> bool:
        return self._torn

    def _line(self, number: int, line: str) -> None:
        row = self._in_table and line.lstrip()[:1].isdigit()
        if not row and self._comment(number, line):
            return
        if self._in_table:
            if line.strip() and not line.startswith("#") and not _NO_ROW.fullmatch(line):
                self._row(number, line)
        elif _LIKE_A_ROW.fullmatch(line) and figure(line.split()[-1]) is not None:
            raise self._source.error(number, "a row of results before the head of its table.")

    def _comment(self, number: int, line: str) -> bool:
        """Whether the line said something."""
        if self._head(number, line):
            return True
        if line.startswith("#"):
            self._above = line
        for pattern, take in (
            (_VERSION, self._take_version),
            (_COMPILED, self._take_compiled),
            (_RCCL, self._take_rccl),
            (_PROGRAM, self._take_program),
            (_OPTIONS, self._take_options),
            (_WRONG, self._take_wrong),
            (_AVERAGE, self._take_average),
        ):
            match = pattern.fullmatch(line)
            if match:
                take(number, match)
                return True
        if line.startswith("# Blocking Enabled"):
            raise self._source.error(
                number,
                "blocking mode (-z) waits after each iteration, so its times are neither isolated "
                "nor pipelined; accepted is output without it.",
            )
        if re.match(r"#\s+Rank\b", line):
            self._take_rank(number, line)
            return True
        return False

    def _launch(self, number: int, *, header: bool = False) -> _Launch:
        """The launch that this line belongs to; a header line after results begins the next."""
        if not self._launches or (header and self._launches[-1].begun()):
            self._launches.append(_Launch(number))
            self._in_table = False
        return self._launches[-1]

    def _take_version(self, number: int, match: re.Match[str]) -> None:
        launch = self._launch(number, header=True)
        launch.tool, launch.version = match[1], match[2]
        launch.library = version_of(int(match[3]))

    def _take_compiled(self, number: int, match: re.Match[str]) -> None:
        self._launch(number, header=True)

    def _take_rccl(self, number: int, match: re.Match[str]) -> None:
        launch = self._launch(number)
        launch.tool, launch.version = "rccl-tests", match[1]

    def _take_program(self, number: int, match: re.Match[str]) -> None:
        launch = self._launch(number, header=True)
        launch.op = op_of_program(match[1])
        if launch.op is None:
            raise self._source.error(
                number,
                f"'{match[1]}' has no counterpart here; accepted are the programs of: {_ACCEPTED}.",
            )

    def _take_options(self, number: int, match: re.Match[str]) -> None:
        launch = self._launch(number, header=True)
        launch.threads = max(1, int(match["threads"]))
        launch.iterations = int(match["iters"]) * int(match["agg"] or 1)
        launch.graph = int(match["graph"] or 0) > 0

    def _take_rank(self, number: int, line: str) -> None:
        launch = self._launch(number, header=bool(self._launches and self._launches[-1].table))
        match = _RANK.fullmatch(line)
        if match is None or (match["name"] + match["host"]).endswith("..."):
            raise self._source.error(number, "a rank's line that cannot be read, or was cut.")
        pid = None if match["pid"] is None else int(match["pid"])
        place = Place(
            rank=int(match["rank"]), host=match["host"], pid=pid, gpu=int(match["gpu"]),
            gpu_name=match["name"].strip() or None,
            pci_bus_id=match["pci"],
            thread=sum(p.pid == pid and p.host == match["host"] for p in launch.places)
            if pid is not None else 0,
        )  # fmt: skip
        if place.rank != len(launch.places):
            raise self._source.error(
                number, f"rank {place.rank} where rank {len(launch.places)} is expected."
            )
        launch.places.append(place)
        launch.groups.add(match["group"] or "")
        if len(launch.groups) > 1:
            raise self._source.error(
                number,
                "ranks of several groups (NCCL_TESTS_SPLIT): the times are means over "
                "communicators of their own; accepted is output of one group.",
            )

    def _take_wrong(self, number: int, match: re.Match[str]) -> None:
        self._launch(number).wrong = int(match[1])
        self._in_table = False

    def _take_average(self, number: int, match: re.Match[str]) -> None:
        found = figure(match[1] or match[2])
        if found is None:
            text = match[1] or match[2]
            raise self._source.error(number, f"'{text}' is no average bus bandwidth.")
        self._launch(number).average = found.value
        self._in_table = False

    def _finished(self) -> bool:
        return bool(self._launches) and self._launches[-1].average is not None

    def _row(self, number: int, line: str) -> None:
        launch = self._launches[-1]
        assert launch.table is not None
        op = self._operation(number, launch)
        launch.rows += rows_of(self._source, number, line, launch.table, op, launch.iterations)

    def _head(self, number: int, line: str) -> bool:
        table = parse_head(self._source, number, line, self._above)
        if table is None:
            return False
        launch = self._launch(number, header=self._finished())
        launch.table = table
        self._in_table = True
        return True

    def _operation(self, number: int, launch: _Launch) -> str:
        if launch.op is not None and self._op is not None and launch.op != self._op:
            raise self._source.error(
                number, f"--op {self._op} of a table that says it is of {launch.op}."
            )
        op = launch.op or self._op
        if op is None:
            raise self._source.error(
                number,
                "nothing says which operation this is, as nccl-tests prints it from 2.17 on only: "
                f"give it with --op, one of {', '.join(OPS.values())}.",
            )
        return op


def read(source: Source, op: str | None) -> Reading:
    """The launches that a file tells of; `op` where it does not name its operation.

    Raises UsageError naming the line that cannot be read.
    """
    reader = _Reader(source, op)
    launches = reader.read()
    if not launches or not any(launch.rows for launch in launches):
        raise source.refuse("no row of results of nccl-tests in it.")
    empty = next((launch for launch in launches if not launch.rows), None)
    if empty is not None:
        raise source.error(empty.line, "a launch begins here that has no row of results.")
    kinds = {(launch.tool, launch.version) for launch in launches}
    if len(kinds) > 1:
        raise source.refuse("results of several versions in one file; accepted is one a file.")
    (tool, version) = kinds.pop()
    printouts = [
        _printout(source, launch, torn=reader.torn() and launch is launches[-1])
        for launch in launches
    ]
    return Reading(tool, version, "text", printouts)


def _printout(source: Source, launch: _Launch, *, torn: bool) -> Printout:
    return Printout(
        where=f"{source.name} line {launch.line}",
        rows=list(_judged_by_footer(launch)),
        transport=launch.transport(),
        memory="gpu",
        registration="unknown",
        timing="pipelined",
        estimator="nccltests_pipelined",
        threads=launch.threads,
        graph=launch.graph,
        places=launch.places or None,
        incomplete=_incomplete(launch, torn),
        wrong_somewhere=_wrong_somewhere(launch),
        versions={launch.tool: launch.version, launch.transport(): launch.library},
    )


def _judged_by_footer(launch: _Launch) -> Iterator[PrintedRow]:
    for row in launch.rows:
        if row.verified and row.wrong is None:  # a deviation
            clean = launch.wrong == 0
            yield replace(row, wrong=0 if clean else None, verified=clean)
        else:
            yield row


def _wrong_somewhere(launch: _Launch) -> str:
    if not launch.wrong or any(row.wrong for row in launch.rows):
        return ""
    return f"nccl-tests counts {launch.wrong} values out of bounds and does not say in which rows."


def _incomplete(launch: _Launch, torn: bool) -> str:
    if torn:
        return "The output ends in the middle of a row, which was left out: rows are missing."
    if launch.average is None or launch.wrong is None:
        return "The output ends before its footer: rows may be missing."
    rates = [row.busbw for row in launch.rows if row.busbw is not None]
    mean = sum(rate.value for rate in rates) / len(rates) if rates else 0.0
    slack = sum(rate.half_unit for rate in rates) / max(1, len(rates)) + 1e-5 * mean
    if rates and abs(mean - launch.average) > 1.001 * slack + 1e-9:
        return (
            f"Its average bus bandwidth, {launch.average:g} GB/s, is not that of its rows, "
            f"{mean:.6g}: rows are missing, or were changed."
        )
    return ""
