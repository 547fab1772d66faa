"""What else goes on, and what time hosts think it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from busbar.doctor.facts import HostFacts
from busbar.doctor.finding import Finding, Inapplicable, Said, Severity, Unchecked
from busbar.doctor.rules.check import Check, on_each_host

DOUBTFUL_SHARE = 0.05
"""Of the processors, busy over the last minute. Busbar's own choice: beyond, a rank bound to each
processor meets another program in one visit of twenty. One busy processor is always let pass."""
SPOILING_SHARE = 0.5


def _load(host: HostFacts) -> Iterator[Said]:
    load, cores = host.load_1m, host.cpu.online
    if load is None or cores is None:
        yield Unchecked(host.why("/proc/loadavg", "cpu/online"))
    elif load > max(1.0, DOUBTFUL_SHARE * cores):
        spoils = load > max(1.0, SPOILING_SHARE * cores)
        yield Finding(
            Severity.SPOILS if spoils else Severity.DOUBTFUL,
            f"{load:.1f} programs want to run, on {cores} processors",
            "Ranks wait for a processor, and all others for them.",
            "See top for who it is, and wait until the load has fallen.",
            f"Busbar: doubtful beyond {DOUBTFUL_SHARE:.0%} of the processors, spoilt beyond "
            f"{SPOILING_SHARE:.0%}; one busy processor passes",
        )


def _clocks(hosts: Sequence[HostFacts]) -> Iterator[Said]:
    if len(hosts) == 1:
        yield Inapplicable("one host has no clocks to compare", (hosts[0].host,))
        return
    for host in hosts:
        if host.clock_synchronised is None:
            yield Unchecked(host.why("adjtimex"), (host.host,))
    wrong = tuple(host.host for host in hosts if host.clock_synchronised is False)
    if wrong:
        yield Finding(
            Severity.DOUBTFUL,
            "the kernel's clock is not synchronised",
            "Logs, counters and change points of different hosts cannot be put in order; Busbar's "
            "timings synchronise by themselves.",
            "systemctl enable --now chronyd (or systemd-timesyncd)",
            "adjtimex(2), STA_UNSYNC",
            wrong,
        )


CHECKS: tuple[Check, ...] = (
    on_each_host("load", "Load and time", _load),
    Check("clocks", "Load and time", _clocks),
)
