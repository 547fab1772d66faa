"""The file that is sourced: what it sets, and when it sets nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from busbar.errors import UsageError
from busbar.tune.outputs import files_of, write_outputs
from busbar.tune.outputs.names import EXPORTS, OMPI_RULES, TUNER_TABLE
from busbar.tune.tuned import Tuned
from tunings import choice, reduces, tuning

RULES = tuning(
    [choice("all_reduce", 4096, reduces("4"))], {"OMPI_MCA_btl_tcp_links": "2", "UCX_X": "it's"}
)
TABLE = tuning(
    [choice("all_reduce", 4096, {"algorithm": "ring", "protocol": "ll"})], transport="nccl"
)


def sourced(folder: Path, shell: str = "bash", **variables: str) -> tuple[dict[str, str], str]:
    """What is set after sourcing it, and what was said. Programs come from `folder`/bin first."""
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        [shell, "-euc", f". '{folder / EXPORTS}'; env -0"],
        env={"PATH": path, **variables}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    pairs = (line.partition("=") for line in done.stdout.split("\0") if "=" in line)
    ignored = {"PATH", "PWD", "SHLVL", "_", "OLDPWD", *variables}
    return {name: value for name, _, value in pairs if name not in ignored}, done.stderr


def written(tuned: Tuned, folder: Path, programs: dict[str, str]) -> Path:
    """A folder with the files, and programs that print these texts."""
    write_outputs(tuned, folder)
    (folder / "bin").mkdir()
    for name, text in programs.items():
        program = folder / "bin" / name
        program.write_text(f"#!/bin/sh\necho '{text}'\n")
        program.chmod(0o755)
    return folder


def test_it_sets_what_was_tuned_by_its_own_place(tmp_path: Path) -> None:
    folder = written(RULES, tmp_path / "a folder", {"mpirun": "mpirun (Open MPI) 4.1.4"})
    moved = tmp_path / "moved"
    shutil.move(folder, moved)
    found, said = sourced(moved)
    assert said == ""
    assert found == {
        "OMPI_MCA_coll_tuned_use_dynamic_rules": "1",
        "OMPI_MCA_coll_tuned_dynamic_rules_filename": str(moved / OMPI_RULES),
        "OMPI_MCA_btl_tcp_links": "2",
        "UCX_X": "it's",
    }


@pytest.mark.parametrize("text", ["mpirun (Open MPI) 4.1.5", "mpirun (Open MPI) 5.0.4", ""])
def test_another_version_sets_nothing_and_says_so(tmp_path: Path, text: str) -> None:
    found, said = sourced(written(RULES, tmp_path, {"mpirun": text}))
    assert found == {}
    assert said.startswith("busbar: tuned.sh: mpirun is Open MPI")
    assert said.endswith("it was tuned for 4.1.4; nothing is set\n")


def test_a_missing_file_sets_nothing(tmp_path: Path) -> None:
    folder = written(RULES, tmp_path, {"mpirun": "mpirun (Open MPI) 4.1.4"})
    (folder / OMPI_RULES).unlink()
    found, said = sourced(folder)
    assert found == {}
    assert "is missing; nothing is set" in said


def test_a_shell_that_does_not_know_the_file_is_told_its_folder(tmp_path: Path) -> None:
    folder = written(RULES, tmp_path, {"mpirun": "mpirun (Open MPI) 4.1.4"})
    found, said = sourced(folder, "dash")
    assert found == {}
    assert "BUSBAR_TUNED must name its folder" in said
    found, said = sourced(folder, "dash", BUSBAR_TUNED=str(folder))
    assert said == ""
    assert found["OMPI_MCA_coll_tuned_dynamic_rules_filename"] == str(folder / OMPI_RULES)


def test_a_table_comes_with_its_plugin(tmp_path: Path) -> None:
    folder = written(TABLE, tmp_path, {"python3": "2.28.9"})
    found, said = sourced(folder)
    assert found == {}
    assert "libnccl-tuner-busbar.so is missing" in said
    (folder / "libnccl-tuner-busbar.so").touch()
    found, said = sourced(folder)
    assert said == ""
    assert found == {
        "BUSBAR_TUNER_TABLE": str(folder / TUNER_TABLE),
        "NCCL_TUNER_PLUGIN": str(folder / "libnccl-tuner-busbar.so"),
    }


@pytest.mark.parametrize("name", ["NCCL_ALGO", "NCCL_PROTO"])
def test_what_beats_the_table_is_said(tmp_path: Path, name: str) -> None:
    folder = written(TABLE, tmp_path, {"python3": "2.28.9"})
    (folder / "libnccl-tuner-busbar.so").touch()
    found, said = sourced(folder, **{name: "ring"})
    assert found == {}
    assert "NCCL_ALGO or NCCL_PROTO is set" in said


def test_another_nccl_sets_nothing(tmp_path: Path) -> None:
    folder = written(TABLE, tmp_path, {})
    found, said = sourced(folder, BUSBAR_NCCL_LIBRARY=str(tmp_path / "none.so"))
    assert found == {}
    assert "does not tell its version, and it was tuned for 2.28.9" in said


def test_a_version_that_was_not_recorded_is_refused() -> None:
    made = RULES.made_for.model_copy(update={"versions": {}})
    with pytest.raises(UsageError, match="is not recorded"):
        files_of(RULES.model_copy(update={"made_for": made}), Path())
