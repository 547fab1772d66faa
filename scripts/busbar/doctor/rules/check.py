"""A check: a pure function from the facts of all hosts to what it says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from busbar.doctor.facts import HostFacts
from busbar.doctor.finding import Finding, Inapplicable, Said, Severity, Unchecked

OneHost = Callable[[HostFacts], Iterable[Said]]


@dataclass(frozen=True)
class Check:
    """One question, with a name to waive it by; it says nothing of a host where all is well."""

    name: str
    subject: str
    """The heading that it stands under."""
    examine: Callable[[Sequence[HostFacts]], Iterable[Said]]


def on_each_host(name: str, subject: str, examine: OneHost) -> Check:
    """A check that looks at every host by itself."""

    def of_all(hosts: Sequence[HostFacts]) -> Iterator[Said]:
        for host in hosts:
            for said in examine(host):
                yield replace(said, hosts=(host.host,))

    return Check(name, subject, of_all)


def differences(
    what: str,
    values: Mapping[str, str | None],
    unread: Mapping[str, str],
    *,
    why: str,
    mend: str,
    source: str,
    severity: Severity = Severity.SPOILS,
) -> Iterator[Said]:
    """One finding where hosts have different values; a host without one is unchecked.

    `values` and `unread`, the reason of a missing value, are by host.
    """
    missing = [host for host, value in values.items() if value is None]
    for host in missing:
        yield Unchecked(f"{what}: {unread.get(host, 'it was not read')}", (host,))
    groups: dict[str, list[str]] = {}
    for host, value in values.items():
        if value is not None:
            groups.setdefault(value, []).append(host)
    if len(values) == 1:
        yield Inapplicable("one host has none to compare with", tuple(values))
    if len(groups) > 1:
        # The most frequent first: the others stick out.
        ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
        parts = "; ".join(f"{value} on {listed(hosts)}" for value, hosts in ordered)
        hosts = tuple(host for _, group in ordered for host in group)
        yield Finding(severity, f"{what} not the same: {parts}", why, mend, source, hosts)


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names in one phrase, with the number of those left out."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(names: Sequence[str], thing: str) -> str:
    """`GPU 0, GPU 1` as `2 of GPU: 0, 1`: a name alone, several with their number."""
    return f"{thing} {names[0]}" if len(names) == 1 else f"{len(names)} {thing}s ({listed(names)})"
