"""How far the reported median of a point strays when the whole measurement is done again.

    python tests/bench/repeatability.py [OSU_FOLDER]    exit 1 if any point strays by 10 % or more

A sweep of all_reduce on 2 local ranks, 8 B to 16 MiB, five launches, done five times. With
OSU_FOLDER, osu_allreduce's own five runs are shown beside it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from measured import run_record

TIMES = 5
MOST = 0.10


def strayed(values: list[float]) -> float:
    """Largest distance from the median, as a share of it."""
    return max(abs(v / median(values) - 1) for v in values)


def ours() -> dict[int, float]:
    """Median per size, us."""
    record = run_record(
        [
            "all_reduce",
            "--on",
            "local",
            "--ranks",
            "2",
            "-b",
            "8",
            "-e",
            "16M",
            "-f",
            "8",
            "--observe",
            "none",
        ]
    )
    return {p.key.size_bytes: p.time_us.median for p in record.points if p.time_us is not None}


def osu(folder: Path) -> dict[int, float]:
    """What osu_allreduce prints per size, us."""
    (program,) = [
        p for p in folder.rglob("osu_allreduce") if p.is_file() and ".libs" not in p.parts
    ]
    words = ["mpirun", "--quiet", "-np", "2", "--host", "localhost:2", "--bind-to", "core"]
    if os.geteuid() == 0:
        words.append("--allow-run-as-root")
    words += [str(program), "-m", f"8:{16 << 20}", "-M", str(64 << 20)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines() if line and line[0].isdigit()]
    return {int(row[0]): float(row[1]) for row in rows}


def main() -> int:
    """Measure, print, decide."""
    mine = [ours() for _ in range(TIMES)]
    theirs = [osu(Path(sys.argv[1])) for _ in range(TIMES)] if len(sys.argv) > 1 else []
    worst = 0.0
    for size in mine[0]:
        times = [run[size] for run in mine]
        worst = max(worst, strayed(times))
        beside = ""
        if theirs:
            others = [run[size] for run in theirs]
            beside = f"   osu_allreduce {median(others):.2f} us, strays {strayed(others):.1%}"
        print(f"{size:>9} B: {median(times):.2f} us, strays {strayed(times):.1%}{beside}")
    print(f"worst: {worst:.1%}")
    return 0 if worst < MOST else 1


if __name__ == "__main__":
    sys.exit(main())
