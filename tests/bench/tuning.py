"""Whether tuning finds on an emulated network what looking everywhere finds, in a fifth the time.

python tests/bench/tuning.py [SECONDS]     4 emulated hosts of 400 Mbit/s, three operations from
    64 KiB to 4 MiB, Open MPI; exit 1 unless
    what the default strategy finds is 95 % or more of the gain of what an exhaustive search finds,
    both proven anew in the same launches, taking turns;
    it took 20 % or less of the exhaustive search's seconds;
    the gain of all_reduce lies between 1.1 and 1.6: more than the fabric holds would be suspect.

SECONDS is the budget of each search (900), which neither should need.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from busbar.cli import parse_options, run_command_line
from busbar.commands.tune import job_of
from busbar.tune.candidate import Candidate
from busbar.tune.files import Folder
from busbar.tune.prove import Contest, Outcome, outcomes
from busbar.tune.tuned import Tuned, load_tuned

Where = tuple[str, int]
"""Operation and size in bytes."""
WHAT = ["all_reduce", "all_gather", "all_to_all", "-b", "64K", "-e", "4M", "-f", "4"]
PLACE = ["--on", "emulated", "--hosts", "4", "--rate", "400mbit", "--no-processes"]
LEAST_OF_GAIN = 0.95
MOST_OF_SECONDS = 0.20
BELIEVED = (1.1, 1.6)


def search(strategy: str, seconds: str, folder: Path) -> Tuned:
    """`busbar tune` with a strategy."""
    words = ["tune", *WHAT, *PLACE, "--strategy", strategy, "--budget", seconds]
    code = run_command_line([*words, "--output", str(folder)])
    if code != 0:
        raise SystemExit(f"the tuning ended with exit code {code}")
    return load_tuned(folder)


def prove_together(found: Mapping[str, Tuned], folder: Path) -> dict[str, dict[Where, Outcome]]:
    """What each search wrote down, all in the same new launches."""
    folder.mkdir()
    words = ["tune", *WHAT, *PLACE]
    job = job_of(words, parse_options(words), Folder(folder))
    points = {(p.key.op, p.key.size_bytes): p for p in job.wish.points}
    contests: dict[str, dict[Where, Contest]] = {name: {} for name in found}
    for name, tuned in found.items():
        for choice in tuned.kept():
            where, chosen = (choice.op, choice.size_bytes), Candidate.of(choice.settings)
            point = points[where]
            contests[name][where] = Contest(point, chosen, chosen.name)
    together = list(dict.fromkeys(c for one in contests.values() for c in one.values()))
    record = job.prove(together)
    judged = dict(zip(together, outcomes(record, together), strict=True)) if record else {}
    return {name: {w: judged[c] for w, c in one.items()} for name, one in contests.items()}


def mean_gain(op: str, tuned: Tuned, judged: Mapping[Where, Outcome]) -> float:
    """Geometric mean over the sizes; a size that keeps the default gains nothing."""
    sizes = [(op, choice.size_bytes) for choice in tuned.choices if choice.op == op]
    gains = [judged[where].gain if where in judged else 1.0 for where in sizes]
    return math.exp(fmean(math.log(gain) for gain in gains))


def main() -> int:
    """Search twice, prove together, print, decide."""
    seconds = sys.argv[1] if len(sys.argv) > 1 else "900"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {s: search(s, seconds, folder / s) for s in ("halving", "exhaustive")}
        judged = prove_together(found, folder / "together")
    holds = True
    for op in WHAT[:3]:
        ours, best = (mean_gain(op, found[s], judged[s]) for s in ("halving", "exhaustive"))
        print(f"tuning {op}: gain {ours:.3f}, exhaustive {best:.3f}, share {ours / best:.1%}")
        holds &= ours >= LEAST_OF_GAIN * best
        if op == "all_reduce":
            holds &= BELIEVED[0] <= ours <= BELIEVED[1]
    took = {name: tuned.cost.search_seconds for name, tuned in found.items()}
    share = took["halving"] / took["exhaustive"]
    print(f"tuning took {took['halving']:.0f} s of {took['exhaustive']:.0f} s, {share:.1%}")
    return int(not (holds and share <= MOST_OF_SECONDS))


if __name__ == "__main__":
    sys.exit(main())
