"""Plans, judges and draws the pairs of 1,024 endpoints with three faults.

python tests/bench/pairs_1024.py [SECONDS]    exit 1 unless all three are named, nobody else is, and
                                              it took less than SECONDS (20)

All pairs in concurrent rounds, half of them alone as well, three launches, 20 % of concurrent pairs
halved by collisions. Making the matrix is not timed: a cluster does that.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from busbar.pairs.blame import blame
from busbar.pairs.groups import Kind
from busbar.pairs.rounds import all_pairs, sample
from busbar.pairs.sentences import culprit_sentence
from busbar.report.pair_figures import pair_figures
from busbar.report.pair_view import view
from busbar.report.static_pairs import pair_sheet
from synthetic_pairs import Fault, World, matrix, sites

SECONDS = 20.0
ENDPOINTS = 1024
FAULTS = [
    Fault(Kind.HOST_EGRESS, (5,), 0.8),
    Fault(Kind.HOST_INGRESS, (300,), 0.8),
    Fault(Kind.LEAF_UP, (20,), 0.5),
]
EXPECTED = {"host6", "host301", "leaf21"}


def main() -> int:
    """Make, time, print, decide."""
    most = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    world = World(
        ENDPOINTS, leaves=32, noise=0.02, launches=3, missing=0.5, concurrent=True,
        collisions=0.2, faults=FAULTS,
    )  # fmt: skip
    made, site_map = matrix(world), sites(world)
    marks = [("start", time.perf_counter())]

    def mark(name: str) -> None:
        marks.append((name, time.perf_counter()))

    rounds, alone = all_pairs(ENDPOINTS), sample(ENDPOINTS, ENDPOINTS * ENDPOINTS // 2, seed=1)
    mark("plan")
    found = blame(made, site_map)
    mark("judge")
    shown = view("pairs", found)
    page = json.dumps(pair_figures([shown]), allow_nan=False)
    mark("draw for the page")
    with TemporaryDirectory() as folder:
        pair_sheet(shown).savefig(Path(folder) / "pairs.png", dpi=150)
    mark("draw as PNG")
    print(f"{len(rounds)} rounds; sample covers {alone.covered:.0%}; {len(page) / 1e6:.1f} MB")
    for culprit in found.culprits:
        print(culprit_sentence(culprit, found))
    for (_, before), (name, after) in pairwise(marks):
        print(f"{name:>18}: {after - before:5.1f} s")
    total = marks[-1][1] - marks[0][1]
    print(f"{'in all':>18}: {total:5.1f} s, accepted {most:g} s")
    named = {culprit.name for culprit in found.culprits}
    return 0 if named == EXPECTED and not found.suspects and total < most else 1


if __name__ == "__main__":
    sys.exit(main())
