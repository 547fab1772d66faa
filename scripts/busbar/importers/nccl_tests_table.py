"""The tables of nccl-tests' text: their heads and rows, whatever columns a version has.

Columns are found by their head: `redop` and `root` stand only where the operation has them before
2.12, `res` or `error` (the largest deviation) before `#wrong` (wrong elements, from 2.12), then
per-iteration figures (-I) and a timestamp (-S). Version 1 prints milliseconds, all others
microseconds; bandwidths are GB/s of 1e9 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from busbar.importers.nccl_tests import REDUCING, ROOTED, datatype_of, redop_of
from busbar.importers.numbers import figure, scaled, whole
from busbar.importers.printout import Figure, PrintedRow, Source

_HEADS = (["size", "count", "type"], ["bytes", "N", "type"])
_COLUMNS = {
    "bytes": "size", "N": "count", "op": "redop", "#wrong": "wrong", "error": "deviation",
    "res": "deviation",
}  # fmt: skip
_SHARED = ("size", "count", "type", "redop", "root")
_PER_PLACEMENT = ("time", "algbw", "busbw", "wrong", "deviation", "i_min", "i_max", "i_p99",
                  "i_cv%")  # fmt: skip
_PRINTED = {"algbw": "algbw_gbs", "busbw": "busbw_gbs", "i_min": "i_min_us", "i_max": "i_max_us",
            "i_p99": "i_p99_us", "i_cv%": "i_cv_pct"}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """The columns of a table."""

    line: int
    shared: Sequence[str]
    placements: Sequence[tuple[bool, Sequence[str]]]
    """Whether in place, and its columns."""
    milliseconds: bool
    timestamp: bool

    def width(self) -> int:
        """Columns of a row, without its timestamp."""
        return len(self.shared) + sum(len(names) for _, names in self.placements)


def parse_head(source: Source, number: int, line: str, above: str) -> Table | None:
    """The table that a line begins, None if it is no head; `above` names out-of-place or in-place.

    Raises UsageError for a head with columns that are not known.
    """
    names = line.removeprefix("#").split()
    if not line.startswith("#") or names[:3] not in _HEADS:
        return None
    timestamp = names[-1] == "timestamp"
    columns = [_COLUMNS.get(name, name) for name in (names[:-1] if timestamp else names)]
    if "cputime" in columns:
        raise source.error(
            number, "-C prints the time to enqueue; accepted is output with times of execution."
        )
    if "time" not in columns:
        raise source.error(number, "a table without the column 'time'.")
    first = columns.index("time")
    sets: list[list[str]] = []
    for name in columns[first:]:
        if name == "time":
            sets.append([])
        sets[-1].append(name)
    _refuse_strange(source, number, columns[:first], sets)
    ways = re.findall(r"out-of-place|in-place", above)
    if len(ways) != len(sets) or len(set(ways)) != len(ways):
        raise source.error(
            number, "the line above the columns does not say which are out-of-place or in-place."
        )
    placements = [(way == "in-place", one) for way, one in zip(ways, sets, strict=True)]
    return Table(number, columns[:first], placements, names[0] == "bytes", timestamp)


def _refuse_strange(
    source: Source, number: int, shared: Sequence[str], sets: Sequence[Sequence[str]]
) -> None:
    strange = [n for n in shared if n not in _SHARED or shared.count(n) > 1]
    strange += [n for one in sets for n in one if n not in _PER_PLACEMENT or one.count(n) > 1]
    strange += ["time without busbw" for one in sets if "busbw" not in one]
    if strange:
        raise source.error(number, f"the column '{strange[0]}' is not known here.")


def rows_of(
    source: Source, number: int, line: str, table: Table, op: str, iterations: int | None
) -> list[PrintedRow]:
    """The figures of a line, one per placement. Raises UsageError if it is no row of its table."""
    words = line.split()
    if table.timestamp and len(words) > 2:
        words = words[:-2]
    if len(words) == table.width() - 1 and "redop" in table.shared and op not in REDUCING:
        words.insert(table.shared.index("redop"), "none")  # all-to-all before 2.12 leaves it empty
    if len(words) != table.width():
        raise source.error(
            number,
            f"{len(words)} columns where the head in line {table.line} has {table.width()}: no row "
            "of its table, or a damaged one.",
        )
    shared = dict(zip(table.shared, words, strict=False))
    rest = words[len(table.shared) :]
    rows = []
    for in_place, names in table.placements:
        own, rest = dict(zip(names, rest, strict=False)), rest[len(names) :]
        rows.append(_Row(source, number, table, op).read(shared, own, iterations, in_place))
    return rows


@dataclass(frozen=True)
class _Row:
    """Reads one placement of one line."""

    source: Source
    number: int
    table: Table
    op: str

    def read(
        self, shared: Mapping[str, str], own: Mapping[str, str], iterations: int | None,
        in_place: bool,
    ) -> PrintedRow:  # fmt: skip
        size, datatype = whole(shared["size"]), datatype_of(shared["type"])
        if size is None or whole(shared["count"]) is None:
            raise self.source.error(self.number, "size or count is no whole number.")
        if datatype is None:
            raise self.source.error(
                self.number, f"the datatype '{shared['type']}' is not known here."
            )
        data = "wrong" if "wrong" in own else "deviation"
        found = {name: self._figure(name, text) for name, text in own.items() if name != data}
        checked = self._checked(data, own.get(data, "N/A"))
        printed: dict[str, float | None] = {
            self._printed_name(name): value.value for name, value in found.items()
        }
        printed[data] = None if checked is None else checked.value
        wrong = int(checked.value) if checked is not None and data == "wrong" else None
        time = found["time"]
        return PrintedRow(
            where=f"line {self.number}", op=self.op, size=size, datatype=datatype,
            redop=self._redop(shared.get("redop", "none")),
            root=self._root(shared.get("root", "none")), in_place=in_place,
            time=scaled(time, 1000.0) if self.table.milliseconds else time, busbw=found["busbw"],
            wrong=wrong, verified=checked is not None, iterations=iterations, printed=printed,
        )  # fmt: skip

    def _printed_name(self, column: str) -> str:
        if column == "time":
            return "time_ms" if self.table.milliseconds else "time_us"
        return _PRINTED[column]

    def _figure(self, name: str, text: str) -> Figure:
        found = figure(text)
        if found is None:
            raise self.source.error(self.number, f"{name} is '{text}', which is no figure.")
        return found

    def _checked(self, name: str, text: str) -> Figure | None:
        """Wrong elements, or the largest deviation; None where nothing was checked."""
        if text == "N/A":
            return None
        found = self._figure(name, text)
        if name == "wrong" and not found.value.is_integer():
            raise self.source.error(self.number, f"'{text}' is no number of wrong elements.")
        return found

    def _redop(self, said: str) -> str | None:
        try:
            return redop_of(self.op, said)
        except KeyError:
            raise self.source.error(
                self.number,
                f"{self.op} reduces, and '{said}' is no reduction known here: another operation?",
            ) from None

    def _root(self, said: str) -> int | None:
        root = whole(said)
        if self.op in ROOTED and root is None:
            raise self.source.error(
                self.number, f"{self.op} has a root, and '{said}' is none: another operation?"
            )
        return root if self.op in ROOTED else None
