"""`busbar doctor` through the launcher: one process on each host of a hostfile."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from commands import busbar, needs_emulation


def test_a_hostfile_is_examined_through_mpirun(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("localhost slots=2\n")
    done = busbar(
        "doctor", "--on", "hostfile", "--hostfile", str(hosts), "--json", cwd=tmp_path
    )  # fmt: skip
    document = json.loads(done.stdout)
    assert done.returncode == document["exit_code"]
    assert done.returncode in (0, 1, 3), done.stderr
    assert len(document["hosts"]) == 1
    # What mpirun tells its own processes is no setting that somebody left behind.
    assert not [f for f in document["findings"] if "OMPI_MCA_rmaps" in f["what"]]
    # The probe is not bound to a processor, though mpirun binds by default.
    assert not [f for f in document["findings"] if f["check"] == "cpu-affinity"]


def test_a_host_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("no-such-host.invalid\n")
    done = busbar("doctor", "--on", "hostfile", "--hostfile", str(hosts), cwd=tmp_path)
    assert done.returncode == 3
    assert "busbar: no host answered: " in done.stderr


@needs_emulation
def test_every_emulated_host_answers(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("host1\nhost2\nhost3\n")
    inner = [sys.executable, "-c", "from busbar.cli import main; main()", "doctor", "--json"]
    inner += ["--on", "hostfile", "--hostfile", str(hosts)]
    done = busbar("emulate", "--hosts", "3", "--", *inner, cwd=tmp_path)
    document = json.loads(done.stdout)
    assert document["hosts"] == ["host1", "host2", "host3"]
    assert [entry for entry in document["unchecked"] if entry["check"] == "hosts"] == []
