"""What reduction in the network gains on emulated fabrics, against what theory allows.

python tests/bench/in_network.py     exit 1 unless
    on 4 hosts of 400 Mbit/s, 4 MiB float sum: the algorithm bandwidth in the network is 97 % of the
    link or more, so its bus bandwidth 1.45 times the link; every host sends the size with it and
    2(N-1)/N of it in a ring without, within 3 %; both are proven;
    on 10 hosts of 100 Mbit/s: the gain over a ring at its bound is 1.7 or more.
"""

from __future__ import annotations

import sys

from measured import run_record

from busbar.check.gain import gains
from busbar.fabrics import from_emulation
from busbar.record.models import RunRecord

LEAST_OF_LINK = 0.97
LEAST_BUS_OVER_LINK = 1.45
LEAST_GAIN = 1.7
BYTES_OFF = 0.03


def measure(hosts: int, rate: str, size: str) -> RunRecord:
    """Five launches, the library's default, its ring, the portable ring and the tree in turns."""
    return run_record(
        [
            *("all_reduce", "--on", "emulated", "--hosts", str(hosts), "--rate", rate),
            *("-b", size, "-e", size, "--in-network", "off,on", "--max-seconds", "2"),
            *("--observe", "none", "--variant", "default"),
            *("--variant", "ring:coll_tuned_allreduce_algorithm=4"),
            *("--variant", "portable:schedule=portable"),
        ]
    )


def tell_gains(record: RunRecord) -> float:
    """Print the gain over each baseline; that over a ring at its bound."""
    assert record.run.emulation is not None
    (row,) = gains(record, from_emulation(record.run.emulation))
    for gain in row.gains:
        low, high = gain.ci95 or (float("nan"), float("nan"))
        print(f"  over {gain.baseline}: {gain.ratio:.3f} ({low:.3f} to {high:.3f})")
    assert row.most is not None
    print(f"  theory, over {row.most.baseline}: {row.most.gain:.3f}")
    return row.gains[-1].ratio


def bytes_hold(record: RunRecord, hosts: int) -> bool:
    """Print what every host sent, over what its algorithm must; whether all are close."""
    holds = True
    for point in record.points:
        in_network = point.key.variant == "in_network"
        if point.key.variant == "default":  # the library's choice is its own
            continue
        assert point.wire is not None
        must = point.key.size_bytes * (1.0 if in_network else 2 * (hosts - 1) / hosts)
        off = [(sent or 0) / must - 1 for sent in point.wire.tx_bytes_per_node]
        seen = point.observed.in_network
        print(f"  {point.key.variant}: sent {min(off):+.2%} to {max(off):+.2%}, in network: {seen}")
        holds &= max(map(abs, off)) <= BYTES_OFF and seen is in_network
    return holds


def main() -> int:
    """Measure, print, decide."""
    print("4 hosts of 400 Mbit/s, all_reduce of 4 MiB")
    record = measure(4, "400mbit", "4M")
    link = 400e6 / 8e9
    point = next(p for p in record.points if p.key.variant == "in_network")
    assert point.algbw_gbs is not None
    assert point.busbw_gbs is not None
    of_link, bus = point.algbw_gbs / link, point.busbw_gbs / link
    print(f"  in the network: algbw {of_link:.1%} of the link, busbw {bus:.3f} times the link")
    holds = of_link >= LEAST_OF_LINK and bus >= LEAST_BUS_OVER_LINK
    tell_gains(record)
    holds &= bytes_hold(record, 4)

    print("10 hosts of 100 Mbit/s, all_reduce of 4 MiB")
    record = measure(10, "100mbit", "4M")
    holds &= tell_gains(record) >= LEAST_GAIN
    holds &= bytes_hold(record, 10)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
