"""Launches of different systems are no repeats of one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from test_cluster_judged import printed

from altered import Document, document, judged
from busbar import fabrics
from busbar.check import Verdict
from busbar.check import check as judge
from busbar.errors import ExitCode
from printouts import record_of


def _change(key: str, value: object) -> Callable[[Document], None]:
    return lambda launch: launch.update({key: value})


def _other_hosts(launch: Document) -> None:
    for process in launch["processes"]:
        process["host"] = "host1"


def _other_kernel(launch: Document) -> None:
    launch["system"]["hosts"][2]["kernel"] = "6.2"


def _other_gpus(launch: Document) -> None:
    gpu = {"host": "host1", "index": 0, "name": "other", "memory_bytes": None}
    launch["system"]["gpus"] = [gpu]


def _other_version(launch: Document) -> None:
    launch["system"]["versions"]["mpi"] = "Open MPI v5"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (_other_hosts, "other hosts for its ranks"),
        (_other_kernel, "other hardware or systems on its hosts"),
        (_other_gpus, "other GPUs"),
        (_other_version, "other versions"),
        (_change("settings", {"NCCL_ALGO": "Ring"}), "other settings"),
    ],
)
def test_a_launch_of_another_system_is_named(change: Callable[[Document], None], what: str) -> None:
    changed = document()
    change(changed["launches"][3])
    result = judged(changed)
    (row,) = result.rows
    assert (row.verdict, result.exit_code) == (Verdict.UNSURE, ExitCode.INCOMPLETE)
    assert f"launch 3 has {what} than launch 0" in row.reason


def test_what_varies_from_launch_to_launch_is_no_other_system() -> None:
    changed = document()
    for number, launch in enumerate(changed["launches"]):
        launch["environment"] = {"load_1m": float(number)}
        launch["processes"][0]["pid"] = number
    changed["launches"][4].update(purpose="observe", settings={"OMPI_MCA_pml": "ob1,monitoring"})
    changed["run"]["plan"]["launches"] = 4
    changed["points"][0]["blocks"] = changed["points"][0]["blocks"][:4]
    row = judged(changed).rows[0]
    assert "repeats" not in row.reason


def test_a_system_that_changed_between_segments_leaves_all_unsure() -> None:
    changed = document()
    again = {"started": "2026-01-02T00:00:00Z", "fingerprint": "ffffff"}
    changed["run"]["segments"].append(again)
    assert judged(changed).rows[0].verdict is Verdict.UNSURE


def test_the_number_of_nodes_is_that_of_the_hosts() -> None:
    changed = document()
    changed["points"][0]["key"]["group"]["nodes"] = 2
    (row,) = judged(changed).rows
    assert row.verdict is Verdict.UNSURE
    assert "it says 2 nodes, and its ranks ran on 4" in row.reason


def test_outputs_of_ten_nodes_are_no_ten_launches_of_one() -> None:
    """The slow one of them is a tenth of the launches, and would hide among them."""
    texts = [printed(8, (385 if n == 7 else 480) + 0.1 * n) for n in range(10)]
    record = record_of(*(text.replace("node1", f"node{n}") for n, text in enumerate(texts)))
    rows = judge(record, fabrics.load("hgx-h100")).rows
    assert len(rows) == 20
    assert {row.verdict for row in rows} == {Verdict.UNSURE}
    assert {row.key.group.name for row in rows if row.key} == {f"node{n}" for n in range(10)}


def test_outputs_of_one_placement_stay_one_group() -> None:
    record = record_of(*(printed(8, 480 + 0.1 * n) for n in range(5)))
    assert {point.key.group.name for point in record.points} == {"all"}


def test_hosts_in_another_order_are_another_placement() -> None:
    texts = [printed(8, 480 + 0.1 * n) for n in range(4)]
    two = [_on_two_nodes(text, flip=n % 2 == 1) for n, text in enumerate(texts)]
    names = {point.key.group.name for point in record_of(*two).points}
    assert names == {"node1, node2", "node2, node1"}


def _on_two_nodes(text: str, *, flip: bool) -> str:
    lines = text.splitlines(keepends=True)
    ranks = [n for n, line in enumerate(lines) if "Rank " in line]
    for place, n in enumerate(ranks):
        second = (place >= len(ranks) // 2) != flip
        lines[n] = lines[n].replace("node1", "node2" if second else "node1")
    return "".join(lines)
