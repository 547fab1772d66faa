"""What a file of another tool says, in Busbar's words: between its format and the record.

Every reader of a format gives `Printout`s, one per launch of the tool; `to_record` makes a run
record of them. Nothing is filled in here that the file does not say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from busbar.errors import UsageError
from busbar.record.key import Timing

_TAG = re.compile(r"\[\d+,\d+\]<(stdout|stderr)>: ?")


def _untagged(line: str) -> str:
    tag = _TAG.match(line)
    if tag is None:
        return line
    return "#" if tag[1] == "stderr" else line[tag.end() :]


@dataclass(frozen=True)
class Source:
    """A file, and how its culprits are named."""

    name: str
    text: str

    def lines(self) -> list[str]:
        """Without their ends; the last one, if it has no end, included.

        `mpirun --tag-output` puts `[1,0]<stdout>:` before each line, which is taken off; what it
        marks as standard error is a comment.
        """
        lines = [_untagged(line.removesuffix("\r")) for line in self.text.split("\n")]
        return lines[:-1] if self.text.endswith("\n") or not self.text else lines

    def torn(self) -> bool:
        """Whether the last line has no end: then what stands there may be cut, figures too."""
        return bool(self.text) and not self.text.endswith("\n")

    def error(self, line: int, sentence: str) -> UsageError:
        """The refusal of a line, counted from 1."""
        return UsageError(f"{self.name} line {line}: {sentence}")

    def refuse(self, sentence: str) -> UsageError:
        """The refusal of the whole file."""
        return UsageError(f"{self.name}: {sentence}")


@dataclass(frozen=True)
class Figure:
    """A number as it was printed, and how far rounding may have moved it."""

    value: float
    half_unit: float
    """Half a unit of its last printed digit."""


@dataclass(frozen=True)
class Place:
    """Where a rank ran."""

    rank: int
    host: str
    pid: int | None
    gpu: int | None
    gpu_name: str | None
    pci_bus_id: str | None
    thread: int
    """Of its process."""


@dataclass(frozen=True)
class PrintedRow:
    """One figure of the other tool: an operation at a size."""

    where: str
    """The line or entry it stands in, for errors."""
    op: str
    size: int
    """Bytes as the tool counts them; `per_rank` says how."""
    datatype: str
    redop: str | None
    root: int | None
    in_place: bool
    time: Figure
    """Mean, us."""
    busbw: Figure | None
    """GB/s, where the tool prints it: shows whether operation, size, time and ranks agree."""
    wrong: int | None
    """Wrong elements; None where the tool did not check, or does not say how many."""
    verified: bool
    failed: str = ""
    """One sentence where the tool says that data was wrong, but not how much."""
    per_rank: bool = False
    """Whether `size` is what one rank contributes, of an operation whose S is the total."""
    whole_chunks: bool = False
    """Whether `size` must be divisible among the ranks, because the tool drops what is over."""
    iterations: int | None = None
    printed: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Printout:
    """One launch of the other tool."""

    where: str
    """Line or file, for errors."""
    rows: Sequence[PrintedRow]
    transport: str
    memory: str
    registration: str
    timing: Timing
    estimator: Literal["nccltests_pipelined", "osu_mean"]
    threads: int
    graph: bool
    places: Sequence[Place] | None
    """Ranks in order; None where the file does not say where they ran."""
    exactly_ranks: int | None = None
    """How many ranks the tool takes; None: any number from 2 on."""
    incomplete: str = ""
    """One sentence where rows may be missing."""
    wrong_somewhere: str = ""
    """One sentence where data was wrong, but in which row is not said."""
    settings: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str | None] = field(default_factory=dict)
    started: str | None = None


@dataclass(frozen=True)
class Reading:
    """A file that was read."""

    tool: str
    version: str | None
    format: Literal["text", "JSON"]
    printouts: Sequence[Printout]
