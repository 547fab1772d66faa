"""What an algorithm takes for no bytes, by NCCL's model (`nccl_constants`).

N is the number of domains, as NCCL counts GPUs that NVLink joins over several hosts as one node;
k the ranks of one. Where NCCL takes a broadcast or a reduce as one step along the ring, or as one
per rank, the steps are counted here as in an all_gather: the last rank has to wait for all of them.
Its 1.4-fold for large all_reduces by a ring over nodes hangs on channels, and is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log2

from busbar.theory.cluster.layout import Layout
from busbar.theory.cluster.nccl_constants import (
    BASE_US,
    DIRECT_GPU_US,
    PAT_RANK_US,
    PAT_TREES_SHARE,
    POST_US,
    POSTS,
    STEP_US,
    Algorithm,
    Protocol,
)


@dataclass(frozen=True)
class _Steps:
    """A group in the eyes of NCCL's model, for one algorithm and protocol."""

    ranks: int
    domains: int
    in_domain: int
    base_us: float
    inside_us: float
    """A step inside a domain."""
    between_us: float
    """A step between domains."""
    post_us: float
    """Of a message to a NIC; 0 where there is no other domain."""

    def levels(self) -> int:
        """Of a binary tree over the domains."""
        return int(log2(self.domains))


def latency_us(layout: Layout, op: str, algorithm: Algorithm, protocol: Protocol) -> float:
    """Microseconds of an algorithm for the operations that NCCL tunes."""
    steps = _steps(layout, algorithm, protocol)
    if algorithm == "ring":
        return _ring(steps, 2 if op == "all_reduce" else 1)
    return _OTHERS[algorithm](steps)


def pairs_latency_us(layout: Layout, messages: int, between: bool, protocol: Protocol) -> float:
    """Microseconds of messages that one rank has to handle, all but one of them to NICs.

    NCCL has no model of them: the start and one step of a ring, then what a processor takes for
    each message more.
    """
    steps = _steps(layout, "ring", protocol)
    first = steps.between_us if between else steps.inside_us
    return steps.base_us + first + max(0, messages - 1) * steps.post_us


def joined_by_nvlink(layout: Layout) -> bool:
    """Whether all GPUs of a domain are in one scale-up domain."""
    return layout.cluster.scale_up is not None and layout.island_ranks == layout.domain_ranks


def _steps(layout: Layout, algorithm: Algorithm, protocol: Protocol) -> _Steps:
    inside = STEP_US["NVLink" if joined_by_nvlink(layout) else "PCIe"]
    in_domain = layout.most_in_domain()
    # One rank on each node sends to NICs as the trees do, whatever the algorithm.
    as_if = "tree" if in_domain == 1 else algorithm
    post = POST_US[layout.cluster.node.cpu] * POSTS[protocol]
    return _Steps(
        layout.ranks, layout.domains(), in_domain,
        BASE_US[algorithm][protocol], inside.get(algorithm, (0, 0, 0))[protocol],
        STEP_US["network"][as_if][protocol], post if layout.domains() > 1 else 0.0,
    )  # fmt: skip


def _ring(steps: _Steps, rounds: int) -> float:
    between = rounds * (steps.domains - 1)
    inside = rounds * (steps.ranks - 1) - between
    step = max(steps.inside_us, steps.post_us)
    return steps.base_us + inside * step + between * steps.between_us


def _tree(steps: _Steps) -> float:
    chain = (steps.in_domain - 1) * steps.inside_us
    return steps.base_us + 2 * (chain + steps.levels() * steps.between_us)


def _pat(steps: _Steps) -> float:
    doublings = steps.levels() * steps.between_us * PAT_TREES_SHARE
    return steps.base_us + doublings + PAT_RANK_US * steps.ranks


def _nvls(steps: _Steps) -> float:
    return steps.base_us + steps.inside_us + (steps.between_us if steps.domains > 1 else 0)


def _nvls_tree(steps: _Steps) -> float:
    return steps.base_us + steps.inside_us + 2 * steps.levels() * steps.between_us


def _collnet_direct(steps: _Steps) -> float:
    others = steps.in_domain - 1
    inside = min(1, others) * steps.inside_us + DIRECT_GPU_US * others
    return steps.base_us + 2 * inside + steps.between_us


def _collnet_chain(steps: _Steps) -> float:
    return steps.base_us + 2 * (steps.in_domain - 1) * steps.inside_us + steps.between_us


_OTHERS: dict[Algorithm, Callable[[_Steps], float]] = {
    "tree": _tree,
    "PAT": _pat,
    "NVLS": _nvls,
    "NVLS tree": _nvls_tree,
    "CollNet direct": _collnet_direct,
    "CollNet chain": _collnet_chain,
}
