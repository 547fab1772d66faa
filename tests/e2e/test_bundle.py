"""The archive of scripts/bundle, on a system whose Open MPI, libfmt and the like are hidden."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from busbar.record.load import load
from commands import EMULATION, QUICK, command
from conftest import BIN, ROOT

NODE = r"(ld-linux.*|lib(c|m|pthread|dl|rt|resolv|util|stdc\+\+|gcc_s))\.so\.\d+"
"""Libraries that may come from the node."""
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
ALL_REDUCE = ["all_reduce", "-b", "8", "-e", "1K", "-f", "128", "--max-seconds", "0.2"]
TWO = ["--host", "localhost:2", "-np", "2", "--mca", "hwloc_base_binding_policy", "none"]

BareNode = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [
    pytest.mark.skipif(
        shutil.which("patchelf") is None,
        reason="patchelf is not installed: scripts/setup test does",
    ),
    pytest.mark.alone,  # all of it, so that the archive is made once
]


def _pack(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "bundle", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive, unpacked in a folder that it was not made in."""
    folder = tmp_path_factory.mktemp("node")
    archive = folder / "made.tar.gz"
    made = _pack("--build", BIN.parent, "--output", archive)
    assert made.returncode == 0, made.stderr
    assert archive.stat().st_size < 64 * 2**20
    subprocess.run(["tar", "xf", archive, "-C", folder], check=True)
    (top,) = folder.glob("busbar-*")
    return top


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PATH: what the bundle's own programs need, and neither mpirun nor ssh."""
    folder = tmp_path_factory.mktemp("tools")
    for name in ("sh", "readlink", "getconf", "uname", "head", "sed"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def _facts(bundle: Path) -> dict[str, str]:
    lines = (bundle / "MANIFEST").read_text().splitlines()
    return {k: v for k, _, v in (line.partition(": ") for line in lines)}


def _hidden(bundle: Path) -> Iterator[tuple[str, Path]]:
    """What covers what: every library of the bundle, and Open MPI's folders."""
    for name, origin in _facts(bundle).items():
        if name.startswith("lib/"):
            yield "/dev/null", Path(origin.split(" of ")[0])
    lines = subprocess.check_output(["ompi_info", "--parsable", "--path", "all"], text=True)
    for folder in re.findall(r"path:(?:pkglibdir|sysconfdir|pkgdatadir):(.*)", lines):
        if Path(folder).is_dir():
            yield "empty", Path(folder)


@pytest.fixture(scope="module")
def on_bare_node(bundle: Path, tools: Path, tmp_path_factory: pytest.TempPathFactory) -> BareNode:
    """Runs words where nothing of what the bundle holds is on the system."""
    allowed = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
    if allowed.returncode != 0:
        pytest.skip(f"no user namespace can be made here: {allowed.stderr.strip()}")
    home = tmp_path_factory.mktemp("home")
    empty = tmp_path_factory.mktemp("empty")
    covers = {target: cover for cover, target in _hidden(bundle)}
    mounts = "".join(
        f"mount --bind {empty if cover == 'empty' else cover} {target} || exit 99\n"
        for target, cover in covers.items()
    )
    variables = {
        "HOME": str(home), "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
    }  # fmt: skip

    def run(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*NAMESPACE, "sh", "-c", f'{mounts}PATH={tools} exec "$@"', "sh", *words],
            capture_output=True, text=True, check=False, timeout=120, cwd=home,
            env={"PATH": os.environ["PATH"], **variables, **more},
        )  # fmt: skip

    return run


def _loaded(debug_files: Iterator[Path]) -> dict[str, set[str]]:
    """The libraries that each program loaded, from what LD_DEBUG=files wrote."""
    loaded: dict[str, set[str]] = {}
    for file in debug_files:
        program, pending = "", set()
        for line in file.read_text().splitlines():
            if found := re.search(r"calling init: (\S+)", line):
                pending.add(found[1])
            elif found := re.search(r"transferring control: (\S+)", line):
                # Before it come the libraries of a program; after it, what it opens while it runs.
                program = found[1]
                loaded.setdefault(program, set()).update(pending)
                pending = set()
        loaded.setdefault(program, set()).update(pending)
    return loaded


