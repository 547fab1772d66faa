"""The emulated fabric: what is asked for, what mpirun is told, and what each world then is."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from busbar.emulate import (
    EmulationSpec,
    RateOverride,
    default_hosts,
    main,
    mpirun_args,
    parse_rate,
    parse_rate_override,
    preflight,
    run,
    spec_from_options,
    wrap,
)
from busbar.emulate.plan import plan_world
from busbar.emulate.requirements import explain
from worlds import DEADLINE_S, TRANSFER, inside, mca_in, need_worlds

pytestmark = pytest.mark.alone

# --- what is asked for ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "bits_per_second"),
    [("100mbit", 100_000_000), ("1gbit", 10**9), ("2.5Gbit", 2_500_000_000), ("64kbit", 64_000)],
)
def test_rates_are_read(text: str, bits_per_second: int) -> None:
    assert parse_rate(text) == bits_per_second


@pytest.mark.parametrize("text", ["", "100", "mbit", "-5mbit", "12Q", "1e3mbit", "100mbyte", "nan"])
def test_a_bad_rate_is_named_with_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match=r"^rate '.*' is not a number with the unit") as caught:
        parse_rate(text)
    assert f"'{text}'" in str(caught.value)
    assert "kbit, mbit or gbit" in str(caught.value)


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="'0mbit' is zero"):
        parse_rate("0mbit")


@pytest.mark.parametrize(
    ("text", "direction"),
    [("host2=100mbit", "both"), ("host2.tx=100mbit", "tx"), ("host2.rx=100mbit", "rx")],
)
def test_overrides_are_read(text: str, direction: str) -> None:
    assert parse_rate_override(text) == RateOverride.model_validate(
        {"host": "host2", "direction": direction, "rate_bps": 100_000_000}
    )


@pytest.mark.parametrize("text", ["host2", "host2.up=1mbit", "=1mbit", "host2="])
def test_a_bad_override_is_named_with_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST=RATE, HOST\.tx=RATE or HOST\.rx=RATE") as caught:
        parse_rate_override(text)
    assert f"'{text}'" in str(caught.value)


def test_an_override_slows_its_host_and_direction_only() -> None:
    spec = spec_from_options(3, ["300mbit", "host2.tx=100mbit", "host3=50mbit"])
    assert spec.rates_of("host1") == (300_000_000, 300_000_000)
    assert spec.rates_of("host2") == (100_000_000, 300_000_000)
    assert spec.rates_of("host3") == (50_000_000, 50_000_000)


@pytest.mark.parametrize(
    ("hosts", "rate", "sentence"),
    [
        (0, "1gbit", "--hosts 0 is not a number from 1 to 250"),
        (4, "host9=1gbit", "rate for unknown host 'host9': the hosts are host1 to host4"),
    ],
)
def test_impossible_options_give_one_sentence(hosts: int, rate: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="^" + sentence + "$"):
        spec_from_options(hosts, [rate])


def test_hosts_follow_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, hosts in ((1, 2), (2, 4), (64, 16)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, n=cores: set(range(n)))
        assert default_hosts() == hosts


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["--rate", "fast", "--", "true"], "'fast'"),
        (["--hosts", "many", "--", "true"], "'many'"),
        (["--hosts", "999", "--", "true"], "999"),
        (["--speed", "1", "--", "true"], "--speed"),
        (["--hosts", "2"], "no command"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_2(
    arguments: list[str], culprit: str, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    complaint = capfd.readouterr().err
    assert code == 2
    assert culprit in complaint
    assert len(complaint.splitlines()) == 1


# --- what follows from it ---------------------------------------------------------------------


def test_both_ends_of_a_link_are_shaped_and_the_login_host_is_not() -> None:
    plan = plan_world(spec_from_options(2, ["host2.tx=100mbit", "host2.rx=200mbit"]))
    at_the_switch = "\n".join(plan["switches"][0]["tc"])
    assert "dev host2 root tbf rate 200000000bit burst 65536 latency 200ms" in at_the_switch
    assert plan["hosts"][1]["tc"] == [
        "qdisc add dev eth0 root tbf rate 100000000bit burst 65536 latency 200ms"
    ]
    assert plan["login"]["tc"] == []
    assert "dev login" not in at_the_switch


def test_mpirun_is_told_hosts_agent_and_network() -> None:
    args = mpirun_args(EmulationSpec(hosts=3))
    assert args[args.index("-np") + 1] == "3"
    assert args[args.index("--host") + 1] == "host1:1,host2:1,host3:1"
    assert "--allow-run-as-root" in args
    settings = mca_in(args)
    assert settings["plm_rsh_agent"] == "/run/busbar/agent"
    assert settings["btl_tcp_if_include"] == settings["oob_tcp_if_include"] == "10.77.0.0/16"
    assert (settings["pml"], settings["btl"]) == ("ob1", "self,tcp")


def test_shared_memory_is_used_only_where_ranks_share_a_host() -> None:
    args = mpirun_args(EmulationSpec(hosts=2), ranks_per_host=2)
    assert args[args.index("-np") + 1] == "4"
    assert args[args.index("--host") + 1] == "host1:2,host2:2"
    assert mca_in(args)["btl"] == "self,vader,tcp"


def test_ranks_yield_where_they_outnumber_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert mca_in(mpirun_args(EmulationSpec(hosts=3)))["mpi_yield_when_idle"] == "1"
    assert "mpi_yield_when_idle" not in mca_in(mpirun_args(EmulationSpec(hosts=2)))
    forced = EmulationSpec(hosts=2, yield_when_idle=True)
    assert mca_in(mpirun_args(forced))["mpi_yield_when_idle"] == "1"


def test_a_setting_is_replaced_not_repeated() -> None:
    args = mpirun_args(EmulationSpec(hosts=2), mca={"pml": "ucx", "coll": "^sm"})
    assert args.count("pml") == 1
    assert mca_in(args)["pml"] == "ucx"
    assert mca_in(args)["coll"] == "^sm"


def test_what_is_missing_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("busbar.emulate.requirements.find_tool", lambda _: None)
    sentence = preflight()
    assert sentence is not None
    assert "'unshare'" in sentence
    assert "util-linux" in sentence
    kernel = explain("busbar emulate: … Specified qdisc kind is unknown.", is_root=True)
    assert "sch_tbf" in kernel
    unknown = explain("busbar emulate: cannot mount proc on /proc: denied", is_root=False)
    assert "cannot mount proc on /proc: denied" in unknown
    assert "run as root" in unknown


# --- what a world is --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def worlds() -> None:
    need_worlds()


def until(condition: Callable[[], bool]) -> bool:
    """Poll a condition until it holds or the deadline has passed."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


