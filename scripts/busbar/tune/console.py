"""What the user sees while a search goes on."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from busbar.tune.budget import Budget
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.points import TunePoint
from busbar.tune.search import PointSearch
from busbar.tune.tuned import Tuned
from busbar.units import format_size

_LOG_SECONDS = 30.0
"""From line to line in a log, which has no bar to redraw."""


class TuneConsole:
    """Implements `search.Watcher`: a bar over the budget, and a line for what cannot be used."""

    def __init__(self, console: Console, seconds: float) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("searching"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("searching", total=seconds, left="")
        self._said_at = 0.0

    def answered(self, search: PointSearch, budget: Budget) -> None:
        """The bar moves."""
        spent = budget.spent()
        left = f"at most {budget.left():.0f} s left, now {point_name(search.point)}"
        self._progress.update(self._task, completed=spent, left=left)
        if not self._console.is_terminal and spent - self._said_at >= _LOG_SECONDS:
            self._console.print(f"searching: {spent:.0f} s, {left}", highlight=False)
            self._said_at = spent

    def failed(self, point: TunePoint, candidate: Candidate, why: str) -> None:
        """It stays out, and the reason is said: it may be a fault of the library."""
        self._console.print(
            escape(f"{point_name(point)}: {candidate.name} is left out: {why}"),
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._progress.stop()


def point_name(point: TunePoint) -> str:
    """`all_reduce 4M`."""
    return f"{point.key.op} {format_size(point.key.size_bytes)}"


def print_found(console: Console, searches: list[PointSearch]) -> None:
    """What the search thinks, before the proof."""
    console.print(
        f"{'operation':<15}{'size':>8}{'default us':>13}{'best us':>11}  "
        f"{'looked at':>10}  what was found",
        style="bold",
        highlight=False,
        soft_wrap=True,
    )
    for one in searches:
        best = one.best()
        default, found = one.history.estimate(DEFAULT), one.history.estimate(best)
        looked = f"{len(one.history.samples)}/{len(one.space.candidates)}"
        notes = [] if one.finished else ["budget spent"]
        notes += [f"{len(one.pruned)} pruned by theory"] if one.pruned else []
        said = one.space.short_name(best) + (f"  ({', '.join(notes)})" if notes else "")
        console.print(
            escape(
                f"{one.point.key.op:<15}{format_size(one.point.key.size_bytes):>8}"
                f"{default.median if default else 0:>13.1f}{found.median if found else 0:>11.1f}  "
                f"{looked:>10}  {said}"
            ),
            highlight=False,
            soft_wrap=True,
        )


def print_notes(console: Console, notes: list[str]) -> None:
    """What the workload leaves out, so that nobody takes its gain for the application's."""
    for note in notes:
        console.print(escape(f"workload: {note}"), style="dim", highlight=False, soft_wrap=True)


def print_tuned(console: Console, tuned: Tuned) -> None:
    """What is kept, and why the rest is not."""
    for choice in tuned.choices:
        kept = bool(choice.settings)
        words = " ".join(f"{k}={v}" for k, v in choice.settings.items()) or "default stays"
        console.print(
            escape(f"{choice.op:<15}{format_size(choice.size_bytes):>8}  {words}: {choice.why}"),
            style="green" if kept else "",
            highlight=False,
            soft_wrap=True,
        )
    cost = tuned.cost
    spent = f"search {cost.search_seconds:.0f} s, proof {cost.proof_seconds:.0f} s"
    if not tuned.kept() and not tuned.environment:
        console.print(f"Nothing beats the default here: no setting is written ({spent}).")
    elif tuned.total_gain is not None:
        within = ""
        if tuned.total_gain_interval is not None:
            low, high = tuned.total_gain_interval
            within = f" ({low:.3f} to {high:.3f})"
        time = " in virtual time, which repeats itself exactly" if tuned.made_for.simulated else ""
        console.print(
            f"The workload runs {tuned.total_gain:.3f} times as fast{within}{time}; {spent}.",
            highlight=False,
        )
