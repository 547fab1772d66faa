"""`--tuned`: the variant that the written files make, and where it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from busbar.errors import UsageError
from busbar.launch import tuned as launch_tuned
from busbar.launch.target import Local
from busbar.launch.tuned import TunedFolder, refuse_launch_elsewhere
from busbar.record.models import Launch, Process, Variant
from busbar.tune.outputs import write_outputs
from busbar.tune.outputs.names import OMPI_RULES, TUNER_TABLE
from busbar.tune.tuned import Tuned
from factories import record
from tunings import MPI, choice, made_for, reduces, tuning

DEFAULT = Variant(name="default", settings={}, environment={})
RULES = tuning([choice("all_reduce", 4096, reduces("4"))], {"OMPI_MCA_btl_tcp_links": "2"})
TABLE = tuning(
    [choice("all_reduce", 4096, {"algorithm": "ring", "protocol": "ll"})],
    {"NCCL_BUFFSIZE": "8388608"}, transport="nccl",
)  # fmt: skip


def folder(tuned: Tuned, path: Path) -> TunedFolder:
    write_outputs(tuned, path)
    return TunedFolder.open(path)


def test_it_is_what_the_files_give_any_program(tmp_path: Path) -> None:
    assert folder(RULES, tmp_path).variant() == Variant(
        name="tuned", settings={},
        environment={
            "OMPI_MCA_coll_tuned_use_dynamic_rules": "1",
            "OMPI_MCA_coll_tuned_dynamic_rules_filename": str(tmp_path / OMPI_RULES),
            "OMPI_MCA_btl_tcp_links": "2",
        },
    )  # fmt: skip


def test_a_table_goes_with_the_plugin_that_was_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, plugin = tmp_path / "busbar-bench", tmp_path / "libnccl-tuner-busbar.so"
    monkeypatch.setattr(launch_tuned, "find_engine", lambda: engine)
    opened = folder(TABLE, tmp_path / "tuned")
    with pytest.raises(UsageError, match="not beside the engine"):
        opened.variant()
    plugin.touch()
    assert opened.variant().environment == {
        "BUSBAR_TUNER_TABLE": str(tmp_path / "tuned" / TUNER_TABLE),
        "NCCL_TUNER_PLUGIN": str(plugin),
        "NCCL_BUFFSIZE": "8388608",
    }


def test_it_is_held_against_the_default(tmp_path: Path) -> None:
    opened = folder(RULES, tmp_path)
    ring = Variant(name="ring", settings={"schedule": "portable"}, environment={})
    assert [v.name for v in opened.beside([])] == ["default", "tuned"]
    assert [v.name for v in opened.beside([DEFAULT])] == ["default", "tuned"]
    assert [v.name for v in opened.beside([ring])] == ["default", "ring", "tuned"]
    plain = DEFAULT.model_copy(update={"name": "as it is"})
    assert [v.name for v in opened.beside([plain])] == ["as it is", "tuned"]
    with pytest.raises(UsageError, match="needs a name of its own"):
        opened.beside([ring.model_copy(update={"name": "tuned"})])
    with pytest.raises(UsageError, match="needs another name"):
        opened.beside([ring.model_copy(update={"name": "default"})])


def test_nothing_kept_is_nothing_to_run(tmp_path: Path) -> None:
    opened = folder(tuning([choice("all_reduce", 4096, {})]), tmp_path)
    with pytest.raises(UsageError, match="the default stays"):
        opened.variant()


@pytest.mark.parametrize("text", [None, "1\n", "\udcff"])
def test_files_that_were_changed_are_refused(tmp_path: Path, text: str | None) -> None:
    write_outputs(RULES, tmp_path)
    rules = tmp_path / OMPI_RULES
    if text is None:
        rules.unlink()
    else:
        rules.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UsageError, match=r"ompi-rules\.conf is missing or not what"):
        TunedFolder.open(tmp_path)


def test_what_was_tuned_on_simulated_hosts_is_refused(tmp_path: Path) -> None:
    kept = [choice("all_reduce", 4096, {"smpi/allreduce": "lr"})]
    with pytest.raises(UsageError, match="was tuned on simulated hosts, which says nothing"):
        folder(tuning(kept, on="simulated", simulated=True), tmp_path)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        TunedFolder.open(tmp_path / "nowhere")


def test_what_is_known_before_a_launch_is_compared_then(tmp_path: Path) -> None:
    opened = folder(RULES, tmp_path)
    opened.refuse_elsewhere("mpi", Local(4))
    with pytest.raises(UsageError, match="made for transport mpi, and here it is ucx"):
        opened.refuse_elsewhere("ucx", Local(4))
    with pytest.raises(UsageError, match="made for ranks 4, and here it is 3"):
        opened.refuse_elsewhere("mpi", Local(3))
    two = folder(tuning(RULES.choices, nodes=2), tmp_path / "two")
    with pytest.raises(UsageError, match="made for nodes 2, and here it is 1"):
        two.refuse_elsewhere("mpi", Local(4))


def test_the_rest_is_compared_with_the_launch() -> None:
    launch = a_launch(["a", "a", "b", "b"], "a")
    refuse_launch_elsewhere(made_for(nodes=2), launch)
    versions = {"mpi": MPI, "busbar": "0.0.1", "compiler": "another"}
    refuse_launch_elsewhere(made_for(nodes=2, versions=versions), launch)
    for other, culprit in (
        (made_for(nodes=1), "nodes 1, and here it is 2"),
        (made_for(nodes=2, ranks=5), "ranks 5, and here it is 4"),
        (made_for(nodes=2, fake=True), "fake True, and here it is False"),
        (made_for(nodes=2, versions={"mpi": "Open MPI v5.0.4"}), "mpi Open MPI v5.0.4, and here"),
        (made_for(nodes=2, versions={"nccl": "2.28.9"}), "nccl 2.28.9, and here it is None"),
    ):
        with pytest.raises(UsageError, match=culprit):
            refuse_launch_elsewhere(other, launch)


def a_launch(workers: list[str], aggregator: str) -> Launch:
    """A launch with ranks on these hosts; an aggregator is none of them."""
    launch = record().launches[0]
    pattern = launch.processes[0]
    processes: list[Process] = [
        pattern.model_copy(update={"rank": n, "host": host, "role": "worker"})
        for n, host in enumerate(workers)
    ]
    last = {"rank": len(workers), "host": aggregator, "role": "aggregator"}
    system = launch.system.model_copy(update={"versions": {"mpi": MPI, "busbar": "0.1.0"}})
    return launch.model_copy(
        update={"processes": [*processes, pattern.model_copy(update=last)], "system": system}
    )
