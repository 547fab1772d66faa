"""The catalogue's clusters: sourced throughout, and physically possible."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest

from busbar import fabrics
from busbar.fabrics.cluster import Cluster
from busbar.fabrics.load import CATALOGUE, resolve

CLUSTERS = [name for name in fabrics.names() if fabrics.load(name).kind == "cluster"]
ASKED_FOR = [
    "dgx-a100",
    "dgx-h100",
    "dgx-h200",
    "dgx-h100-superpod-1su",
    "dgx-h100-superpod-2su",
    "dgx-h100-superpod-3su",
    "dgx-h100-superpod-4su",
    "dgx-b200",
    "dgx-b300",
    "hgx-h100-roce",
    "hgx-h100-spectrum-x",
    "hgx-b200-roce",
    "hgx-b200-spectrum-x800",
    "hgx-b300-spectrum-x800",
    "h100-ethernet",
    "gb200-nvl72",
    "gb200-nvl72-superpod",
    "gb200-nvl4",
    "nvl576",
    "h200-nvl",
    "l40s-pcie",
    "quantum-2",
    "quantum-x800",
    "aws-p5",
    "aws-p6-b200",
    "meta-24k-roce",
    "ethernet-100k",
]


def cluster(name: str) -> Cluster:
    found = fabrics.load(name).cluster
    assert found is not None
    return found


def test_what_is_in_the_field_is_there() -> None:
    assert [name for name in ASKED_FOR if name not in CLUSTERS] == []


def _tables(
    document: Mapping[str, Any], where: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, value in document.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                yield f"{where}{key}", item
                yield from _tables(item, f"{where}{key}.")


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_number_has_a_source(name: str) -> None:
    document = resolve(CATALOGUE / f"{name}.toml").document
    for where, table in _tables(document):
        numbers = [k for k, v in table.items() if isinstance(v, int | float) and v is not True]
        if where != "sweep" and numbers:
            assert table.get("source") or table.get("reason"), f"{where}: {numbers}"


@pytest.mark.parametrize("name", CLUSTERS)
def test_each_gpu_gets_no_more_the_further_it_reaches(name: str) -> None:
    """But where a file says that a group's uplinks carry more than its nodes send."""
    found = cluster(name)
    levels = found.levels()
    assert [a.gpus for a in levels] == sorted({level.gpus for level in levels})
    generous = {t.nodes * found.node.gpus: 1 / t.oversubscription.value for t in found.tiers}
    for inner, outer in pairwise(levels):
        more = max(1.0, generous.get(outer.gpus, 1.0))
        assert outer.line_gbs / outer.gpus <= more * inner.line_gbs / inner.gpus
        assert outer.payload_share <= 1.0


@pytest.mark.parametrize("name", CLUSTERS)
def test_it_has_sizes_and_limits(name: str) -> None:
    fabric = fabrics.load(name)
    largest = fabric.sizes("all_reduce")[-1]
    assert {limit.op for limit in fabric.limits} >= {"all_reduce", "all_to_all"}
    assert all(limit.from_bytes() <= largest for limit in fabric.limits)
    rows = {(limit.op, limit.variant, limit.domains) for limit in fabric.limits}
    assert len(rows) == len(fabric.limits)


