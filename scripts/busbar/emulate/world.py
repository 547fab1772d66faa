"""The inside of a world: builds the emulated fabric, runs one command on its login host, ends.

This file is run as a program of its own, by path, under `unshare` (see launch.py), so it imports
the standard library only: it starts in 30 ms, from any environment and for any user.

    unshare … python -I -S world.py PLAN -- COMMAND…

Two processes share the work. The *keeper* is the one that the caller started: it waits, and passes
signals and the exit code on. Its child is the *init* of the world's PID namespace: it builds the
fabric and starts COMMAND. When init ends, the kernel ends every process of the world, and with them
go the namespaces, mounts and links: nothing can be left behind. The keeper holds the writing end of
a pipe, the *lifeline*, that init reads: however the keeper ends, even by SIGKILL, init sees the end
of the file and ends too.
"""

# No pathlib: to import it would add 10 ms to every launch.
# ruff: noqa: PTH101, PTH102, PTH112, PTH119, PTH123

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NoReturn, TextIO, TypedDict

WORLD_DIR = "/run/busbar"
AGENT_PATH = f"{WORLD_DIR}/agent"
HOSTFILE_PATH = f"{WORLD_DIR}/hostfile"
ETC_HOSTS_PATH = f"{WORLD_DIR}/etc-hosts"
HOSTS_DIR = f"{WORLD_DIR}/hosts"  # one file per host: the pid of its anchor, for the agent
SCRATCH_DIR = f"{WORLD_DIR}/tmp"

LOGIN_PID = 1  # the login host is where init itself lives
WORLD_FAILED = 125  # as env, timeout and docker say "I failed, not your command"
CANNOT_EXECUTE = 126
NOT_FOUND = 127

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
# A switch stays in the world's PID namespace: it hands links to hosts by their pids there.
SWITCH_NAMESPACES = CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWNS
HOST_NAMESPACES = SWITCH_NAMESPACES | CLONE_NEWIPC | CLONE_NEWPID
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND = 2, 4, 8, 4096

# What a caller may send to the world as a whole; SIGCHLD wakes the waiting loop.
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
AWAITED = (*PASSED_ON, signal.SIGCHLD)


class FilePlan(TypedDict):
    """A file of the world's private /run."""

    path: str
    text: str
    mode: int


class NodePlan(TypedDict):
    """A host or a switch; in a line of `ip`, {name} stands for the pid of that node's anchor."""

    name: str
    ip: list[str]
    tc: list[str]


class WorldPlan(TypedDict):
    """All that is to be built; every switch comes after the switch above it."""

    tools: dict[str, str]
    files: list[FilePlan]
    environment: dict[str, str]
    sysctls: dict[str, str]
    login: NodePlan
    switches: list[NodePlan]
    hosts: list[NodePlan]
    lifelines: list[int]  # the caller's own, inherited: the world ends with whoever holds them


class WorldError(Exception):
    """The world could not be built; the message is one sentence for the user."""


class Anchor(NamedTuple):
    """The process that keeps a node's namespaces, as init sees it."""

    name: str
    orders: TextIO
    reports: TextIO


def main(arguments: Sequence[str]) -> NoReturn:
    """The keeper: start init, hold its lifeline, pass signals and the exit code on."""
    plan: WorldPlan = json.loads(arguments[0])
    command = list(arguments[2:])
    signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
    lifeline, held = os.pipe()
    init = os.fork()
    if init == 0:
        os.close(held)
        os._exit(run_world(plan, command, [lifeline, *plan["lifelines"]]))
    os._exit(supervise(init))


def supervise(child: int) -> int:
    """Wait for a child, as its only parent or as the init of a namespace; return its exit code.

    Signals that a process sent are passed on. Those of the terminal are not: it sends them to
    every process of the foreground, COMMAND among them.
    """
    while True:
        received = signal.sigwaitinfo(AWAITED)
        if received.si_signo != signal.SIGCHLD:
            sent_by_a_process = received.si_code <= 0
            if sent_by_a_process:
                os.kill(child, received.si_signo)
            continue
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:  # orphans come here too
                if ended[0] == child:
                    code = os.waitstatus_to_exitcode(ended[1])
                    return code if code >= 0 else 128 - code


