"""The emulated fabric against its own theory: time and bytes of neighbours sending in a ring.

python tests/bench/emulated_truth.py       exit 1 unless, on 4 hosts of 400 Mbit/s from 1 MiB on,
                                           send_recv reaches 97 % of its bound and every host
                                           sends what the algorithm must move, within 3 %
"""

from __future__ import annotations

import sys

from measured import label, run_record

from busbar.fabrics import emulated
from busbar.theory.bound import bound

LEAST_SHARE = 0.97
BYTES_OFF = 0.03
HOSTS = 4


def main() -> int:
    """Measure, print, decide."""
    record = run_record(
        [
            "send_recv",
            "all_reduce",
            "--on",
            "emulated",
            "--hosts",
            str(HOSTS),
            "--rate",
            "400mbit",
            "-b",
            "1M",
            "-e",
            "16M",
            "-f",
            "4",
            "--max-seconds",
            "2",
            "--observe",
            "none",
            "--variant",
            "default:schedule=portable",
        ]
    )
    fabric = emulated(HOSTS, 400e6)
    holds = True
    for point in sorted(record.points, key=lambda p: (p.key.op, p.key.size_bytes)):
        assert point.time_us is not None
        assert point.wire is not None
        limit = bound(fabric, point.key.op, point.key.size_bytes, fabric.placement())
        assert limit is not None
        share = limit.time_us / point.time_us.median
        factor = 1 if point.key.op == "send_recv" else 2 * (HOSTS - 1) / HOSTS
        payload = factor * point.key.size_bytes
        off = [(sent or 0) / payload - 1 for sent in point.wire.tx_bytes_per_node]
        print(
            f"{label(point)}: {share:.1%} of the bound, "
            f"bytes sent over payload {min(off):+.2%} to {max(off):+.2%}, "
            f"spoiled {point.spoiled_share:.0%}"
        )
        holds &= all(abs(one) <= BYTES_OFF for one in off)
        if point.key.op == "send_recv":
            holds &= share >= LEAST_SHARE
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
