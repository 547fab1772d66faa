"""All checks on all hosts, what they said put together, and the exit code that follows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from busbar.doctor.facts import HostFacts
from busbar.doctor.finding import Finding, Inapplicable, Said, Severity, Unchecked
from busbar.doctor.rules import CHECKS
from busbar.doctor.rules.check import Check
from busbar.errors import ExitCode, UsageError

_S = TypeVar("_S", bound=Said)


@dataclass(frozen=True)
class Answer:
    """What one check said; hosts of which it said the same are together."""

    check: str
    subject: str
    waived: bool
    findings: list[Finding] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)
    inapplicable: list[Inapplicable] = field(default_factory=list)

    @property
    def spoils(self) -> bool:
        """Whether something was found that spoils, and not waived."""
        return not self.waived and any(f.severity is Severity.SPOILS for f in self.findings)

    @property
    def incomplete(self) -> bool:
        """Whether a host could not be looked at, and that is not waived."""
        return not self.waived and bool(self.unchecked)

    def holds(self, hosts: int) -> bool:
        """Whether it looked at a host at least, and has nothing but notes."""
        without = {host for said in self.inapplicable for host in said.hosts}
        harm = any(f.severity is not Severity.NOTE for f in self.findings)
        looked = len(without) < hosts and not (self.inapplicable and not without)
        return looked and not harm and not self.unchecked


@dataclass(frozen=True)
class Examination:
    """All answers."""

    hosts: list[str]
    answers: list[Answer]

    @property
    def exit_code(self) -> ExitCode:
        """1 where something spoils, 3 where a check could not be made, else 0."""
        if any(answer.spoils for answer in self.answers):
            return ExitCode.NEGATIVE
        if any(answer.incomplete for answer in self.answers):
            return ExitCode.INCOMPLETE
        return ExitCode.HOLDS


def examine(
    hosts: Sequence[HostFacts], waived: Iterable[str] = (), unanswered: Sequence[str] = ()
) -> Examination:
    """Ask all checks. `unanswered`: why hosts that were asked for facts are not among `hosts`.

    Raises UsageError for a waived check that there is not.
    """
    waivers = set(waived)
    refuse_unknown(waivers)
    answers = [_answer(check, hosts, check.name in waivers) for check in CHECKS]
    if unanswered:
        missing = [Unchecked(reason) for reason in unanswered]
        answers.insert(0, Answer("hosts", "Hosts", False, unchecked=missing))
    return Examination([host.host for host in hosts], answers)


def refuse_unknown(names: Iterable[str]) -> None:
    """Raises UsageError for the name of a check that there is not."""
    known = [check.name for check in CHECKS]
    for name in names:
        if name not in known:
            raise UsageError(
                f"--waive {name}: there is no such check; accepted: {', '.join(known)}"
            )


def _answer(check: Check, hosts: Sequence[HostFacts], waived: bool) -> Answer:
    said = list(check.examine(hosts))
    return Answer(
        check.name,
        check.subject,
        waived,
        _merged([one for one in said if isinstance(one, Finding)]),
        _merged([one for one in said if isinstance(one, Unchecked)]),
        _merged([one for one in said if isinstance(one, Inapplicable)]),
    )


def _merged(said: Sequence[_S]) -> list[_S]:
    """The same words of several hosts as one."""
    hosts: dict[_S, list[str]] = {}
    for one in said:
        hosts.setdefault(replace(one, hosts=()), []).extend(one.hosts)
    return [replace(one, hosts=tuple(dict.fromkeys(names))) for one, names in hosts.items()]
