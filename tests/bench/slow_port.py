"""Whether pairs name the one slow port of an emulated network, and nobody where there is none.

python tests/bench/slow_port.py [RUNS]     exit 1 unless, of RUNS (20) runs on 6 emulated hosts,
    with one direction of one host's port at 80 %, another one each time: all but one at most name
    just that host and direction;
    with nothing wrong: none names anybody.
"""

from __future__ import annotations

import sys

from measured import run_record

from busbar.check.pairs import blames
from busbar.fabrics import from_emulation
from busbar.pairs.groups import Kind
from busbar.pairs.sites import of_fabric as sites_of_fabric

HOSTS = 6
SLOW = "320mbit"
MOST_MISSED = 1


def named(rates: list[str]) -> list[str]:
    """What one run names, with its kind."""
    record = run_record(
        [
            *("--pattern", "pairs", "--on", "emulated", "--hosts", str(HOSTS)),
            *(word for rate in rates for word in ("--rate", rate)),
            *("-b", "1M", "-e", "1M", "--launches", "3", "-n", "5", "--max-seconds", "0.2"),
        ]
    )
    assert record.run.emulation is not None
    sites = sites_of_fabric(from_emulation(record.run.emulation))
    return [
        f"{culprit.name}, {culprit.kind.value}"
        for one in blames(record, sites)
        for culprit in one.culprits
    ]


def main() -> int:
    """Measure, print, decide."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    missed = blamed = 0
    for run in range(runs):
        host, way = f"host{run % HOSTS + 1}", ("tx", "rx")[run // HOSTS % 2]
        kind = {"tx": Kind.HOST_EGRESS, "rx": Kind.HOST_INGRESS}[way]
        found = named([f"{host}.{way}={SLOW}"])
        missed += found != [f"{host}, {kind.value}"]
        clean = named([])
        blamed += bool(clean)
        print(
            f"slow_port run {run + 1}: {host}.{way} slow: {found}; nothing wrong: {clean}",
            flush=True,
        )
    print(f"slow_port: {runs - missed} of {runs} named, {blamed} of {runs} blamed for nothing")
    return int(missed > MOST_MISSED or blamed > 0)


if __name__ == "__main__":
    sys.exit(main())