# --- init -------------------------------------------------------------------------------------


def run_world(plan: WorldPlan, command: list[str], lifelines: Sequence[int]) -> int:
    """Build the world, run the command in it, return its exit code."""
    try:
        build(plan, lifelines)
        child = start(command, os.environ | plan["environment"])
    except WorldError as error:
        print(f"busbar emulate: {error}", file=sys.stderr, flush=True)
        return WORLD_FAILED
    except OSError as error:
        print(f"busbar emulate: cannot run '{command[0]}': {error.strerror}", file=sys.stderr)
        return NOT_FOUND if isinstance(error, FileNotFoundError) else CANNOT_EXECUTE
    return supervise(child)


def end_with(lifeline: int) -> None:
    """End init, and so the world, when whoever holds the other end of the lifeline has ended."""
    while os.read(lifeline, 1):
        pass
    os._exit(128 + signal.SIGKILL)


def start(command: list[str], environment: Mapping[str, str]) -> int:
    """Start the command with the caller's input, output and signals."""
    give_mpirun_time()
    python_ignores = (signal.SIGPIPE, signal.SIGXFSZ)
    return os.posix_spawnp(
        command[0], command, environment, setsigmask=(), setsigdef=python_ignores
    )


def give_mpirun_time() -> None:
    """Keep mpirun from a false alarm: "Warning: setpgid failed in parent".

    It moves an agent into a process group just after it has started it, and warns if the agent was
    faster. Between, the agent-to-be closes every descriptor that the limit allows: at the usual
    1024 it often wins on a busy machine, at 20,000 (some milliseconds) it was never seen to.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = 20_000 if hard == resource.RLIM_INFINITY else min(20_000, hard)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))


def build(plan: WorldPlan, lifelines: Sequence[int]) -> None:
    """Mounts, anchors, then the nodes from the top switch down to the hosts."""
    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    for directory in (WORLD_DIR, HOSTS_DIR, SCRATCH_DIR):
        os.mkdir(directory)
    for file in plan["files"]:
        write(file["path"], file["text"])
        os.chmod(file["path"], file["mode"])
    mount(ETC_HOSTS_PATH, "/etc/hosts", None, MS_BIND)

    anchors = {
        node["name"]: start_anchor(node, namespaces, plan)
        for nodes, namespaces in (
            (plan["switches"], SWITCH_NAMESPACES),
            (plan["hosts"], HOST_NAMESPACES),
        )
        for node in nodes
    }
    for lifeline in lifelines:  # only now: a process with threads should not fork
        os.set_inheritable(lifeline, False)
        threading.Thread(target=end_with, args=(lifeline,), daemon=True).start()
    pids = {name: int(report_of(anchor)) for name, anchor in anchors.items()}
    for host in plan["hosts"]:
        write(f"{HOSTS_DIR}/{host['name']}", f"{pids[host['name']]}\n")

    pids[plan["login"]["name"]] = LOGIN_PID
    for switch in plan["switches"]:
        furnish([anchors[switch["name"]]], pids)
    furnish_self(plan["login"]["name"], plan["sysctls"])
    give_links(plan["login"], plan["tools"], pids)
    furnish([anchors[host["name"]] for host in plan["hosts"]], pids)


def furnish(anchors: Sequence[Anchor], pids: Mapping[str, int]) -> None:
    """Let these nodes set up their links, all at once, and wait until they have."""
    for anchor in anchors:
        anchor.orders.write(json.dumps(pids) + "\n")
        anchor.orders.flush()
    for anchor in anchors:
        report_of(anchor)


def report_of(anchor: Anchor) -> str:
    """The next line from an anchor: what it did, or why it could not."""
    report = anchor.reports.readline().rstrip("\n")
    if report.startswith("error "):
        raise WorldError(report.removeprefix("error "))
    if not report:
        raise WorldError(f"the anchor of {anchor.name} ended before {anchor.name} was ready")
    return report


# --- nodes ------------------------------------------------------------------------------------


def start_anchor(node: NodePlan, namespaces: int, plan: WorldPlan) -> Anchor:
    """Start the process that makes a node's namespaces and keeps them for as long as init runs."""
    orders_in, orders_out = os.pipe()
    reports_in, reports_out = os.pipe()
    if os.fork() == 0:
        os.close(orders_out)
        os.close(reports_in)
        with os.fdopen(orders_in) as orders, os.fdopen(reports_out, "w") as reports:
            anchor(node, namespaces, plan, orders, reports)
    os.close(orders_in)
    os.close(reports_out)
    return Anchor(node["name"], os.fdopen(orders_out, "w"), os.fdopen(reports_in))