@pytest.mark.parametrize(
    ("name", "gpus", "levels"),
    [
        ("dgx-a100", 160, {"NVLink 3 port of a GPU": 300, "NICs of a node": 200}),
        ("dgx-h100", 256, {"NVLink 4 port of a GPU": 450, "NICs of a node": 400}),
        ("dgx-b300", 576, {"NVLink 5 port of a GPU": 900, "NICs of a node": 800}),
        ("hgx-b300-spectrum-x800", 512, {"NVLink 5 port of a GPU": 900, "NICs of a node": 800}),
        ("aws-p5", 512, {"NVLink 4 port of a GPU": 450, "NICs of a node": 400}),
        ("h100-ethernet", 256, {"NVLink 4 port of a GPU": 450, "NICs of a node": 50}),
        ("l40s-pcie", 8, {"PCIe slot of a GPU": 31.5}),
        (
            "h200-nvl",
            8,
            {"NVLink 4 bridge port of a GPU": 450, "PCIe slots of an NVLink 4 bridge island": 252},
        ),
        ("gb200-nvl4", 4, {"NVLink 5 port of a GPU": 900}),
        (
            "gb200-nvl72",
            72,
            {"NVLink 5 port of a GPU": 900, "NICs of an NVLink 5 domain": 3600},
        ),
        ("nvl576", 576, {"NVLink 5 port of a GPU": 900, "NICs of an NVLink 5 domain": 28800}),
        (
            "dgx-h100-superpod-4su",
            1016,
            {
                "NVLink 4 port of a GPU": 450,
                "NICs of a node": 400,
                "uplinks of a scalable unit": 12800,
            },
        ),
        (
            "ethernet-100k",
            101376,
            {
                "NVLink 4 port of a GPU": 450,
                "NICs of a node": 400,
                "uplinks of a rack": 1600,
                "uplinks of a pod": 384 * 400 / 7,
            },
        ),
    ],
)
def test_levels_are_those_of_the_hardware(name: str, gpus: int, levels: dict[str, float]) -> None:
    found = cluster(name)
    assert found.gpus() == gpus
    rates = {level.name: level.line_gbs for level in found.levels()}
    assert rates.keys() == levels.keys()
    assert rates == pytest.approx(levels)


def test_superpods_have_as_many_nodes_as_published() -> None:
    counts = [cluster(f"dgx-h100-superpod-{n}su").node.count for n in range(1, 5)]
    assert counts == [31, 63, 95, 127]


@pytest.mark.parametrize(("name", "ports"), [("quantum-2", 64), ("quantum-x800", 144)])
def test_a_switch_has_a_port_for_each_nic(name: str, ports: int) -> None:
    found = cluster(name)
    assert found.nic is not None
    assert found.node.count * found.nic.per_node == ports
    reduction = fabrics.load(name).in_network
    assert reduction is not None and reduction.mechanism == "sharp"
    # 14.4 TFLOPS of 8 bits are what all ports take in: neither sets the pace alone.
    if reduction.rate is not None:
        assert reduction.rate.value == 14.4e12 * 8 == ports * found.nic.rate_bps.value


def _busbw(gpus: int, share: float, port_gbs: float) -> float:
    """Bus bandwidth of all_reduce by switches: a port carries (n+1)/n of the size each way."""
    return share * port_gbs * gpus / (gpus + 1) * 2 * (gpus - 1) / gpus


@pytest.mark.parametrize(
    ("name", "gpus", "published"),
    [
        # Not those that were fitted to, which are in the files.
        ("hgx-h100", 8, 480),
        ("hgx-h100", 7, 460),
        ("hgx-h100", 6, 440),
        ("hgx-h100", 5, 420),
        ("gb200-nvl72", 72, 841),
    ],
)
def test_reduction_by_nvlink_switches_lands_where_published(
    name: str, gpus: int, published: float
) -> None:
    links = cluster(name).scale_up
    assert links is not None and links.in_network is not None
    found = _busbw(gpus, links.in_network.share.value, links.port_gbs.value)
    assert found == pytest.approx(published, rel=0.03)


def test_a_share_fitted_to_eight_gpus_does_not_hold_for_a_rack() -> None:
    eight, rack = cluster("hgx-b200").scale_up, cluster("gb200-nvl72").scale_up
    assert eight is not None and eight.in_network is not None and rack is not None
    assert _busbw(72, eight.in_network.share.value, rack.port_gbs.value) == pytest.approx(
        1053, rel=0.001
    )


@pytest.mark.parametrize(
    ("name", "published"), [("dgx-a100", 235), ("hgx-h100", 370), ("hgx-b200", 678)]
)
def test_rings_land_where_published(name: str, published: float) -> None:
    links = cluster(name).scale_up
    assert links is not None
    assert links.ring_share.value * links.port_gbs.value == pytest.approx(published, rel=0.07)


def test_the_readme_names_nothing_that_is_not_there() -> None:
    text = (CATALOGUE / "README.md").read_text()
    extended = re.findall(r'^extends = "(.*)"', text, re.M)
    assert extended and set(extended) <= set(fabrics.names())
