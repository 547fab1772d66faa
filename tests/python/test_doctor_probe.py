"""The probe as it travels: alone, through a launcher that mixes lines, and without secrets."""

from __future__ import annotations

import ast
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import busbar.doctor.probe
from busbar.cli import run_command_line
from busbar.doctor.facts import HostFacts
from busbar.doctor.gather import program, read_answers
from busbar.doctor.probe.frames import FRAME_BYTES, documents_in, frames_of, write_frames
from busbar.doctor.probe.settings import may_be_shown
from busbar.errors import Incomplete
from doctor_hosts import healthy

_FOLDER = Path(busbar.doctor.probe.__file__).parent


def test_the_probe_runs_where_busbar_is_not_installed(tmp_path: Path) -> None:
    # -I: neither the environment nor the folder adds to where modules are found; -S: no packages.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program()],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    facts = HostFacts.model_validate(json.loads(done.stdout))
    assert facts.cpu.online is not None


@pytest.mark.parametrize("module", sorted(_FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_the_probe_is_plain_python(module: Path) -> None:
    tree = ast.parse(module.read_text(), feature_version=(3, 8))
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
    imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    for name in imported:
        known = name.startswith("busbar.doctor.probe.")
        assert known or name.partition(".")[0] in sys.stdlib_module_names, name


def test_facts_survive_a_launcher_that_mixes_lines() -> None:
    documents = [{"host": f"host{i}", "text": "ä" * 3000 + str(i)} for i in range(4)]
    frames = [frames_of(document, f"host{i}-1") for i, document in enumerate(documents)]
    assert {len(line) for lines in frames for line in lines} == {FRAME_BYTES}
    mixed = [line for lines in frames for line in lines]
    random.Random(1).shuffle(mixed)
    found, cut = documents_in(b"".join([b"Warning: something\n", *mixed]).decode())
    assert sorted(found, key=lambda d: str(d["host"])) == documents
    assert cut == 0


def test_a_line_that_was_cut_comes_a_second_time() -> None:
    document = {"host": "host1", "numbers": [random.Random(2).random() for _ in range(200)]}
    reader, writer = os.pipe()
    lines = frames_of(document, "host1-1")
    write_frames(lines, writer, pause_seconds=0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        sent = pipe.read()
    assert len(sent) == 2 * sum(map(len, lines))
    found, cut = documents_in((sent[:100] + b"another's words" + sent[100:]).decode())
    assert (found, cut) == ([document], 0)


@given(damage=st.integers(0, 10_000), byte=st.sampled_from([b"", b"\n", b"x", b" "]))
def test_damaged_lines_never_make_another_document(damage: int, byte: bytes) -> None:
    document = {"host": "host1", "numbers": list(range(400))}
    whole = b"".join(frames_of(document, "host1-1"))
    at = damage % len(whole)
    found, _ = documents_in((whole[:at] + byte + whole[at + 1 :]).decode())
    assert found in ([], [document])


def test_hosts_that_do_not_answer_are_told(tmp_path: Path) -> None:
    machine = healthy(tmp_path)
    line = b"".join(frames_of(machine.facts().model_dump(), "host1-1")).decode()
    found = read_answers(line, "ssh: connect to host host2 port 22: No route to host\n", 2)
    assert [host.host for host in found.hosts] == ["host1"]
    assert found.unanswered == [
        "1 of 2 hosts answered: ssh: connect to host host2 port 22: No route to host"
    ]
    with pytest.raises(Incomplete, match=r"no host answered: python3: command not found"):
        read_answers("", "python3: command not found\n", 2)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("NCCL_IB_HCA", "mlx5_0", True),
        ("HOME", "/root", False),
        ("UCX_SECRET_KEY", "x", False),
        ("NCCL_API_TOKEN", "x", False),
        ("NCCL_NET_CONFIG", "http://user:word@host/x", False),
        ("NCCL_COMM_ID", "tcp://host:1234", True),
        ("OMPI_MCA_orte_precondition_transports", "1-2", False),
        ("OMPI_MCA_btl", "self,tcp", True),
    ],
)
def test_no_secret_leaves_a_host(name: str, value: str, shown: bool) -> None:
    assert may_be_shown(name, value) is shown


def test_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_command_line(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert code == document["exit_code"]
    assert code in (0, 1, 3)
    assert run_command_line(["doctor"]) in (0, 1, 3)
    assert "1 host" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--waive", "everything"], "--waive everything: there is no such check; accepted: load,"),
        (["--on", "emulated"], "--on emulated cannot be examined; accepted: local, hostfile"),
        (["--on", "hostfile"], "--on hostfile needs --hostfile FILE."),
        (["--hostfile", "x"], "--hostfile belongs to --on hostfile, not to --on local."),
        (["--sharp-manager", "a:b"], "--sharp-manager a:b: accepted is HOST or HOST:PORT."),
        (["--deadline", "nan"], "--deadline nan: accepted is a number of seconds above 0."),
    ],
)
def test_wrong_words(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["doctor", *words]) == 2
    assert sentence in capsys.readouterr().err
