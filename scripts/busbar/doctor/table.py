"""An examination as a table on the terminal, and as a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from busbar.doctor.examine import Answer, Examination
from busbar.doctor.finding import Finding, Severity
from busbar.doctor.rules.check import listed

_STYLE = {Severity.SPOILS: "bold red", Severity.DOUBTFUL: "yellow", Severity.NOTE: "cyan"}
_ORDER = list(Severity)


def print_examination(console: Console, result: Examination) -> None:
    """Findings by subject, the worst first, then what could not be checked, then counts."""
    for subject in dict.fromkeys(answer.subject for answer in result.answers):
        answers = [answer for answer in result.answers if answer.subject == subject]
        if any(answer.findings or answer.unchecked for answer in answers):
            console.print(f"[bold]{escape(subject)}[/]", highlight=False)
            console.print(_table(answers, len(result.hosts)))
    console.print(summary(result), highlight=False)


def _table(answers: Sequence[Answer], hosts: int) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 2))
    table.add_column("severity", no_wrap=True)
    table.add_column("what", overflow="fold")
    found = [(finding, answer) for answer in answers for finding in answer.findings]
    for finding, answer in sorted(found, key=lambda pair: _ORDER.index(pair[0].severity)):
        table.add_row(_label(finding.severity, answer.waived), _told(finding, answer, hosts))
    for answer in answers:
        for said in answer.unchecked:
            where = _where(said.hosts, hosts)
            text = f"{escape(where)}{escape(said.reason)} [dim]({escape(answer.check)})[/]"
            label = "[dim]waived[/]" if answer.waived else "[magenta]unchecked[/]"
            table.add_row(label, text)
    return table


def _label(severity: Severity, waived: bool) -> str:
    return "[dim]waived[/]" if waived else f"[{_STYLE[severity]}]{severity.value}[/]"


def _told(finding: Finding, answer: Answer, hosts: int) -> str:
    head = f"{_where(finding.hosts, hosts)}{finding.what}."
    return (
        f"{escape(head)} [dim]({escape(answer.check)})[/]\n"
        f"[dim]{escape(finding.why)}\nMend: {escape(finding.mend)}\n"
        f"Source: {escape(finding.source)}[/]"
    )


def _where(names: Sequence[str], hosts: int) -> str:
    """On which hosts; nothing where there is one alone."""
    if hosts == 1 or not names:
        return ""
    return "all hosts: " if len(names) == hosts else f"{listed(names)}: "


def summary(result: Examination) -> str:
    """One sentence with the counts."""
    counts = {severity: 0 for severity in Severity}
    for answer in result.answers:
        for finding in answer.findings:
            counts[finding.severity] += not answer.waived
    waived = [answer.check for answer in result.answers if answer.waived]
    unchecked = [answer.check for answer in result.answers if answer.incomplete]
    parts = [
        f"{len(result.hosts)} host{'s' if len(result.hosts) > 1 else ''}",
        *(f"{count} {severity.value}" for severity, count in counts.items()),
        f"{len(unchecked)} unchecked" + (f" ({', '.join(unchecked)})" if unchecked else ""),
        f"{len(_holding(result))} checks hold",
        f"{len(_inapplicable(result))} do not apply here",
    ]
    if waived:
        parts.append(f"waived: {', '.join(waived)}")
    return escape(" · ".join(parts))


def _holding(result: Examination) -> list[str]:
    return [a.check for a in result.answers if not a.waived and a.holds(len(result.hosts))]


def _inapplicable(result: Examination) -> list[str]:
    return [
        a.check
        for a in result.answers
        if a.inapplicable and not a.findings and not a.unchecked and not a.holds(len(result.hosts))
    ]


def as_document(result: Examination) -> dict[str, Any]:
    """The whole examination for `--json`; `hosts` of an entry are those that it is true of."""
    return {
        "exit_code": int(result.exit_code),
        "hosts": result.hosts,
        "findings": [{**_named(a), **asdict(f)} for a in result.answers for f in a.findings],
        "unchecked": [{**_named(a), **asdict(u)} for a in result.answers for u in a.unchecked],
        "inapplicable": [
            {**_named(a), **asdict(i)} for a in result.answers for i in a.inapplicable
        ],
        "holds": _holding(result),
    }


def _named(answer: Answer) -> dict[str, Any]:
    return {"check": answer.check, "subject": answer.subject, "waived": answer.waived}