def anchor(
    node: NodePlan, namespaces: int, plan: WorldPlan, orders: TextIO, reports: TextIO
) -> NoReturn:
    """Become a node: report the pid, build at the order, then stay, as small as can be."""
    try:
        unshare(namespaces)
        inside = os.fork()  # only a child is in a new PID namespace
        if inside:
            print(inside, file=reports, flush=True)
            os._exit(0)
        detach()
        furnish_self(node["name"], plan["sysctls"])
        pids: dict[str, int] = json.loads(orders.readline())
        give_links(node, plan["tools"], pids)
        print("ready", file=reports, flush=True)
        os.execvp("sleep", ["sleep", "infinity"])
    except (WorldError, OSError, ValueError) as error:
        print(f"error {error}".replace("\n", " "), file=reports, flush=True)
    finally:
        os._exit(1)  # never back into the code of init


def detach() -> None:
    """An anchor lives apart from the command: from its terminal, its input and its output."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    # An anchor is its host's init: daemons that end on the host are reaped by the kernel.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def furnish_self(name: str, sysctls: Mapping[str, str]) -> None:
    """Give the namespaces of this process a name, mounts that show them, and their settings."""
    sethostname(name)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    if os.path.isdir("/proc/sys/net/ipv6"):  # its own traffic would count on the links
        write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1")
        write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1")
    for setting, value in sysctls.items():
        write(f"/proc/sys/{setting}", value)


def give_links(node: NodePlan, tools: Mapping[str, str], pids: Mapping[str, int]) -> None:
    """Carry out the node's `ip` and `tc` lines, each in one batch."""
    batch(tools["ip"], [line.format_map(pids) for line in node["ip"]], node["name"])
    batch(tools["tc"], node["tc"], node["name"])


def batch(tool: str, lines: Sequence[str], node: str) -> None:
    """Run lines through `ip -batch` or `tc -batch`."""
    if not lines:
        return
    try:
        done = subprocess.run(
            [tool, "-batch", "-"],
            input="\n".join(lines) + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise WorldError(f"cannot run '{tool}': {error.strerror}") from None
    if done.returncode != 0:
        reason = " ".join(done.stderr.split())
        raise WorldError(f"{os.path.basename(tool)} could not set up {node}: {reason}")


# --- the kernel -------------------------------------------------------------------------------


def unshare(flags: int) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(flags) != 0:
        raise WorldError(f"cannot make the namespaces of a host: {last_error()}")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    filesystem = kind.encode() if kind else None
    if libc.mount(source.encode(), target.encode(), filesystem, flags, options.encode()) != 0:
        raise WorldError(f"cannot mount {kind or source} on {target}: {last_error()}")


def sethostname(name: str) -> None:
    if ctypes.CDLL(None, use_errno=True).sethostname(name.encode(), len(name)) != 0:
        raise WorldError(f"cannot name a host '{name}': {last_error()}")


def last_error() -> str:
    return os.strerror(ctypes.get_errno())


def write(path: str, text: str) -> None:
    try:
        with open(path, "w") as file:
            file.write(text)
    except OSError as error:
        raise WorldError(f"cannot write '{text.strip()}' to {path}: {error.strerror}") from None


if __name__ == "__main__":
    main(sys.argv[1:])
