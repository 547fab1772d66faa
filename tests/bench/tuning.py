"""Whether tuning finds on an emulated network what looking everywhere finds, in a fifth the time.

python tests/bench/tuning.py [search] [plain] [default]     4 emulated hosts of 400 Mbit/s, three
    operations from 64 KiB to 4 MiB, Open MPI; exit 1 unless
    search: what the default strategy finds is 95 % or more of the gain of what an exhaustive search
    finds, both proven anew in the same launches, taking turns; it took 20 % or less of the
    exhaustive search's seconds; the gain of all_reduce lies between 1.1 and 1.6: more than the
    fabric holds would be suspect;
    plain: a plain mpirun of a program that knows nothing of Busbar gains as much by the rules file
    that was written: for each size that has a rule, the intervals of both gains meet;
    default: on two hosts from 1 MiB on, where Open MPI's own choice is as good as any, all_reduce
    keeps it. (At 256 KiB a segmented ring is surely 1.5 % faster there.)
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median

from busbar.cli import parse_options, run_command_line
from busbar.commands.tune import job_of
from busbar.record.statistics import interval_95
from busbar.tune.candidate import Candidate
from busbar.tune.files import Folder
from busbar.tune.outputs.names import OMPI_RULES
from busbar.tune.prove import Contest, Outcome, outcomes
from busbar.tune.tuned import Tuned, load_tuned

Where = tuple[str, int]
"""Operation and size in bytes."""
WHAT = ["all_reduce", "all_gather", "all_to_all", "-b", "64K", "-e", "4M", "-f", "4"]
PLACE = ["--on", "emulated", "--hosts", "4", "--rate", "400mbit", "--no-processes"]
QUICK_PROOF = ["--max-seconds", "0.7"]
LEAST_OF_GAIN = 0.95
MOST_OF_SECONDS = 0.20
BELIEVED = (1.1, 1.6)
BUDGET = "900"
"""Seconds, which no search should need."""
PLAIN_LAUNCHES = 5
REPETITIONS = 12
PROGRAM = Path(__file__).parents[2] / "build" / "release" / "bin" / "plain_all_reduce"


def search(strategy: str, folder: Path) -> Tuned:
    """`busbar tune` with a strategy."""
    words = ["tune", *WHAT, *PLACE, *QUICK_PROOF, "--strategy", strategy, "--budget", BUDGET]
    code = run_command_line([*words, "--output", str(folder)])
    if code != 0:
        raise SystemExit(f"the tuning ended with exit code {code}")
    return load_tuned(folder)


def prove_together(found: Mapping[str, Tuned], folder: Path) -> dict[str, dict[Where, Outcome]]:
    """What each search wrote down, all in the same new launches."""
    folder.mkdir()
    words = ["tune", *WHAT, *PLACE, *QUICK_PROOF]
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


def plain(op: str, sizes: Sequence[int], rules: Path | None) -> dict[int, float]:
    """Microseconds by size of a program that calls MPI and nothing else."""
    words = ["emulate", "--hosts", "4", "--rate", "400mbit", "--", "mpirun", "-np", "4"]
    if rules is not None:
        words += ["--mca", "coll_tuned_use_dynamic_rules", "1"]
        words += ["--mca", "coll_tuned_dynamic_rules_filename", str(rules)]
    words += [str(PROGRAM), op, str(REPETITIONS), "4", *map(str, sizes)]
    busbar = [sys.executable, "-c", "from busbar.cli import main; main()"]
    done = subprocess.run([*busbar, *words], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {int(line["bytes"]): float(line["median_us"]) for line in lines}


def plain_gains_hold(tuned: Tuned, folder: Path) -> bool:
    """Whether each proven gain is found again without Busbar, in launches that take turns."""
    holds = True
    for op in WHAT[:3]:
        proven = {c.size_bytes: c for c in tuned.kept() if c.op == op}
        if not proven:
            continue
        runs = [
            (plain(op, list(proven), None), plain(op, list(proven), folder / OMPI_RULES))
            for _ in range(PLAIN_LAUNCHES)
        ]
        for size, choice in proven.items():
            ratios = [default[size] / ruled[size] for default, ruled in runs]
            low, high = interval_95(ratios) or (0.0, math.inf)
            assert choice.gain_interval is not None
            meet = low <= choice.gain_interval[1] and high >= choice.gain_interval[0]
            print(
                f"tuning {op} {size} B: plain mpirun gains {median(ratios):.3f} ({low:.3f} to "
                f"{high:.3f}), proven {choice.gain:.3f} ({choice.gain_interval[0]:.3f} to "
                f"{choice.gain_interval[1]:.3f}){'' if meet else '   OTHERWISE'}"
            )
            holds &= meet
    return holds


def default_stays(place: Path) -> bool:
    """Whether nothing is written where the default is as good as anything."""
    folder = place / "found"
    words = ["tune", "all_reduce", "-b", "1M", "-e", "4M", "--on", "emulated", "--hosts", "2"]
    words += ["--rate", "400mbit", "--no-processes", "--budget", "120", "--output", str(folder)]
    if run_command_line(words) != 0:
        return False
    kept = [(choice.size_bytes, choice.settings) for choice in load_tuned(folder).kept()]
    print(f"tuning on two hosts keeps {kept or 'the default'}")
    return not kept and not (folder / OMPI_RULES).exists()


def search_holds(folder: Path) -> bool:
    """Whether the default strategy finds what an exhaustive search finds, in far less time."""
    found = {name: search(name, folder / name) for name in ("halving", "exhaustive")}
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
    return holds and share <= MOST_OF_SECONDS


def plain_holds(folder: Path) -> bool:
    """Whether what is written does the same without Busbar."""
    return plain_gains_hold(search("halving", folder / "halving"), folder / "halving")


PARTS = {"search": search_holds, "plain": plain_holds, "default": default_stays}


def main() -> int:
    """Carry out the parts that are named, else all; print, decide."""
    holds = True
    for name in sys.argv[1:] or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            holds &= PARTS[name](Path(folder))
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
