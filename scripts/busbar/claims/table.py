"""Claims and their verdicts on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from busbar.claims.judge import ClaimResult, Outcome
from busbar.claims.model import Claim, ClaimedFigure

_STYLE = {
    Outcome.HOLDS: "green",
    Outcome.DOES_NOT_HOLD: "bold red",
    Outcome.UNSURE: "yellow",
    Outcome.NOT_TESTED: "cyan",
}


def print_claims(console: Console, claims: Sequence[Claim]) -> None:
    """One line each."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("claim", no_wrap=True)
    table.add_column("what is claimed")
    table.add_column("tested by")
    for claim in claims:
        by = f"{claim.scenario.sentence()}; {'; '.join(map(figure_text, claim.figure))}"
        table.add_row(escape(claim.name), escape(claim.claim), escape(by))
    console.print(table)


def print_claim(console: Console, claim: Claim) -> None:
    """All of one."""
    told = [
        ("claim", claim.claim),
        ("source", claim.source),
        ("scenario", claim.scenario.sentence()),
        *(("figure", figure_text(figure)) for figure in claim.figure),
        ("how", claim.how),
        *([("not yet", claim.not_yet)] if claim.not_yet else []),
    ]
    for name, text in told:
        console.print(f"[bold]{name:<9}[/] {escape(text)}", highlight=False, soft_wrap=True)


def print_result(
    console: Console, result: ClaimResult, titles: Sequence[str], unreal: str = ""
) -> None:
    """Every point, then the verdict in one line, with what of it was `unreal`."""
    for title in titles:
        console.print(escape(title), highlight=False)
    if result.tested:
        console.print(_table(result))
    for one in result.tested:
        if one.reason:
            _say(console, one.outcome, f"{one.label} {one.against}: {one.reason}.")
    for sentence in result.missing:
        _say(console, Outcome.NOT_TESTED, sentence)
    on = f" ({unreal})" if unreal else ""
    _say(console, result.outcome, f"{result.claim.name}{on}: {result.claim.claim}.")
    if result.claim.not_yet and result.outcome is Outcome.NOT_TESTED:
        console.print(escape(result.claim.not_yet), highlight=False)


def figure_text(figure: ClaimedFigure) -> str:
    """`at least 1.8 times as fast as best, reduced in the network`."""
    if figure.compare == "bound":
        return f"{figure.variant} at {figure.at_least:.0%} of the bound at least"
    times = f"at least {figure.at_least:g} times as fast as"
    if figure.compare == "in_network":
        return f"in the network {times} {figure.baseline} by hosts"
    if figure.compare == "records":
        return f"the first record {times} the second"
    return f"{figure.variant} {times} {figure.baseline}"


def _table(result: ClaimResult) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("point")
    table.add_column("against")
    for column in ("measured", "95 % interval", "claimed"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for one in result.tested:
        interval = "-" if one.ci95 is None else f"{one.ci95[0]:.3f} to {one.ci95[1]:.3f}"
        value = "-" if one.value is None else f"{one.value:.3f}"
        style = _STYLE[one.outcome]
        table.add_row(
            escape(one.label), escape(one.against), value, interval, f"{one.at_least:g}",
            f"[{style}]{one.outcome.value}[/]",
        )  # fmt: skip
    return table


def _say(console: Console, outcome: Outcome, text: str) -> None:
    style = _STYLE[outcome]
    console.print(f"[{style}]{outcome.value}[/] {escape(text)}", highlight=False, soft_wrap=True)
