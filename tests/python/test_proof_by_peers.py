"""Whether aggregators reduced, told by bytes from process to process."""

from __future__ import annotations

import pytest

from busbar.record.evidence import with_findings
from busbar.record.point import Observed
from busbar.theory.proof import Finding
from busbar.theory.proof_by_peers import prove_by_peers

MIB = 1 << 20
CONTROL = 700.0  # what workers say to each other between samples, as seen


def _tree(ranks: int, size: float) -> list[list[float]]:
    """All to process `ranks`, the aggregator, and back."""
    count = ranks + 1
    matrix = [[CONTROL] * count for _ in range(count)]
    for rank in range(ranks):
        matrix[rank][ranks] = matrix[ranks][rank] = size + CONTROL
    return matrix


def _ring(ranks: int, size: float) -> list[list[float]]:
    matrix = [[CONTROL] * (ranks + 1) for _ in range(ranks + 1)]
    for rank in range(ranks):
        matrix[rank][(rank + 1) % ranks] = 2 * (ranks - 1) / ranks * size
    return matrix


def _prove(matrix: list[list[float]], ranks: int, size: int = MIB, **changes: object) -> object:
    given: dict[str, object] = {
        "placement": [f"host{rank}" for rank in range(ranks)],
        "ranks": list(range(ranks)),
        "aggregators": [ranks],
    }
    return prove_by_peers("all_reduce", size, matrix=matrix, **(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("ranks", [2, 3, 4, 10])
def test_it_tells_at_two_hosts_too(ranks: int) -> None:
    found = _prove(_tree(ranks, MIB), ranks)
    assert isinstance(found, Finding)
    assert found.in_network is True
    found = _prove(_ring(ranks, MIB), ranks)
    assert isinstance(found, Finding)
    assert found.in_network is False


def test_the_reason_has_the_figures() -> None:
    found = _prove(_tree(2, MIB), 2)
    assert isinstance(found, Finding)
    assert found.because == (
        "of the 2 times the size that hosts alone need, they sent each other 0.00 and "
        "aggregators 2.00"
    )


def test_nothing_is_told_where_nothing_can_be() -> None:
    assert _prove(_tree(2, MIB), 2, aggregators=[]) is None
    assert _prove(_tree(2, MIB), 2, placement=["host0", "host0"]) is None
    assert _prove(_tree(4, 64), 4, size=64) is None  # lost among control messages
    half = [[value / 2 for value in row] for row in _ring(4, MIB)]
    assert _prove(half, 4) is None  # neither way is complete


def test_findings_that_differ_prove_nothing() -> None:
    nothing = Observed(algorithm=None, protocol=None, channels=None, in_network=None, how=[],
                       bytes_per_peer=None)  # fmt: skip
    yes, no = Finding(True, "a"), Finding(False, "b")
    assert with_findings(nothing, yes, None, []).in_network is True
    assert with_findings(nothing, Finding(None, "c"), no, []).in_network is False
    assert with_findings(nothing, None, None, []).in_network is None
    seen = with_findings(nothing, yes, no, [])
    assert seen.in_network is None
    assert seen.how == [
        "bytes counted: a", "bytes per peer: b",
        "what was reported of in_network contradicts itself",
    ]  # fmt: skip