@pytest.mark.usefixtures("worlds")
def test_every_host_is_a_host_of_its_own() -> None:
    show = "echo $(hostname) $(readlink /proc/self/ns/{net,uts,ipc,pid,mnt}) $(ls /sys/class/net)"
    spec = EmulationSpec(hosts=3)
    done = inside(spec, "mpirun", *mpirun_args(spec), "bash", "-c", show)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    login = inside(spec, "bash", "-c", show).stdout.split()
    assert {row[0] for row in rows} == {"host1", "host2", "host3"}
    assert login[0] == "login"
    for column in range(1, 6):
        assert len({row[column] for row in rows}) == 3
    assert all(row[6:] == ["eth0", "lo"] for row in [*rows, login])


@pytest.mark.usefixtures("worlds")
def test_hosts_have_the_sockets_that_were_asked_for() -> None:
    spec = EmulationSpec(hosts=1)
    show = "cd /proc/sys/net/ipv4; cat tcp_rmem tcp_wmem tcp_congestion_control; id -u"
    done = inside(spec, "/run/busbar/agent", "host1", show)
    words = done.stdout.split()
    assert (words[2], words[5], words[6], words[7]) == ("131072", "131072", "reno", "0")


@pytest.mark.usefixtures("worlds")
def test_a_bare_mpirun_runs_on_every_host() -> None:
    done = inside(EmulationSpec(hosts=2), "mpirun", "hostname")
    assert sorted(done.stdout.split()) == ["host1", "host2"]


