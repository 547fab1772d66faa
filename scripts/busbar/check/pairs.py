"""What the pairs of a record say of its hosts: a verdict each, and on whatever else is slow.

A culprit fails; what may be one, or cannot be told from another, is unsure; a host of which too few
pairs are measured is missing. Bounds are not asked here: rows judge each pair against its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from busbar.check.result import RowResult, Verdict
from busbar.pairs.blame import Blame, Culprit, blame
from busbar.pairs.groups import Kind
from busbar.pairs.matrix import matrices
from busbar.pairs.residuals import LEAST_CELLS
from busbar.pairs.sentences import culprit_sentence, suspect_sentence
from busbar.pairs.sites import Sites
from busbar.record.models import RunRecord


def blames(record: RunRecord, sites: Sites) -> tuple[Blame, ...]:
    """One for each operation, size and variant that has pairs."""
    return tuple(blame(matrix, sites) for matrix in matrices(record))


def pair_findings(found: Sequence[Blame]) -> tuple[str, ...]:
    """A sentence for each culprit."""
    return tuple(
        f"{culprit_sentence(culprit, one)[:-1]} ({one.matrix.title})."
        for one in found
        for culprit in one.culprits
    )


def pair_notes(found: Sequence[Blame]) -> tuple[str, ...]:
    """Where pairs were measured that are too few to say anything of any host."""
    return tuple(
        f"Pairs of {one.matrix.title} are too few to say who is slow: that takes {LEAST_CELLS} "
        "outgoing and incoming ones of a host, measured alone or concurrently."
        for one in found
        if not _tells(one) and _pairs(one) > 1  # one alone was measured for its own sake
    )


def _pairs(one: Blame) -> int:
    return one.matrix.isolated.measured() + one.matrix.concurrent.measured()


def pair_rows(found: Sequence[Blame]) -> tuple[RowResult, ...]:
    """A verdict for each host, then for each leaf and path that is slow."""
    return tuple(row for one in found if _tells(one) for row in (*_hosts(one), *_beside_hosts(one)))


def _tells(one: Blame) -> bool:
    """Whether the pairs are a matrix at all, rather than one pattern such as a bisection."""
    return bool(one.culprits) or len(one.not_enough) < len(one.layout.hosts)


def _hosts(one: Blame) -> Iterator[RowResult]:
    for host in one.matrix.hosts():
        label = f"pairs {one.matrix.title}: {host}"
        guilty = [c for c in one.culprits if host in c.hosts and c.kind is not Kind.PATH]
        doubted = [c for c in guilty if _is_open(c, host)]
        might = [
            c for c in one.culprits for r in c.rivals if host in r.hosts and host not in c.hosts
        ]
        suspected = [s for s in one.suspects if host in s.hosts and s.kind is not Kind.PATH]
        if len(doubted) < len(guilty):
            verdict = Verdict.FAIL
            reasons = [culprit_sentence(c, one) for c in guilty if c not in doubted]
        elif doubted or might or suspected:
            verdict = Verdict.UNSURE
            reasons = [culprit_sentence(c, one) for c in (*doubted, *might)]
            reasons += [suspect_sentence(s, one) for s in suspected]
        elif host in one.not_enough:
            verdict = Verdict.MISSING
            reasons = [
                f"Too few of its pairs are measured to say anything: accepted are {LEAST_CELLS} "
                "outgoing and incoming ones."
            ]
        else:
            verdict, reasons = Verdict.PASS, []
        yield RowResult(label, None, verdict, " ".join(reasons))


def _beside_hosts(one: Blame) -> Iterator[RowResult]:
    """What is no host's, or may be another's."""
    for culprit in one.culprits:
        is_own = culprit.kind is not Kind.PATH and bool(culprit.hosts)
        if not is_own or all(_is_open(culprit, host) for host in culprit.hosts):
            name = " or ".join(dict.fromkeys([culprit.name, *(r.name for r in culprit.rivals)]))
            yield _row(one, name, Verdict.FAIL, culprit_sentence(culprit, one))
    for suspect in one.suspects:
        if not suspect.hosts or suspect.kind is Kind.PATH:
            yield _row(one, suspect.name, Verdict.UNSURE, suspect_sentence(suspect, one))


def _row(one: Blame, name: str, verdict: Verdict, sentence: str) -> RowResult:
    return RowResult(f"pairs {one.matrix.title}: {name}", None, verdict, sentence)


def _is_open(culprit: Culprit, host: str) -> bool:
    """Whether it may be another's fault than this host's."""
    return any(set(rival.hosts) != {host} for rival in culprit.rivals)
