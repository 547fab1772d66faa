"""Theory of all operations at 30 sizes on 100,000 GPUs.

python tests/bench/theory_100k.py [SECONDS]    exit 1 unless it took less than SECONDS (1)

Three tiers, NVLS and SHARP, so that every level and algorithm is there. Loading Python's modules
is not timed: a command does that once, whatever the size.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from clusters import Spec

from busbar.theory.cluster.layout import lay_out
from busbar.theory.cluster.shape import Shape
from busbar.theory.cluster.table import rows
from busbar.theory.operations import OPERATIONS

SECONDS = 1.0
GPUS = [1_000, 100_000, 1_000_000]
JUDGED = 100_000
SIZES = np.asarray([8 << n for n in range(30)], dtype=np.int64)


def main() -> int:
    """Make, time, print, decide."""
    most = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    spec = Spec(nodes=131_072, tiers=((32, 1.0), (512, 2.0), (8192, 4.0)), sharp=True, rails=True)
    fabric = spec.fabric()
    assert fabric.cluster is not None
    took = {}
    for gpus in GPUS:
        start = time.perf_counter()
        layout = lay_out(fabric.cluster, Shape(gpus, 8))
        found = [rows(fabric, layout, op, SIZES) for op in OPERATIONS]
        took[gpus] = time.perf_counter() - start
        figures = sum(len(SIZES) * (len(one.hosts_us) + len(one.network_us) + 2) for one in found)
        print(f"{gpus:>9,} GPUs: {len(found)} operations, {figures:,} figures, {took[gpus]:.3f} s")
    print(f"accepted of {JUDGED:,} GPUs is {most:g} s")
    return 0 if took[JUDGED] < most else 1


if __name__ == "__main__":
    sys.exit(main())