def test_it_runs_and_loads_nothing_of_the_system_but_glibc(
    bundle: Path, on_bare_node: BareNode, tmp_path: Path
) -> None:
    ended = on_bare_node(
        bundle / "bin/mpirun", *TWO, bundle / "bin/busbar-bench", *ALL_REDUCE,
        LD_DEBUG="files", LD_DEBUG_OUTPUT=str(tmp_path / "ld"),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert [line.split()[0] for line in ended.stdout.splitlines() if line[:1] == " "] == [
        "8", "1024",
    ]  # fmt: skip
    loaded = _loaded(tmp_path.glob("ld.*"))
    programs = {p: libraries for p, libraries in loaded.items() if "/libexec/" in p}
    assert {Path(p).name for p in programs} == {"mpirun", "busbar-bench"}
    for program, libraries in programs.items():
        inside = {library for library in libraries if Path(library).is_relative_to(bundle)}
        assert {Path(library).name for library in inside} >= {"libopen-pal.so.40", "mca_oob_tcp.so"}
        foreign = {x for x in libraries - inside if not re.fullmatch(NODE, Path(x).name)}
        assert foreign == set(), program
    build = on_bare_node(BIN / "busbar-bench", "--version")
    assert build.returncode != 0, "what the bundle holds is not hidden"


def test_without_a_gpu_it_ends_in_one_sentence(bundle: Path, on_bare_node: BareNode) -> None:
    words = [bundle / "bin/busbar-bench", *ALL_REDUCE, "--transport", "nccl"]
    ended = on_bare_node(bundle / "bin/mpirun", *TWO, "--quiet", *words)
    if ended.returncode == 0:
        pytest.skip("this machine has a GPU and NCCL")
    assert ended.returncode == 2, ended.stderr
    said = {re.sub(r"rank \d on", "", x) for x in ended.stderr.splitlines() if "busbar-bench:" in x}
    assert len(said) == 1


def test_the_node_is_judged_before_anything_starts(
    bundle: Path, tools: Path, tmp_path: Path
) -> None:
    old = tmp_path / "bundle"
    shutil.copytree(bundle, old)
    fake = tmp_path / "bin"
    shutil.copytree(tools, fake, symlinks=True)

    def preflight(driver: str | None = None) -> subprocess.CompletedProcess[str]:
        smi = fake / "nvidia-smi"
        smi.write_text(f"#!/bin/sh\necho {driver or 'it has failed'}\n")
        smi.chmod(0o755)
        return subprocess.run(
            [old / "bin/busbar-preflight"], env={"PATH": str(fake)}, capture_output=True, text=True
        )

    assert preflight().stdout.startswith("host memory: yes")
    if "newer" in _facts(bundle)["needs driver"]:
        assert "GPU memory: yes" in preflight("999.12.3").stdout
        refused = preflight("470.82.01")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "the NVIDIA driver is 470.82.01 and CUDA" in refused.stderr

    requirements = old / "libexec" / "requirements"
    requirements.write_text(re.sub("needs_glibc=.*", "needs_glibc=3.1", requirements.read_text()))
    for program in ("busbar-preflight", "busbar-bench", "mpirun", "orted"):
        refused = subprocess.run([old / "bin" / program], capture_output=True, text=True)
        assert refused.returncode == 2
        assert re.fullmatch(
            rf"{program}: this node has glibc .* and the bundle needs glibc 3.1; .*\n",
            refused.stderr,
        )


@pytest.mark.parametrize(
    "on", [["local", "--ranks", "2"], pytest.param(["emulated"], marks=EMULATION)]
)
def test_the_launcher_measures_with_it(bundle: Path, on: list[str], tmp_path: Path) -> None:
    path = f"{bundle / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        command(
            "run", "all_reduce", "--on", *on, "-b", "4K", "-e", "4K", "--launches", "2", *QUICK,
            "--output", "r.json",
        ),
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PATH": path, "BUSBAR_BENCH": str(bundle / "bin" / "busbar-bench")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(load(tmp_path / "r.json").points) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--build", "/nowhere"], "is no build; accepted"),
        (["--build", BIN.parent, "--output", "x.zip"], "accepted is a name that ends in .tar.gz"),
        (["--build", BIN.parent, "--output", "/nowhere/x.tar.gz"], "a folder that exists"),
    ],
)
def test_what_cannot_be_packed_is_said_in_one_sentence(arguments: list[str], said: str) -> None:
    refused = _pack(*arguments)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
