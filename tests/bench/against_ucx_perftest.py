"""The transport ucx beside ucx_perftest: the same library, the same test, the same minute.

    python tests/bench/against_ucx_perftest.py [local] [tcp]     exit 1 unless ours is as fast

`local`: two ranks of this machine through shared memory. `tcp`: two emulated hosts, whose link ours
must also fill to 98 % from 1 MiB on, as pipelined tagged messages. The two take turns. Ours is as
fast where the median of its rounds is within the spread of theirs, and the least is told too: other
work on the machine only ever makes a round slower. Not the same, and said here because it shows:

* ucx_perftest's put_lat polls the last byte of the message itself; ours writes a number after the
  message, by which the receiver knows that all of it has come.
* Its am tests drop a short message where it lies; ours copies it to where the operation wants it.
* Its get reads memory that never changes; ours is told first that the message is there.
* Its bw tests know when the sender is done, ours when both are, and ours send two inputs in turn.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

from measured import run_record

from busbar.emulate.topology import FIRST_HOST
from busbar.record.models import RunRecord

ROUNDS = 5
SIZES = [8, 4096, 65536, 1 << 20]
RATE_MBIT = 400
WINDOW = 64
LEAST_OF_LINK = 0.98
FILLING = 1 << 20
EMULATED = ["--hosts", "2", "--rate", f"{RATE_MBIT}mbit"]
METHODS = ["tag", "put", "get", "am"]
TESTS = [
    ("tag_lat", "ping_pong", "tag"),
    ("ucp_put_lat", "ping_pong", "put"),
    ("ucp_am_lat", "ping_pong", "am"),
    ("tag_bw", "one_way", "tag"),
    ("ucp_put_bw", "one_way", "put"),
    ("ucp_get", "one_way", "get"),
    ("ucp_am_bw", "one_way", "am"),
]
Key = tuple[str, str, int]
"""Operation, method, size."""


def iterations(size: int, place: str) -> int:
    """Enough for a fraction of a second, as a round of ours takes."""
    rate = 2e9 if place == "local" else RATE_MBIT * 1e6 / 8
    return max(20, int(0.4 / (size / rate + (0.5e-6 if place == "local" else 60e-6))))


def theirs(test: str, size: int, place: str) -> float:
    """What ucx_perftest prints, us: of a latency the median, else the overall average."""
    server = "localhost" if place == "local" else str(FIRST_HOST)
    count = iterations(size, place)
    client = f"ucx_perftest {server} -t {test} -s {size} -n {count} -w {count // 10} -O {WINDOW} -f"
    # The server may not listen yet when the client comes.
    script = (
        'if [ "$OMPI_COMM_WORLD_RANK" = 0 ]; then exec ucx_perftest >/dev/null; fi; '
        f"for try in $(seq 100); do {client} && exit 0; sleep 0.1; done 2>/dev/null; exit 1"
    )
    mpirun = ["mpirun", "--quiet", "-np", "2"]
    if place == "local":
        if os.geteuid() == 0:
            mpirun.append("--allow-run-as-root")
        words = [*mpirun, "--host", "localhost:2", "--bind-to", "core", "sh", "-c", script]
    else:
        script = f"export UCX_NET_DEVICES=eth0 UCX_TLS=tcp,self; {script}"
        words = [sys.executable, "-c", "from busbar.cli import main; main()", "emulate"]
        words += [*EMULATED, "--", *mpirun, "--host", "host1,host2", "sh", "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
    rows = [line.split() for line in done.stdout.splitlines() if line.strip()[:1].isdigit()]
    return float(rows[-1][1 if test.endswith("_lat") else 3])


def ours(size: int, place: str) -> RunRecord:
    """All tests of one size, in one launch."""
    where = ["--on", "local", "--ranks", "2"] if place == "local" else ["--on", "emulated"]
    more = [] if place == "local" else EMULATED
    variants = [word for m in METHODS for word in ("--variant", f"{m}:method={m},window={WINDOW}")]
    return run_record(
        ["ping_pong", "one_way", "--transport", "ucx", *where, *more, *variants,
         "-b", str(size), "-e", str(size), "--timing", "pipelined", "--launches", "1",
         "-n", "200", "--max-seconds", "0.5"]
    )  # fmt: skip


def compare(place: str) -> bool:
    """Measure, print, decide."""
    holds = True
    for size in SIZES:
        mine: dict[Key, list[float]] = {}
        peers: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            for point in ours(size, place).points:
                assert point.time_us is not None
                key = (point.key.op, point.key.variant, size)
                mine.setdefault(key, []).append(point.time_us.median)
            for test, _, _ in TESTS:
                peers.setdefault(test, []).append(theirs(test, size, place))
        for test, op, method in TESTS:
            holds &= say(place, size, test, peers[test], mine[op, method, size])
        if place == "tcp" and size >= FILLING:
            holds &= fills(size, min(mine["one_way", "tag", size]))
    return holds


def say(place: str, size: int, test: str, peer: Sequence[float], own: Sequence[float]) -> bool:
    as_fast = median(own) <= max(peer)
    print(
        f"{place} {size:8} B {test:12} ours {median(own):9.3f} us "
        f"({min(own):.3f} to {max(own):.3f}), theirs {median(peer):9.3f} "
        f"({min(peer):.3f} to {max(peer):.3f}), ratio of least "
        f"{min(own) / min(peer):.2f}{'' if as_fast else '   SLOWER'}",
        flush=True,
    )
    return as_fast


def fills(size: int, time_us: float) -> bool:
    share = size * 8 / time_us / RATE_MBIT
    print(f"tcp {size:8} B one_way by tag fills {share:.1%} of the link", flush=True)
    return share >= LEAST_OF_LINK


def main() -> int:
    """All places asked for."""
    places = sys.argv[1:] or ["local", "tcp"]
    if not set(places) <= {"local", "tcp"}:
        print(__doc__, file=sys.stderr)
        return 2
    return 0 if all([compare(place) for place in places]) else 1


if __name__ == "__main__":
    sys.exit(main())
