"""How switches of a cluster are wired: rails, and groups that are joined directly."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from clusters import Spec, figure, specs
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from busbar import fabrics, simulate
from busbar.cli import run_command_line
from busbar.fabrics import Fabric
from busbar.fabrics.cluster import Cluster
from busbar.fabrics.guess import guess
from busbar.fabrics.load import CATALOGUE
from busbar.fabrics.seen import Seen, SeenHost, SeenPort
from busbar.fabrics.site_file import write_new
from busbar.simulate.cluster import cluster_platform
from busbar.simulate.description import Reduction
from platforms import links_of, routes_of

DRAGONFLY = Spec(nodes=9, gpus=1, domain=None, nics=4, tiers=((2, 2.0),), direct=True)
RAILS = Spec(nodes=4, gpus=4, domain=4, nics=4, tiers=((2, 2.0),), rails=True)


def _cluster(spec: Spec) -> Cluster:
    found = spec.fabric().cluster
    assert found is not None
    return found


def _platform(
    spec: Spec, nodes: int | None = None, *, trees: int = 0, ranks: int | None = None
) -> simulate.Platform:
    free = Reduction(None, None)
    each = ranks or spec.gpus
    return cluster_platform(_cluster(spec), nodes or spec.nodes, each, 1.0, trees, 0.0, free)


def _rates(platform: simulate.Platform) -> dict[str, float]:
    """Bytes per second of links, by name."""
    return {name: rate for name, (rate, _) in links_of(platform).items()}


def test_uplinks_are_shared_by_rails_or_by_other_groups() -> None:
    dragonfly, rails = _cluster(DRAGONFLY), _cluster(RAILS)
    (tier,) = dragonfly.tiers
    assert dragonfly.groups(tier) == 5
    assert dragonfly.uplinks_gbs(tier) == 2 * 4 * 50 / 2
    assert dragonfly.pair_gbs(tier) == 200 / 4
    assert rails.rail_gbs(rails.tiers[0]) == 2 * 50 / 2


def _fabric(spec: Spec, *tiers: dict[str, object]) -> Fabric:
    document = spec.fabric().model_dump(exclude_none=True)
    document["tier"] = [
        {"name": f"tier {n}", "oversubscription": figure(1), "source": "typed", **tier}
        for n, tier in enumerate(tiers, start=1)
    ]
    return Fabric.model_validate(document)


@pytest.mark.parametrize(
    ("tiers", "said"),
    [
        (
            [{"nodes": 2, "joined": "directly"}, {"nodes": 4}],
            "tier 'tier 1' are joined directly and have tier 'tier 2' above, accepted is",
        ),
        ([{"nodes": 8, "joined": "directly"}], "has all 8 nodes in one group, accepted are two"),
        ([{"nodes": 9, "joined": "directly"}], "accepted are two groups or more without rails"),
        ([{"nodes": 2, "joined": "directly", "rails": True}], "joined directly and has rails"),
        ([{"nodes": 2}, {"nodes": 4, "rails": True}], "tier 'tier 2' has rails, accepted are"),
        ([{"nodes": 2, "joined": "dragonfly"}], "'by switches' or 'directly'"),
    ],
)
def test_wirings_that_cannot_be_are_refused(tiers: list[dict[str, object]], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _fabric(Spec(nodes=8), *tiers)
    assert said in str(refused.value)


def test_groups_of_a_dragonfly_have_a_link_to_each_other_and_no_uplink() -> None:
    rates = _rates(_platform(DRAGONFLY))
    pair = 50e9 * 4096 / 4122
    for one, other in [(1, 2), (1, 5), (4, 5)]:
        for direction in ("tx", "rx"):
            assert rates[f"tier-1{one}-tier-1{other}.{direction}"] == pytest.approx(pair)
    assert sum("-tier-" in name.removeprefix("tier-") for name in rates) == 5 * 4
    assert "tier-11.tx" not in rates
    # The first three groups keep their share of all.
    few = _rates(_platform(DRAGONFLY, 6))
    assert few["tier-11-tier-13.tx"] == pytest.approx(pair)
    # One group alone is a switch.
    assert not [name for name in _rates(_platform(DRAGONFLY, 2)) if "tier" in name]


def test_gpus_hang_on_the_rail_of_their_nic_and_keep_their_nvlink() -> None:
    platform = _platform(RAILS)
    rates, ways = _rates(platform), routes_of(platform)
    nic = rates["node1.nic0.tx"]
    assert rates["tier-12.rail3.rx"] == pytest.approx(2 * nic / 2)
    assert "zone node3.gpu1.place full tier-12.rail1" in platform.lines
    inside = ways["node1.gpu0.place", "node1.gpu3.place"]
    assert inside == "node1.gpu0.port.tx,node1.gpu3.port.rx"
    assert ways["node1.gpu3", "node1.gpu3.place.switch"] == "node1.gpu3.pcie.tx,node1.nic3.tx"


def test_a_gpu_reaches_its_nic_over_its_slot() -> None:
    narrow = replace(RAILS, pcie_gbs=30.0)
    assert _rates(_platform(narrow))["node1.gpu0.pcie.tx"] == 30e9


def test_one_gpu_of_a_node_keeps_its_nvlink_to_other_nodes() -> None:
    rack = Spec(nodes=4, gpus=1, domain=2, nics=1)
    assert "node1.gpu0.port.tx" in _rates(_platform(rack))


def test_fewer_ranks_than_gpus_are_on_the_first_of_each_node() -> None:
    platform = _platform(RAILS, 2, ranks=2)
    assert platform.workers == ("node1.gpu0", "node1.gpu1", "node2.gpu0", "node2.gpu1")
    assert platform.nodes == ("node1", "node1", "node2", "node2")
    assert platform.lines == _platform(RAILS, 2).lines


def test_several_nics_of_a_gpu_are_one_on_one_rail() -> None:
    """Of eight NICs of a node each of four GPUs has two."""
    rates = _rates(_platform(replace(RAILS, nics=8)))
    assert rates["node1.nic2.tx"] == pytest.approx(2 * 50e9 * 4096 / 4122)
    assert "node1.nic3.tx" not in rates
    rails = {name.split(".")[1] for name in rates if ".rail" in name}
    assert rails == {"rail0", "rail2", "rail4", "rail6"}
    assert rates["tier-11.rail2.tx"] == pytest.approx(rates["node1.nic2.tx"] * 2 / 2)


def test_aggregators_form_a_tree_in_every_wiring() -> None:
    dragonfly = _platform(DRAGONFLY, 6, trees=1)
    assert dragonfly.aggregators == ("tier-11-agg", "tier-12-agg", "tier-13-agg")
    assert dragonfly.trees == (
        "node1=tier-11-agg,node2=tier-11-agg,node3=tier-12-agg,node4=tier-12-agg,"
        "node5=tier-13-agg,node6=tier-13-agg,tier-12-agg=tier-11-agg,tier-13-agg=tier-11-agg",
    )
    rails = _platform(RAILS, trees=2)
    assert rails.aggregators[::2] == ("tier-11-agg", "tier-12-agg", "top-agg")
    assert rails.trees[1].endswith(",node4=tier-12-agg,tier-11-agg=top-agg,tier-12-agg=top-agg")
    # Every rail of a group reaches the one that stands for those of all its leaves.
    ways = routes_of(rails)
    for rail in ("rail1", "rail2", "rail3"):
        assert ways[f"tier-12.{rail}", "tier-12-agg.place"] == "tier-12-agg.place.itself"
        assert ways["tier-12-agg.place", f"tier-12.{rail}"] == "tier-12-agg.place.itself"


def test_a_group_inside_another_ends_with_it() -> None:
    """Groups of 2 nodes inside of 3: the fourth node begins a group, as it does in theory."""
    spec = Spec(nodes=6, gpus=1, domain=None, nics=1, tiers=((2, 1.0), (3, 1.0)))
    words = [line.split() for line in _platform(spec).lines]
    above = [zone for kind, name, *_, zone in words if kind == "zone" and "domain" in name]
    assert above == [f"tier-1{n}" for n in (1, 1, 2, 3, 3, 4)]


@settings(deadline=None, max_examples=60)
@given(specs(), st.data())
def test_platforms_of_all_clusters_are_whole(spec: Spec, data: st.DataObject) -> None:
    nodes = data.draw(st.integers(1, spec.nodes))
    platform = _platform(spec, nodes, trees=1)
    made = Counter(
        tuple(words[:2])
        for words in (line.split() for line in platform.lines)
        if words[0] not in ("route", "shortcut")
    )
    assert set(made.values()) == {1}
    links = {name for kind, name in made if kind == "link"}
    ways = routes_of(platform)
    assert {name for way in ways.values() for name in way.split(",")} <= {*links, "-"}
    # What a line rests on comes before it.
    known = {"-"}
    for words in (line.split() for line in platform.lines):
        if words[0] in ("route", "shortcut"):
            assert set(words[1:6]) <= known
        else:
            known.add(words[1])
    if spec.gpus > 1:
        apart = {line.split()[1].removesuffix(".place") for line in platform.lines
                 if line.startswith("zone ") and ".gpu" in line}  # fmt: skip
        for one, other in pairwise(platform.workers[: spec.gpus]):
            ends = (f"{one}.place", f"{other}.place") if one in apart else (one, other)
            assert ways[ends].startswith(one)


def _file(folder: Path) -> Path:
    path = folder / "dragonfly.toml"
    path.write_text("""
