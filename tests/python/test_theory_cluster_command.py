"""`busbar theory` of a GPU cluster, and its tables over arrays of sizes."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clusters import Spec, groups
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar.cli import run_command_line
from busbar.fabrics import Fabric
from busbar.theory.bound import bound
from busbar.theory.cluster.layout import Layout
from busbar.theory.cluster.table import rows
from busbar.theory.constants import Constants
from busbar.theory.expected import expected, expected_in_network
from busbar.theory.gain import most
from busbar.theory.operations import OPERATIONS

NETWORK_OPS = [op for op, what in OPERATIONS.items() if what.phases]
SHARP = Spec(nodes=64, sharp=True, tiers=((32, 2.0),))


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int | float) else f'"{value}"'


def _file(fabric: Fabric, folder: Path) -> str:
    document = fabric.model_dump(by_alias=True, exclude_none=True)
    text = "\n".join(f"{key} = {_toml(value)}" for key, value in document.items() if value != [])
    assert Fabric.model_validate(tomllib.loads(text)) == fabric
    path = folder / "cluster.toml"
    path.write_text(text)
    return str(path)


def _shown(fabric: Fabric, folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert run_command_line(["theory", _file(fabric, folder), *options]) == 0
    return capsys.readouterr().out


@settings(deadline=None)
@given(groups(), st.sampled_from(NETWORK_OPS))
def test_a_table_says_what_single_answers_say(group: tuple[Spec, Layout], op: str) -> None:
    spec, layout = group
    fabric, shape = spec.fabric(), layout.shape
    layout = spec.layout(shape.ranks, shape.ranks_per_node)  # root 0, as expected times have
    placement = fabric.placement(shape.ranks_per_node)[: shape.ranks]
    sizes = [1, 1 << 20, 1 << 33]
    found = rows(fabric, layout, op, np.asarray(sizes, dtype=np.int64))
    for index, size in enumerate(sizes):
        one = bound(fabric, op, size, placement)
        assert (one is None) == (found.bound_us is None)
        if one is not None and found.bound_us is not None:
            assert found.bound_us[index] == pytest.approx(one.time_us)
            assert found.algbw_gbs(found.bound_us)[index] == pytest.approx(one.algbw_gbs)
            assert found.busbw_gbs(found.bound_us)[index] == pytest.approx(one.busbw_gbs)
        network = bound(fabric, op, size, placement, in_network=True)
        assert (network is None) == (found.network_bound_us is None)
        if network is not None and found.network_bound_us is not None:
            assert found.network_bound_us[index] == pytest.approx(network.time_us)
        hosts = {e.algorithm: e.time_us for e in expected(fabric, op, size, placement, Constants())}
        assert {k: v[index] for k, v in found.hosts_us.items()} == pytest.approx(hosts)
        fastest = expected_in_network(fabric, op, size, placement, Constants())
        assert (fastest is None) == (not found.network_us)
        if fastest is not None:
            times = [times[index] for times in found.network_us.values()]
            assert min(times) == pytest.approx(fastest.time_us)
        if network is not None:
            for gain in most(fabric, op, size, placement):
                assert gain.gain == pytest.approx(gain.baseline_us / network.time_us)


def test_the_tables_of_an_operation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = _shown(SHARP.fabric(), tmp_path, capsys, "--op", "all_reduce", "--min", "1G")
    assert "all_reduce on made up: 512 GPUs on 64 nodes" in shown
    assert "Set by: NICs of a node, all together, egress, 126 of the size at" in shown
    for name in ("ring", "tree", "NVLS", "NVLS tree", "CollNet direct", "CollNet chain"):
        assert name in shown
    assert "Set by: NICs of a node, egress, 1 of the size at 397.5 GB/s." in shown
    assert (
        "By bytes alone it gains at most 1.97 over hosts at their bound, 2.00 over ring, 1.97 "
        "over hierarchical rings."
    ) in shown


def test_all_operations_of_a_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--nodes", "64", "--min", "1M", "--factor", "64"]
    shown = _shown(SHARP.fabric(), tmp_path, capsys, *options)
    for op in NETWORK_OPS:
        assert f"{op} on made up: 512 GPUs on 64 nodes" in shown
    assert "uplinks of a tier 1" in shown


@pytest.mark.parametrize(
    ("options", "title"),
    [
        (["--gpus", "12"], "12 GPUs on 2 nodes"),
        (["--gpus", "5"], "5 GPUs on 1 node"),
        (["--gpus", "12", "--ranks-per-node", "4"], "12 GPUs on 3 nodes"),
        (["--nodes", "3"], "24 GPUs on 3 nodes"),
        (["--nodes", "3", "--ranks-per-node", "1"], "3 GPUs on 3 nodes"),
    ],
)
def test_options_say_which_ranks(
    options: list[str], title: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = _shown(SHARP.fabric(), tmp_path, capsys, "--op", "all_gather", "--min", "1G", *options)
    assert f"all_gather on made up: {title}" in shown


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--gpus", "8", "--nodes", "1"], "--gpus and --nodes both say how many"),
        (["--gpus", "1000"], "125 nodes: accepted is 1 to the 64 of the fabric"),
        (["--gpus", "0"], "0 ranks: accepted is 1 or more"),
        (["--ranks-per-node", "9"], "9 ranks per node: accepted is 1 to the 8 GPUs of one"),
        (["--nodes", "0"], "0 ranks: accepted is 1 or more"),
    ],
)
def test_options_that_do_not_fit_are_explained(
    options: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["theory", _file(SHARP.fabric(), tmp_path), *options]) == 2
    assert sentence in capsys.readouterr().err


def test_gpus_are_of_a_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["theory", "emulated-4x400m", "--gpus", "8"]) == 2
    assert "--gpus does not fit fabric 'emulated-4x400m'" in capsys.readouterr().err


def test_without_reduction_it_is_shown_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = replace(SHARP, sharp=False, nvls_share=None).fabric()
    options = ["--op", "all_reduce", "--min", "1G"]
    assert "in the network" not in _shown(plain, tmp_path, capsys, *options)
    shown = _shown(plain, tmp_path, capsys, *options, "--in-network")
    assert "all_reduce in the network" in shown
    assert "does not say that its switches reduce: supposed here." in shown
    shown = _shown(plain, tmp_path, capsys, *options, "--in-network", "--nodes", "1")
    assert "its switches have nothing to do here" in shown


def test_what_carries_no_data_has_no_bound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = _shown(SHARP.fabric(), tmp_path, capsys, "--op", "barrier")
    assert "No byte of it has to wait for a link." in shown
    assert "in the network" not in shown
