"""`busbar run --transport nccl` against an engine that is a script: what it is given, what is kept.

The engine speaks the protocol of results/README.md under a real mpirun; nothing is measured.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from busbar.cli import run_command_line
from busbar.record.load import load
from busbar.record.models import RunRecord
from factories import Row, block_line, launch_line

_ENGINE = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__).resolve().parent
words = sys.argv[1:]
if "--describe" in words:
    print((here / "describe.json").read_text())
    sys.exit()
if os.environ["OMPI_COMM_WORLD_RANK"] != "0":
    sys.exit()
(here / "words.txt").write_text(" ".join(words))
if (here / "refuses").exists():
    print("busbar-bench: rank 0 on vm: " + (here / "refuses").read_text(), file=sys.stderr)
    sys.exit(2)
launch = json.loads((here / "launch.json").read_text())
launch["settings"] = {{k: v for k, v in os.environ.items() if k.startswith("NCCL_")}}
launch["nccl_conf"] = (here / "nccl_conf").read_text() if (here / "nccl_conf").exists() else None
print(json.dumps(launch), flush=True)
if os.environ.get("NCCL_DEBUG") == "INFO":
    print("vm:1:2 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM", file=sys.stderr)
for line in sys.stdin:
    request = json.loads(line)
    if request["type"] == "quit":
        break
    if (here / "dies").exists() and request["round"] == 1:
        sys.exit(3)
    (here / "request.json").write_text(line)
    block = json.loads((here / "block.json").read_text())
    point = request["point"]
    for variant in request["variants"]:
        block["key"].update({{k: v for k, v in point.items() if k != "group"}})
        block["key"]["variant"] = variant["name"]
        block["key"]["group"] = {{**point["group"], "nodes": 1}}
        print(json.dumps(block), flush=True)
    print(json.dumps({{"type": "done", "request": 0}}), flush=True)
"""

_ALL_REDUCE = {
    "name": "all_reduce", "summary": "", "reduces": True, "rooted": False, "in_place": True,
    "chunked": False, "has_data": True, "point_to_point": False, "min_ranks": 1,
    "bus_factor": 1.0, "in_network": True,
}  # fmt: skip
_DESCRIBED = {
    "protocol": 1, "operations": [_ALL_REDUCE], "datatypes": [{"name": "float", "bytes": 4}],
    "redops": ["sum"], "transports": ["mpi", "nccl"],
}  # fmt: skip
_RUN = [
    "run", "all_reduce", "--transport", "nccl", "--ranks", "2", "-b", "64", "-e", "64",
    "--launches", "2", "--output", "r.json",
]  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The script's folder; the working folder is another, empty one."""
    folder = tmp_path / "build" / "bin"
    folder.mkdir(parents=True)
    script = folder / "busbar-bench"
    script.write_text(_ENGINE.format(python=sys.executable))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (folder / "describe.json").write_text(json.dumps(_DESCRIBED))
    line = launch_line(0, transport="nccl", fake=True)
    processes = [p.model_copy(update={"host": "vm", "gpu": p.rank}) for p in line.processes[:2]]
    launch = line.model_copy(update={"processes": processes}).model_dump(mode="json")
    own = ("launch", "slot", "purpose", "variant_environment")
    (folder / "launch.json").write_text(json.dumps({k: launch[k] for k in launch.keys() - own}))
    (folder / "block.json").write_text(json.dumps(_block()))
    for kind in ("profiler", "tuner"):
        (folder / f"libnccl-{kind}-busbar.so").touch()
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("BUSBAR_BENCH", str(script))
    for name in [name for name in os.environ if name.startswith("NCCL_")]:
        monkeypatch.delenv(name)
    return folder


