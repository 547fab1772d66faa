"""What the timed region costs besides the operation: an operation that does nothing.

python tests/bench/null_overhead.py        exit 1 unless every launch's median is under 0.1 us
"""

from __future__ import annotations

import sys

from measured import run_record

LIMIT_US = 0.1
LAUNCHES = 5


def main() -> int:
    """Measure, print, decide."""
    record = run_record(
        ["null", "--on", "local", "--ranks", "2", "--launches", str(LAUNCHES), "--observe", "none"]
    )
    (point,) = record.points
    assert point.time_us is not None
    medians = sorted(sorted(b.samples_us)[len(b.samples_us) // 2] for b in point.blocks)
    print(f"null operation, 2 ranks, medians of {LAUNCHES} launches in us: {medians}")
    return 0 if medians[-1] < LIMIT_US else 1


if __name__ == "__main__":
    sys.exit(main())
