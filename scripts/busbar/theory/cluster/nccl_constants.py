"""Figures of NCCL's own model, which it chooses algorithms by.

All from NCCL 2.28.9, src/graph/tuning.cc, in microseconds and GB/s: what its authors measured or
supposed, no truth about hardware. Latencies are taken as they are; of its bandwidths only what is
lost to a protocol or an algorithm, as a fabric file says what its links carry. What depends on the
number of channels is left out, as NCCL chooses that for itself.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from busbar.fabrics.cluster import Architecture

Algorithm = Literal[
    "ring", "tree", "PAT", "NVLS", "NVLS tree", "CollNet direct", "CollNet chain"
]  # fmt: skip
Link = Literal["NVLink", "PCIe", "network"]


class Protocol(IntEnum):
    """How data is made visible to the receiver; places in the tables below."""

    LL = 0
    """8 bytes of data with 8 of flags."""
    LL128 = 1
    """120 bytes of data with 8 of flags; needs stores of 128 bytes, so NVLink inside nodes."""
    SIMPLE = 2


ByProtocol = tuple[float, float, float]

_NONE: ByProtocol = (0, 0, 0)


def _simple(value: float) -> ByProtocol:
    """A figure of an algorithm that has no other protocol."""
    return (0, 0, value)


BASE_US: dict[Algorithm, ByProtocol] = {
    "ring": (6.6, 14, 8.4),
    "tree": (6.8, 14, 8.4),
    "PAT": _simple(8),
    "NVLS": _NONE,
    "NVLS tree": _NONE,
    "CollNet direct": _NONE,
    "CollNet chain": _NONE,
}
"""Once for an execution."""

STEP_US: dict[Link, dict[Algorithm, ByProtocol]] = {
    "NVLink": {
        "ring": (0.6, 1.9, 3.4),
        "tree": (0.6, 1.25, 4),
        "PAT": _simple(4),
        "NVLS": _simple(25),
        "NVLS tree": _simple(25),
        "CollNet direct": _simple(3.7),
        "CollNet chain": _simple(2.8),
    },
    "PCIe": {
        "ring": (1, 2.5, 5.7),
        "tree": (1, 1.9, 4),
        "PAT": _simple(4),
        "CollNet direct": _simple(3.7),
        "CollNet chain": _simple(2.8),
    },
    "network": {
        "ring": (2.7, 4, 14),
        "tree": (5, 8.5, 14),
        "PAT": _simple(14),
        "NVLS": _simple(18),
        "NVLS tree": _simple(20.9),
        "CollNet direct": _simple(31),
        "CollNet chain": _simple(30),
    },
}
"""For each step over such a link."""

POST_US = {"intel": 1.0, "arm": 1.0, "amd": 2.0}
"""What a host's processor takes to hand a message to a NIC."""

POSTS: ByProtocol = (1, 1, 3)
"""How often it does so for a step."""

DIRECT_GPU_US = 0.4
"""CollNet direct, twice for each other GPU of the node."""
PAT_TREES_SHARE = 1 / 3.5
"""PAT, of a network step for each doubling, as trees overlap."""
PAT_RANK_US = 2.8
"""PAT, for each rank."""

EFFICIENCY: dict[Algorithm, ByProtocol] = {
    "ring": (0.5, 0.92, 1),
    "tree": (1 / 3.8, 120 / 128, 0.92),
    "PAT": _simple(0.75),
    "NVLS": _simple(1),
    "NVLS tree": _simple(1),
    "CollNet direct": _simple(1),
    "CollNet chain": _simple(1),
}
"""Of the bandwidth of the links, what is left; 0 where there is no such protocol."""

TREE_LL128_ONE_NODE = 7 / 9
DIRECT_SINCE_HOPPER = 0.85
"""CollNet direct on Hopper and later."""

_LL_MOST_GBS: dict[Architecture, float] = {
    "ampere": 87.7,
    "ada": 87.7,
    "hopper": 141,
    "blackwell": 282,
    "rubin": 282,
}
_LL_MOST_BETWEEN_GBS = {"intel": (39, 20.4), "arm": (39, 20.4), "amd": (22.5, 19)}


def ll_most_gbs(architecture: Architecture, cpu: str, nodes: int) -> float:
    """Bus bandwidth that LL does not exceed: by the GPU on one node, else by the processor.

    NCCL 2.28.9 has no row for Ada, which takes that of Ampere, nor for Rubin: Blackwell's.
    """
    if nodes < 2:
        return _LL_MOST_GBS[architecture]
    two, more = _LL_MOST_BETWEEN_GBS[cpu]
    return two if nodes == 2 else more