name = "dragonfly"
description = "scalable units with rails, in groups of two that are joined directly"
extends = "dgx-h100"
without = ["in_network"]
[node]
count = 256
source = "test"
[[tier]]
name = "scalable unit"
nodes = 32
oversubscription = { value = 1, source = "test" }
rails = true
source = "test"
[[tier]]
name = "group"
nodes = 64
oversubscription = { value = 2, source = "test" }
joined = "directly"
source = "test"
""")
    return path


def test_show_says_what_a_rail_and_a_link_between_groups_carry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["fabrics", "show", str(_file(tmp_path))]) == 0
    said = capsys.readouterr().out
    assert "joined directly" in said
    rows = {cells[0]: cells[1:] for line in said.splitlines() if "│" in line
            for cells in [[cell.strip() for cell in line.strip("│").split("│")]]}  # fmt: skip
    assert rows["uplinks of a rail of a scalable unit"][:2] == ["8", "1600 GB/s"]
    assert rows["link to another group"][:2] == ["3", "4266.67 GB/s"]
    assert run_command_line(["fabrics", "show", "meta-24k-roce"]) == 0
    assert "uplinks consist of" not in capsys.readouterr().out


def test_the_dragonfly_of_the_documentation_is_one(tmp_path: Path) -> None:
    readme = (CATALOGUE / "README.md").read_text()
    _, example = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    head = 'name = "nine"\ndescription = "nine groups"\nextends = "dgx-h100"\n'
    (tmp_path / "nine.toml").write_text(head + example)
    cluster = fabrics.load(str(tmp_path / "nine.toml")).cluster
    assert cluster is not None
    assert cluster.groups(cluster.tiers[0]) == 9
    assert cluster.pair_gbs(cluster.tiers[0]) == 16 * 50  # 16 cables of 400 Gbit/s


def test_theory_says_what_its_times_suppose_of_a_dragonfly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["theory", str(_file(tmp_path)), "--op", "send_recv", "--min", "1G"]
    assert run_command_line(words) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Each group has a link of 4239.8 GB/s to each other." in said
    assert run_command_line([*words, "--nodes", "64"]) == 0
    assert "to each other" not in capsys.readouterr().out


def test_a_new_file_after_a_dragonfly_has_all_of_its_groups(tmp_path: Path) -> None:
    _file(tmp_path)
    host = SeenHost("n1", ("NVIDIA H100 80GB HBM3",) * 8, (SeenPort("infiniband", 400e9),) * 8)
    found = guess(Seen((host,), launched=False), "dragonfly.toml", tmp_path)
    write_new(tmp_path / "ours.toml", found)
    fabric = fabrics.load(str(tmp_path / "ours.toml"))
    assert fabric.cluster is not None
    assert fabric.cluster.node.count == 256
    assert fabric.cluster.tiers[1].joined == "directly"
    assert found.unknown[0].startswith("how many nodes there are")
