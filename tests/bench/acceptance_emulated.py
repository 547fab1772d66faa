"""Whether the acceptance of an emulated network cries wolf, and whether it catches a slow port.

python tests/bench/acceptance_emulated.py [RUNS]     exit 1 unless, of RUNS (20) acceptances of 6
    emulated hosts, each a sweep and all pairs, judged against the fabric as it should be,
    with nothing wrong: none fails;
    with one direction of one host's port at 80 %, another one each time: all but one at most fail,
    and name just that host and direction.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from measured import run_record

from busbar import fabrics
from busbar.check import Verdict, check
from busbar.errors import ExitCode
from busbar.pairs.groups import Kind

HOSTS = 6
SLOW = "320mbit"
MOST_MISSED = 1
SWEEP = (
    *("send_recv", "all_reduce", "-b", "1M", "-e", "4M", "-f", "4", "--launches", "5"),
    *("--max-seconds", "0.3", "-n", "10", "--observe", "none"),
    *("--variant", "default:", "--variant", "portable:schedule=portable"),
)
PAIRS = (
    *("--pattern", "pairs", "-b", "1M", "-e", "1M", "--launches", "3"),
    *("--max-seconds", "0.2", "-n", "5"),
)


@dataclass(frozen=True)
class Accepted:
    """What one acceptance says."""

    failed: bool
    named: tuple[str, ...]
    """By pairs, with its kind."""
    open_rows: int
    rows_failed: int


def accept(rates: Sequence[str]) -> Accepted:
    """Measure and judge one network."""
    where = ["--on", "emulated", "--hosts", str(HOSTS)]
    where += [word for rate in rates for word in ("--rate", rate)]
    sound = fabrics.emulated(HOSTS)  # what was paid for, whatever this network is
    results = [check(run_record([*what, *where]), sound) for what in (SWEEP, PAIRS)]
    verdicts = [row.verdict for result in results for row in result.every()]
    return Accepted(
        failed=any(result.exit_code is ExitCode.NEGATIVE for result in results),
        named=tuple(
            f"{culprit.name}, {culprit.kind.value}"
            for result in results
            for one in result.blames
            for culprit in one.culprits
        ),
        open_rows=verdicts.count(Verdict.UNSURE) + verdicts.count(Verdict.MISSING),
        rows_failed=sum(result.count(Verdict.FAIL) for result in results),
    )


def main() -> int:
    """Measure, print, decide."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    missed = alarmed = 0
    for run in range(runs):
        host, way = f"host{run % HOSTS + 1}", ("tx", "rx")[run // HOSTS % 2]
        kind = {"tx": Kind.HOST_EGRESS, "rx": Kind.HOST_INGRESS}[way]
        slow = accept([f"{host}.{way}={SLOW}"])
        missed += not slow.failed or slow.named != (f"{host}, {kind.value}",)
        clean = accept([])
        alarmed += clean.failed
        print(
            f"acceptance {run + 1}: {host}.{way} slow: {slow.rows_failed} rows fail, named "
            f"{', '.join(slow.named) or 'nobody'}; nothing wrong: "
            f"{'FAILS' if clean.failed else 'fails nothing'}, {clean.open_rows} open",
            flush=True,
        )
    print(f"acceptance: {runs - missed} of {runs} caught and named, {alarmed} of {runs} cried wolf")
    return int(missed > MOST_MISSED or alarmed > 0)


if __name__ == "__main__":
    sys.exit(main())