@pytest.mark.usefixtures("worlds")
def test_input_output_and_exit_code_pass_through() -> None:
    spec = EmulationSpec(hosts=1)
    done = inside(spec, "sh", "-c", "cat; echo bad >&2; exit 7", given="good\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, "good\n", "bad\n")
    assert inside(spec, "sh", "-c", "kill -9 $$").returncode == 128 + signal.SIGKILL
    assert run(spec, ["false"]) == 1


@pytest.mark.usefixtures("worlds")
def test_a_command_that_is_not_there_is_named() -> None:
    done = inside(EmulationSpec(hosts=1), "no-such-program")
    assert done.returncode == 127
    assert (
        done.stderr == "busbar emulate: cannot run 'no-such-program': No such file or directory\n"
    )


@pytest.mark.usefixtures("worlds")
def test_an_unknown_host_is_refused_by_the_agent() -> None:
    done = inside(EmulationSpec(hosts=1), "/run/busbar/agent", "host7", "true")
    assert done.returncode == 255
    assert "'host7'" in done.stderr


@pytest.mark.usefixtures("worlds")
def test_a_signal_reaches_the_command() -> None:
    program = "trap 'echo caught; exit 3' TERM; echo ready; while :; do read -r _ || :; done"
    with subprocess.Popen(
        wrap(EmulationSpec(hosts=1), ["sh", "-c", program]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as world:
        assert world.stdout is not None
        assert world.stdout.readline() == "ready\n"
        world.terminate()
        assert world.stdin is not None
        world.stdin.close()
        assert world.stdout.read() == "caught\n"
        assert world.wait(DEADLINE_S) == 3


def transfer_s(spec: EmulationSpec, source: str, target: str, size: int) -> float:
    done = inside(spec, sys.executable, "-I", "-S", "-c", TRANSFER, source, target, str(size))
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.usefixtures("worlds")
def test_a_slow_link_is_slow_in_the_asked_direction_only() -> None:
    spec = spec_from_options(2, ["400mbit", "host2.tx=100mbit"])
    size = 2_000_000
    out_of_host2 = transfer_s(spec, "host2", "host1", size)
    into_host2 = transfer_s(spec, "host1", "host2", size)
    # The line gives the least time, 160 ms and 40 ms less the bursts; a busy machine adds to it.
    assert (size - 2 * spec.burst_bytes) * 8 / 100e6 < out_of_host2
    assert (size - 2 * spec.burst_bytes) * 8 / 400e6 < into_host2
    assert 2 < out_of_host2 / into_host2 < 6


# --- what is left of it -----------------------------------------------------------------------


def processes(mark: str) -> list[Path]:
    """Processes with the mark in their environment, as every process of a world has."""
    return [found.parent for found in Path("/proc").glob("[0-9]*/environ") if mark in _read(found)]


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""


SHARED_PLACES = (Path("/tmp"), Path("/dev/shm"), Path("/run"))


def user_namespace(process: Path) -> str:
    try:
        return str((process / "ns" / "user").readlink())
    except OSError:  # it has ended meanwhile
        return ""


def inhabited(namespaces: set[str]) -> bool:
    """Whether a process, even one that is just ending, still keeps one of these alive."""
    return any(user_namespace(process) in namespaces for process in Path("/proc").glob("[0-9]*"))


def mounts_and_files() -> set[str]:
    """Mounts, and the names that a world would leave behind in the places that all users share."""
    names = {str(name) for place in SHARED_PLACES for name in place.iterdir()}
    traces = {name for name in names if any(word in name for word in ("host1", "login", "busbar"))}
    return traces | set(Path("/proc/self/mountinfo").read_text().splitlines())


def start_marked(mark: str, argv: list[str]) -> "subprocess.Popen[str]":
    environment = os.environ | {"BUSBAR_TEST_MARK": mark}
    return subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True)


def gone_after_a_kill(mark: str, argv: list[str], after_s: float) -> bool:
    """Start a world, kill its outer process at a moment, say whether all of it went away."""
    moment = time.monotonic() + after_s
    with start_marked(mark, argv) as world:
        until(lambda: time.monotonic() >= moment)
        own = user_namespace(Path("/proc/self"))
        theirs = {user_namespace(process) for process in processes(mark)} - {own, ""}
        world.kill()
        world.wait()
        return until(lambda: not processes(mark) and not inhabited(theirs))


@pytest.mark.usefixtures("worlds")
def test_a_world_killed_at_any_moment_leaves_nothing() -> None:
    spec = EmulationSpec(hosts=2)
    argv = wrap(spec, ["mpirun", *mpirun_args(spec), "sleep", "60"])
    chance = random.Random(7)
    before = mounts_and_files()
    for kill in range(8):
        assert gone_after_a_kill(f"{os.getpid()}-{kill}", argv, chance.uniform(0, 0.6))
    assert mounts_and_files() <= before


@pytest.mark.usefixtures("worlds")
def test_a_world_ends_with_the_program_that_ran_it() -> None:
    mark = f"{os.getpid()}-run"
    scripts = str(Path(__file__).resolve().parents[2] / "scripts")
    program = (
        f"import sys; sys.path.insert(0, {scripts!r}); from busbar.emulate import *; "
        "run(EmulationSpec(hosts=2), ['sh', '-c', 'echo ready; exec sleep 60'])"
    )
    with start_marked(mark, [sys.executable, "-c", program]) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == "ready\n"
        # Caller, keeper, init, switch, two hosts, command; one that is in exec shows no mark.
        assert until(lambda: len(processes(mark)) >= 7)
        caller.kill()
        assert until(lambda: not processes(mark))


@pytest.mark.usefixtures("worlds")
def test_what_the_command_left_running_ends_with_it() -> None:
    mark = f"{os.getpid()}-orphan"
    spec = EmulationSpec(hosts=1)
    program = "setsid sleep 60 >/dev/null & /run/busbar/agent host1 'setsid sleep 60 >/dev/null &'"
    with start_marked(mark, wrap(spec, ["sh", "-c", program])) as world:
        assert world.wait(DEADLINE_S) == 0
        assert not processes(mark)  # no polling: it is done when the world has ended
