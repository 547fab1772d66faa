"""Our `osu_mean` estimator beside what the OSU micro-benchmarks print: same library, same minute.

    python tests/bench/against_osu.py OSU_FOLDER        exit 1 unless ours is no higher

OSU_FOLDER holds osu_allreduce and osu_latency somewhere below it. The two take turns; the medians
of the rounds are compared, and OSU's own spread, with which "no higher" must be read, is printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from measured import run_record

ROUNDS = 7
SIZE = 8
PAIRS = [("all_reduce", "isolated", "osu_allreduce"), ("ping_pong", "pipelined", "osu_latency")]


def osu(program: Path) -> float:
    """What OSU prints for 8 bytes on 2 ranks, us."""
    words = ["mpirun", "--quiet", "-np", "2", "--host", "localhost:2", "--bind-to", "core"]
    if os.geteuid() == 0:
        words.append("--allow-run-as-root")
    done = subprocess.run(
        [*words, str(program), "-m", f"{SIZE}:{SIZE}"], capture_output=True, text=True, check=True
    )
    (row,) = [line.split() for line in done.stdout.splitlines() if line.startswith(f"{SIZE} ")]
    return float(row[1])


def ours(op: str, timing: str) -> float:
    """Our estimator of the same, us."""
    record = run_record(
        [
            op,
            "--on",
            "local",
            "--ranks",
            "2",
            "-b",
            str(SIZE),
            "-e",
            str(SIZE),
            "--launches",
            "1",
            "--timing",
            timing,
            "--observe",
            "none",
            "--relative-ci",
            "0.002",
            "-n",
            "20000",
        ]
    )
    (point,) = record.points
    assert point.estimators.osu_mean is not None
    return point.estimators.osu_mean


def main() -> int:
    """Measure, print, decide."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    holds = True
    for op, timing, name in PAIRS:
        (program,) = [
            p for p in Path(sys.argv[1]).rglob(name) if p.is_file() and ".libs" not in p.parts
        ]
        theirs, mine = [], []
        for _ in range(ROUNDS):
            theirs.append(osu(program))
            mine.append(ours(op, timing))
        print(
            f"{op} {SIZE} B: ours {median(mine):.3f} us ({min(mine):.3f} to {max(mine):.3f}), "
            f"{name} {median(theirs):.3f} us ({min(theirs):.3f} to {max(theirs):.3f})"
        )
        holds &= median(mine) <= median(theirs)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