def _busbar(*words: str) -> int:
    """Carry out a command line, which a record keeps as it was typed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["busbar", *words])
        return run_command_line(list(words))


def _block() -> dict[str, object]:
    line = block_line(Row("all_reduce", 64), 0, [5.0, 6.0])
    block = line.model_dump(mode="json", exclude={"launch"})
    block["key"] |= {"transport": "nccl", "memory": "gpu"}
    block["block"] |= {
        "ranks": {"arrival_us": [0.0, 0.0], "finish_us": [5.0, 5.0]},
        "last_rank": [1, 1], "device_us": [4.0, 5.0],
        "wire": {"tx_bytes_per_node": [0.0], "rx_bytes_per_node": [0.0]},
    }  # fmt: skip
    return {**block, "request": 0}


def _how(record: RunRecord) -> list[str]:
    return [how for point in record.points for how in point.observed.how]


def test_a_record_of_nccl(engine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _busbar(*_RUN, "--graph", "--registration", "local") == 0
    record = load(Path("r.json"))
    (point,) = record.points
    assert (point.key.transport, point.key.memory) == ("nccl", "gpu")
    assert (point.key.graph, point.key.registration) == (True, "local")
    assert {launch.purpose for launch in record.launches} == {"measure", "observe"}
    words = (engine / "words.txt").read_text()
    assert words.startswith("--transport nccl --serve")
    assert record.run.command[:3] == ["busbar", "run", "all_reduce"]
    asked = json.loads((engine / "request.json").read_text())["point"]
    assert (asked["graph"], asked["registration"]) == (True, "local")
    for launch in record.launches:
        plugin = launch.settings["NCCL_PROFILER_PLUGIN"]
        assert plugin == str(engine / "libnccl-profiler-busbar.so")
        assert "NCCL_TUNER_PLUGIN" not in launch.settings  # no variant needs it
        assert ("NCCL_DEBUG" in launch.settings) == (launch.purpose == "observe")
    assert "log: inside a host P2P/CUMEM" in _how(record)
    assert not any("Busbar's profiler plugin" in how for how in _how(record))
    # It is marked, and judges leave it alone.
    assert record.run.fake
    assert "fake: it ran on a library or a GPU that is none" in capsys.readouterr().out
    assert _busbar("check", "r.json", "--fabric", "local") == 2


def test_a_plugin_of_the_users_is_told_in_the_record(
    engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NCCL_PROFILER_PLUGIN", "inspector")
    assert _busbar(*_RUN) == 0
    told = "not seen by Busbar's profiler plugin: NCCL_PROFILER_PLUGIN=inspector, which the user"
    assert any(how.startswith(told) for how in _how(load(Path("r.json"))))


def test_variants_of_nccl_get_launches_of_their_own(
    engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NCCL_NVLS_ENABLE", "2")
    arguments = ["--variant", "default:", "--in-network", "off,on", "--observe", "none"]
    assert _busbar(*_RUN, *arguments) == 0
    seen = [launch.settings.get("NCCL_NVLS_ENABLE") for launch in load(Path("r.json")).launches]
    assert sorted(seen, key=str) == ["0", "0", "1", "1", None, None]


def test_a_killed_run_goes_on_with_the_same_plan(engine: Path) -> None:
    (engine / "dies").touch()
    arguments = ["--observe", "none", "--graph", "--registration", "symmetric"]
    assert _busbar(*_RUN, *arguments) == 3
    (engine / "dies").unlink()
    assert _busbar("run", "--resume", "r.journal.jsonl") == 0
    (point,) = load(Path("r.json")).points
    assert (point.key.graph, point.key.registration) == (True, "symmetric")
    assert len(point.blocks) == 2


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["--transport", "gloo"], "unknown transport 'gloo'; accepted by this build: mpi, nccl"),
        (["--on", "simulated"], "accepted is --transport mpi, not nccl"),
        (["--registration", "pinned"], "unknown --registration 'pinned'"),
        (["--in-network", "tree"], "unknown --in-network 'tree' of transport nccl"),
        (["--in-network", "sharp"], "one host has no switch between hosts"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    engine: Path, arguments: list[str], culprit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _busbar(*_RUN, *arguments) == 2
    said = capsys.readouterr().err
    assert culprit in said
    assert said.count("\n") == 1
    assert not list(Path().iterdir())


def test_no_gpu_ends_in_one_sentence_and_leaves_nothing(
    engine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (engine / "refuses").write_text("transport nccl needs a GPU, and there is no driver here")
    assert _busbar(*_RUN) == 2
    said = capsys.readouterr().err
    assert said == "busbar: vm: transport nccl needs a GPU, and there is no driver here\n"
    assert not list(Path().iterdir())


def test_a_file_on_the_launchs_host_may_not_decide_either(
    engine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (engine / "nccl_conf").write_text("# /etc/nccl.conf\nNCCL_NVLS_ENABLE=0\n")
    assert _busbar(*_RUN, "--in-network", "nvls") == 2
    assert "NCCL_NVLS_ENABLE is set in /etc/nccl.conf" in capsys.readouterr().err
    assert not list(Path().iterdir())
