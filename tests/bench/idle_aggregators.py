"""What aggregators cost that are present but unused: host collectives with and without them.

python tests/bench/idle_aggregators.py [ROUNDS]     exit 1 unless from 64 KiB on the interval over
                                                    rounds of time with over time without them
                                                    reaches down to 1, or the median is within 2 %

A round is a launch without aggregators and one with, in turns. With them, a variant that uses them
takes turns with the one that does not, as in any run that compares both; what is compared here is
the variant that does not.
"""

from __future__ import annotations

import sys
from statistics import median

from measured import run_record

from busbar.record.models import RunRecord
from busbar.record.statistics import interval_95
from busbar.units import format_size

FROM_BYTES = 64 * 1024
WITHIN = 0.02
ROUNDS = 10


def times(in_network: str, seed: int) -> dict[int, float]:
    """Median time of the host variant by size, of one launch."""
    record: RunRecord = run_record(
        [
            *("all_reduce", "--on", "emulated", "--hosts", "4", "--in-network", in_network),
            *("-b", "64", "-e", "1M", "-f", "4", "--launches", "1", "--max-seconds", "1"),
            *("--observe", "none", "--seed", str(seed)),
        ]
    )
    return {
        p.key.size_bytes: p.time_us.median
        for p in record.points
        if p.time_us is not None and p.key.variant == "default"
    }


def main() -> int:
    """Measure, print, decide."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    ratios: dict[int, list[float]] = {}
    for seed in range(rounds):
        both = {
            word: times(word, seed) for word in (("off", "off,on"), ("off,on", "off"))[seed % 2]
        }
        for size, without in both["off"].items():
            ratios.setdefault(size, []).append(both["off,on"][size] / without)
    holds = True
    for size, seen in sorted(ratios.items()):
        low, high = interval_95(seen) or (float("nan"), float("nan"))
        middle = median(seen)
        print(f"{format_size(size):>5}: {middle:.3f} ({low:.3f} to {high:.3f})")
        if size >= FROM_BYTES:
            holds &= low <= 1 or middle <= 1 + WITHIN
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
