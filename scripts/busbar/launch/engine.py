"""A live engine: one set of processes that takes requests and answers with blocks."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from typing import IO

import psutil

from busbar.errors import BusbarError, ExitCode, Incomplete, UsageError
from busbar.launch.hang import Json, Member, explain_end, explain_hang, explain_start
from busbar.launch.target import Programs, Target
from busbar.record.key import parse_ranks

_WATCHDOG = "busbar-watchdog: "
_SAYS = re.compile(r"busbar-bench: (?:(?:rank|aggregator)(?: \d+)? on )?")
_STDERR_KEPT = 100_000
"""Lines of standard error that are kept: to explain an end that nobody asked for, and for what a
library reports when it begins (NCCL: some hundred per rank) or ends."""
_GATHER_SECONDS = 1.5
"""From the first watchdog's line to the last one's: they notice within half a second of each other.
Less than the two seconds after which the first rank ends: then mpirun wakes ranks that had been
stopped, and these would report as if they had been there all along."""
_DEADLOCK = "Deadlock detected"
"""What SimGrid says when every simulated process waits for another."""
_HANG: Json = {"type": "hang"}
_END_SECONDS = 15.0
"""For a launch that was told to quit to be gone."""


class LaunchHang(BusbarError):
    """A deadline passed; the ranks that could still speak are in `reports`."""

    exit_code = ExitCode.HANG

    def __init__(self, message: str, reports: list[Json]) -> None:
        super().__init__(message)
        self.reports = reports


class LaunchDied(Incomplete):
    """The launch ended when it should not have."""


class Engine:
    """One launch. Use as a context manager: it is gone when the block is left."""

    def __init__(
        self,
        target: Target,
        program: list[str],
        environment: Mapping[str, str],
        *,
        base_environment: Mapping[str, str],
        init_deadline: float,
    ) -> None:
        lifeline, self._held = os.pipe()
        timed = ["--init-deadline", str(init_deadline)]
        programs = Programs(
            worker=[*program, "--serve", *timed],
            aggregator=[*program, "--role", "aggregator", *timed],
        )
        command = target.command(programs, environment, lifeline)
        self._threads_each = target.threads
        # One for every process: as long as none knows its ranks, it speaks once.
        placed = (target.placement() or [])[:: target.threads]
        self._hosts = [*placed, *target.aggregator_hosts()]
        self._processes: list[Member] = []  # as the launch's first line lists them
        self._request: Json | None = None  # being carried out
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(base_environment),
            pass_fds=(lifeline,),
            start_new_session=True,  # a Ctrl-C is for the launcher, which then ends the launch
        )
        os.close(lifeline)
        self._answers: queue.Queue[Json | None] = queue.Queue()
        self._stderr: deque[str] = deque(maxlen=_STDERR_KEPT)
        self._reports: list[Json] = []
        self._reported = threading.Event()
        assert self._process.stdout and self._process.stderr  # both are pipes
        self._threads = [
            threading.Thread(target=self._read_answers, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_stderr, args=(self._process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        # Launching itself (daemons, wiring up) is on the launcher's clock only: give it the same
        # time once more beyond what the processes give themselves.
        self.launch_line = self._answer(2 * init_deadline, "launching")
        if self.launch_line.get("type") != "launch":
            raise LaunchDied(f"the engine did not begin with a launch line: {self.launch_line}")
        self._processes = [
            Member(int(p["rank"]), p["role"], p["host"]) for p in self.launch_line["processes"]
        ]

    def visit(self, request: Json, silence_deadline: float) -> Iterator[Json]:
        """The blocks that answer a request, as they come.

        `silence_deadline`: seconds without an answer that mean a hang, should the engine's own
        watchdogs not speak first. Raises LaunchHang, LaunchDied, or UsageError if it is refused.
        """
        assert self._process.stdin
        self._request = request
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            self._end_badly("while it waited for a request")
        while True:
            answer = self._answer(silence_deadline, f"measuring {request['point']['op']}")
            if answer["type"] == "done":
                return
            if answer["type"] == "error":
                raise UsageError(str(answer["message"]))
            yield answer

    def _answer(self, deadline: float, doing: str) -> Json:
        try:
            answer = self._answers.get(timeout=deadline)
        except queue.Empty:
            raise self._hang(f"no answer for {deadline:.0f} s while {doing}") from None
        if answer is _HANG:
            raise self._hang(f"deadline passed while {doing}")
        if answer is None:
            self._end_badly(f"while {doing}")
        assert answer is not None
        return answer

    def _end_badly(self, when: str) -> None:
        """The stream of answers ended: say why as well as it can be known."""
        if self._reported.wait(timeout=0.5):
            raise self._hang(f"deadline passed {when}")
        code = self._process.wait(timeout=_END_SECONDS)
        if any(_DEADLOCK in line for line in self._stderr):  # the exit code is 0 then
            raise self._hang(f"the simulation stood still {when}")
        self._threads[1].join(timeout=_END_SECONDS)
        said = [line for line in self._stderr if line.startswith("busbar-bench: ")]
        if code == ExitCode.USAGE and said and not self._processes:
            raise UsageError(_SAYS.sub("", said[0], count=1))  # what it was asked for is not here
        who = explain_end(self._stderr, self._processes, self._threads_each)
        text = " ".join(said[:1] or ([who] if who else list(self._stderr)[-3:])).strip()
        raise LaunchDied(
            f"the launch ended with exit code {code} {when}: {text or 'it said nothing'}"
        )

    def _hang(self, what: str) -> LaunchHang:
        members, trees = self._involved()
        awaited = len(members or self._hosts)
        # Give every watchdog the time to speak before the launch is taken down.
        pause = threading.Event()
        for _ in range(int(_GATHER_SECONDS * 10)):
            if awaited and len(self._reports) >= awaited:
                break
            pause.wait(0.1)
        self.kill()
        reports = list(self._reports)
        if not self._processes:
            return LaunchHang(explain_start(what, reports, self._hosts), reports)
        return LaunchHang(explain_hang(what, reports, members, trees), reports)

    def _involved(self) -> tuple[list[Member], set[str]]:
        """The processes that the request needs, and those of its variants that use aggregators.

        The others are idle meanwhile: they do not speak, with good reason.
        """
        if self._request is None:
            return self._processes, set()
        group = self._request["point"]["group"]
        ranks = set(parse_ranks(group["ranks"]))
        variants = self._request["variants"]
        trees = {v["name"] for v in variants if v["settings"].get("in_network") == "tree"}
        members = [
            m for m in self._processes if (m.rank in ranks if m.role == "worker" else bool(trees))
        ]
        return members, trees

    def _read_answers(self, stream: IO[bytes]) -> None:
        for line in stream:
            try:
                self._answers.put(json.loads(line))
            except ValueError:
                # Something else (mpirun, a library) wrote to standard output; keep it as evidence.
                self._stderr.append(line.decode(errors="replace").rstrip())
        self._answers.put(None)

    def _read_stderr(self, stream: IO[bytes]) -> None:
        for raw in stream:
            line = raw.decode(errors="replace").rstrip()
            # mpirun may put a tag before a line.
            _, found, report = line.partition(_WATCHDOG)
            if found:
                try:
                    self._reports.append(json.loads(report))
                    if not self._reported.is_set():
                        self._answers.put(_HANG)
                    self._reported.set()
                    continue
                except ValueError:
                    pass
            self._stderr.append(line)

    def stderr_lines(self) -> list[str]:
        """What the launch has said on standard error; all of it once it is closed."""
        return list(self._stderr)

    def kill(self) -> None:
        """End the launch at once, whatever it does."""
        # Ranks are in sessions of their own, and one that is stopped would outlive its mpirun.
        with contextlib.suppress(psutil.NoSuchProcess):
            for rank in psutil.Process(self._process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    rank.kill()
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Tell the launch to quit and wait until it is gone."""
        if self._process.poll() is None:
            try:
                if self._process.stdin:
                    self._process.stdin.close()
                self._process.wait(timeout=_END_SECONDS)
            except (OSError, subprocess.TimeoutExpired):
                self.kill()
        for thread in self._threads:
            thread.join(timeout=_END_SECONDS)
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self.kill()
        self.close()
