"""Figures that others published, against what theory expects of the catalogue's fabrics.

None of them was used to fit a figure of its fabric, unless the row says so. All are bus bandwidth
of large messages, GB/s. A tolerance is what the source leaves open (a range, "about", a graph), and
at least 3 %: one site's best run is no more exact than that. Where kernels reach less than NCCL's
own model has them reach (`ring_share` of Blackwell), the row says so and allows for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from cluster_records import at, judged

from busbar import fabrics
from busbar.check import Verdict
from busbar.fabrics import Fabric
from busbar.theory.cluster.expected import candidates
from busbar.theory.cluster.layout import Layout, lay_out
from busbar.theory.cluster.shape import Shape
from busbar.theory.operations import OPERATIONS
from busbar.units import parse_size

SIZE = 16 << 30


@dataclass(frozen=True)
class Published:
    """One measurement that somebody made public."""

    fabric: str
    gpus: int
    op: str
    algorithm: str
    busbw_gbs: float
    tolerance: float
    source: str

    def __str__(self) -> str:
        return f"{self.fabric}-{self.gpus}-{self.op}-{self.algorithm}"


PUBLISHED = [
    # the share is fitted to H200, which has the same NVLink: this confirms the figure, the next
    # three, with fewer GPUs, the formula
    Published("hgx-h100", 8, "all_reduce", "NVLS", 480, 0.03, "NVIDIA/nccl-tests 212, 2140"),
    Published("hgx-h100", 7, "all_reduce", "NVLS", 460, 0.03, "NVIDIA/nccl 1455"),
    Published("hgx-h100", 6, "all_reduce", "NVLS", 440, 0.03, "NVIDIA/nccl 1455"),
    Published("hgx-h100", 5, "all_reduce", "NVLS", 420, 0.03, "NVIDIA/nccl 1455"),
    Published("hgx-h100", 8, "all_reduce", "ring", 370, 0.03, "NVIDIA/nccl-tests 212"),
    # "which you can observe when running non-allreduce operations"
    Published("hgx-h100", 8, "all_gather", "ring", 370, 0.03, "NVIDIA/nccl-tests 212"),
    Published("hgx-h100", 8, "reduce_scatter", "ring", 370, 0.03, "NVIDIA/nccl-tests 212"),
    Published("dgx-a100", 8, "all_reduce", "ring", 235, 0.03, "reference runs of DGX A100"),
    # 8 x 200 Gb/s; of how many nodes is not said.
    Published("dgx-a100", 32, "all_reduce", "ring", 192, 0.03, "NVIDIA/nccl 812"),
    # "about 220", limited by NVLink
    Published("dgx-a100", 32, "all_reduce", "CollNet chain", 220, 0.1, "NVIDIA/nccl 320"),
    # 46 to 48 GB/s of each of 8 NICs
    Published("dgx-h100", 16, "all_reduce", "ring", 8 * 47, 0.05, "NVIDIA/nccl-tests 290"),
    # 48 to 49 GB/s of each NIC, of 6 nodes: 40 of 47 messages leave the node
    Published("dgx-h100", 48, "all_to_all", "pairwise", 48.5 * 47 / 40, 0.03,
              "NVIDIA/nccl-tests 267"),
    # 673 to 682: kernels reach 0.75 to 0.76 of Blackwell's NVLink, NCCL reckons with 0.80
    Published("hgx-b200", 8, "all_reduce", "ring", 682, 0.08, "stas00/ml-engineering"),
    Published("dgx-b300", 8, "all_reduce", "ring", 695, 0.08, "NVIDIA/nccl 2140"),
    # the share is fitted to B200, which has the same NVLink
    Published("dgx-b300", 8, "all_reduce", "NVLS", 845, 0.03, "NVIDIA/nccl 2140"),
    # that EFA reaches as much of its line as InfiniBand was supposed with this figure known
    Published("aws-p6-b200", 32, "all_reduce", "NVLS tree", 376.7, 0.03, "stas00/ml-engineering"),
    Published("gb200-nvl72", 72, "all_reduce", "ring", 680, 0.08, "GTC25 S72583"),
    # two racks, 793 to 820
    Published("gb200-nvl72-superpod", 144, "all_reduce", "NVLS tree", 806, 0.08,
              "coreweave/nccl-tests README"),
    # the share is fitted to GTC25 S72583, 850
    Published("gb200-nvl72", 72, "all_reduce", "NVLS", 847, 0.03, "coreweave/nccl-tests 43"),
]  # fmt: skip


def _layout(fabric: Fabric, gpus: int) -> Layout:
    assert fabric.cluster is not None
    return lay_out(fabric.cluster, Shape(gpus, min(gpus, fabric.cluster.node.gpus)))


def _busbw(fabric: Fabric, op: str, gpus: int, algorithm: str) -> float:
    able = candidates(fabric, _layout(fabric, gpus), op)
    time_us = next(one.time_us(SIZE) for one in able if one.algorithm == algorithm)
    return SIZE / time_us / 1000 * OPERATIONS[op].bus_factor(gpus)


@pytest.mark.parametrize("row", PUBLISHED, ids=str)
def test_what_was_published_is_what_to_expect(row: Published) -> None:
    found = _busbw(fabrics.load(row.fabric), row.op, row.gpus, row.algorithm)
    assert found == pytest.approx(row.busbw_gbs, rel=row.tolerance), row.source


_SEEN: dict[str, dict[str, Any]] = {
    "ring": {"algorithm": "RING", "in_network": False},
    "pairwise": {},
    "NVLS": {"algorithm": "NVLS", "in_network": True},
    "NVLS tree": {"algorithm": "NVLS_TREE", "in_network": True},
    "CollNet chain": {"algorithm": "COLLNET_CHAIN", "in_network": True,
                      "settings": {"in_network": "sharp"}},
}  # fmt: skip


@pytest.mark.parametrize("row", PUBLISHED, ids=str)
def test_what_was_published_passes(row: Published) -> None:
    fabric = fabrics.load(row.fabric)
    assert fabric.cluster is not None
    per_node = min(row.gpus, fabric.cluster.node.gpus)
    hosts = fabric.placement(per_node, row.gpus // per_node)
    for seen in [_SEEN[row.algorithm], *([{}] if _is_default_of_several(row, fabric) else [])]:
        judged_row = judged(at(row.busbw_gbs, hosts, row.op, **seen), fabric)
        assert judged_row.verdict is Verdict.PASS, f"{seen}: {judged_row.reason}"


def _is_default_of_several(row: Published, fabric: Fabric) -> bool:
    """Whether NCCL may take it by itself over several domains: nobody has to see it."""
    return _layout(fabric, row.gpus).domains() > 1 and row.algorithm != "CollNet chain"


@pytest.mark.parametrize("gpus", [2, 3, 4])
def test_few_h100_do_better_by_ring_than_by_nvls(gpus: int) -> None:
    """365 to 370 with 2 to 4 GPUs, whatever NCCL chooses (NVIDIA/nccl 1455)."""
    fabric = fabrics.load("hgx-h100")
    able = candidates(fabric, _layout(fabric, gpus), "all_reduce")
    best = min(able, key=lambda one: one.time_us(SIZE))
    found = SIZE / best.time_us(SIZE) / 1000 * 2 * (gpus - 1) / gpus
    assert found == pytest.approx(367.5, rel=0.03)


@pytest.mark.parametrize(
    ("size", "busbw_gbs"),
    [
        ("32K", 3.15), ("128K", 12.46), ("512K", 48.15), ("1M", 74.57), ("4M", 145.14),
        ("16M", 255.90), ("64M", 368.86), ("256M", 441.87), ("1G", 465.91),
    ],
)  # fmt: skip
def test_sizes_between_latency_and_bandwidth_are_within_a_third(
    size: str, busbw_gbs: float
) -> None:
    """8 H200 (stas00/ml-engineering, network/benchmarks), whose 8 GiB the NVLS share is fitted to.

    Latencies are NCCL's own figures. A pipeline that is not full yet is in no model here, so the
    middle is expected too fast.
    """
    fabric = fabrics.load("dgx-h200")
    size_bytes = parse_size(size)
    able = candidates(fabric, _layout(fabric, 8), "all_reduce")
    time_us = min(one.time_us(size_bytes) for one in able)
    assert size_bytes / time_us / 1000 * 1.75 == pytest.approx(busbw_gbs, rel=1 / 3)


def test_an_h800_has_the_share_of_an_h100() -> None:
    """215 GB/s with NVLS on 8 GPUs with 200 GB/s of NVLink each way (NVIDIA/nccl 1374)."""
    document = fabrics.load("hgx-h100").model_dump(by_alias=True, exclude_none=True)
    document["scale_up"]["port_gbs"]["value"] = 200.0
    fabric = Fabric.model_validate(document)
    assert _busbw(fabric, "all_reduce", 8, "NVLS") == pytest.approx(215, rel=0.03)


@pytest.mark.parametrize("nodes", [2, 4, 8, 16, 32])
def test_rings_over_eight_ports_of_400_gb_stay_below_388(nodes: int) -> None:
    found = _busbw(fabrics.load("dgx-h100"), "all_reduce", nodes * 8, "ring")
    assert 0.95 * 388 < found <= 388
