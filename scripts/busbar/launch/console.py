"""What the user sees while a run goes on: a line per block, a bar with the remaining time."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import monotonic
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from busbar.launch.slots import Slot, Visit
from busbar.record.lines import BlockLine, LaunchLine
from busbar.record.models import PointKey
from busbar.units import format_size

TheoryShare = Callable[[PointKey, float], float | None]
"""Share of the bound that a time in microseconds reaches; None where there is no bound."""

_HEADER = (
    f"{'operation':<15}{'size':>8} {'type':>11} {'redop':>9} {'variant':<12}"
    f"{'time us':>10} {'algbw':>8} {'busbw':>8} {'theory':>7} {'#wrong':>6}  launch"
)


class RunConsole:
    """Implements `runner.Watcher` on a terminal or in a log.

    `unreal` is said above the figures where these are of no real hardware.
    """

    def __init__(self, console: Console, share: TheoryShare, unreal: str = "") -> None:
        self._console = console
        self._share = share
        self._unreal = unreal
        self._clock = _Remaining()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            # A log has no bar to redraw; its lines per block are the progress.
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("starting", total=None, left="")
        self._header_printed = False

    def plan(self, visits: list[tuple[Slot, list[Visit]]]) -> None:
        """What there is to do, before anything is done."""
        self._clock.plan([visit for _, owed in visits for visit in owed])
        self._progress.update(self._task, total=sum(len(owed) for _, owed in visits))

    def launch(self, slot: Slot, launch: LaunchLine, visits: list[Visit]) -> None:
        """A launch has begun."""
        what = "observing" if slot.purpose == "observe" else f"launch {launch.launch + 1}"
        self._progress.update(self._task, description=what)
        self._clock.begin()

    def block(self, slot: Slot, line: BlockLine) -> None:
        """One line per block."""
        if slot.purpose == "observe":
            return
        if not self._header_printed:
            if self._unreal:
                self._console.print(self._unreal, style="bold yellow", highlight=False)
            self._console.print(_HEADER, style="bold", highlight=False, soft_wrap=True)
            self._header_printed = True
        self._console.print(self._row(slot, line), highlight=False, soft_wrap=True)

    def visited(self, slot: Slot, visit: Visit) -> None:
        """A visit is over: the bar moves."""
        self._clock.visited(visit)
        self._progress.update(self._task, advance=1, left=self._clock.left())

    def problem(self, sentence: str) -> None:
        """In red, and in the log."""
        self._console.print(escape(sentence), style="bold red", highlight=False, soft_wrap=True)

    def _row(self, slot: Slot, line: BlockLine) -> str:
        key, block = line.key, line.block
        time_us = median(block.samples_us)
        algbw = line.algorithm_bytes / time_us / 1000 if line.algorithm_bytes and time_us else None
        busbw = algbw * line.bus_factor if algbw is not None and line.bus_factor else None
        share = self._share(key, time_us)
        return escape(
            f"{key.op:<15}{format_size(key.size_bytes):>8} "
            f"{key.datatype:>11} {key.redop or '-':>9} {key.variant:<12}{time_us:>10.2f} "
            f"{_figure(algbw):>8} {_figure(busbw):>8} "
            f"{f'{share:.1%}' if share is not None else '-':>7} "
            f"{'-' if block.wrong_elements is None else block.wrong_elements:>6}  {slot.round + 1}"
            + (f"  {key.group.name}" if key.group.name != "all" else "")
            + (f"  {len(block.spoiled_samples)} spoiled" if block.spoiled_samples else "")
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._progress.stop()


class _Remaining:
    """Time left, from how long the same points took before.

    A sweep's sizes differ in cost by orders of magnitude, so a mean over all would mislead.
    """

    def __init__(self) -> None:
        self._open: list[PointKey] = []
        self._seen: dict[PointKey, list[float]] = {}
        self._since = monotonic()

    def plan(self, visits: list[Visit]) -> None:
        self._open = [visit.key for visit in visits]

    def begin(self) -> None:
        self._since = monotonic()

    def visited(self, visit: Visit) -> None:
        now = monotonic()
        self._seen.setdefault(visit.key, []).append(now - self._since)
        self._since = now
        if visit.key in self._open:
            self._open.remove(visit.key)

    def left(self) -> str:
        known = [median(times) for times in self._seen.values()]
        typical = sum(known) / len(known)
        seconds = sum(
            median(self._seen[key]) if key in self._seen else typical for key in self._open
        )
        return (
            f"about {seconds / 60:.0f} min left" if seconds > 90 else f"about {seconds:.0f} s left"
        )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
