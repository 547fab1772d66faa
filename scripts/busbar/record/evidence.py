"""What the bytes of a point tell of how it was carried out."""

from __future__ import annotations

from collections.abc import Sequence

from busbar.record.key import PointKey
from busbar.record.point import Block, Observed
from busbar.record.run import Run
from busbar.theory.operations import OPERATIONS
from busbar.theory.proof import Counted, Finding, prove
from busbar.theory.wire import hypotheses


def asking_variants(run: Run) -> frozenset[str]:
    """Names of the variants that ask for reduction in the network."""
    return frozenset(v.name for v in run.plan.variants if v.in_network != "off")


def finding(key: PointKey, blocks: Sequence[Block], placement: Sequence[str]) -> Finding | None:
    """What the counters of these blocks prove; None for an operation that theory does not know."""
    if key.op not in OPERATIONS:
        return None
    counted = [
        Counted(b.wire.tx_bytes_per_node, b.wire.rx_bytes_per_node) if b.wire else None
        for b in blocks
    ]
    return prove(key.op, key.size_bytes, placement, counted, key.root or 0)


def expected_bytes(key: PointKey, placement: Sequence[str]) -> dict[str, float]:
    """Payload bytes of the busiest host by hypothesis; empty where theory has none."""
    if key.op not in OPERATIONS:
        return {}
    return hypotheses(key.op, key.size_bytes, placement, key.root or 0)


def with_finding(observed: Observed, found: Finding | None, blocks: Sequence[Block]) -> Observed:
    """What the blocks say of themselves, and what their bytes add to it.

    Null where one contradicts the other, or the blocks each other; `how` then says so.
    """
    if found is None or found.in_network is None:
        return observed
    said = {b.observed.in_network for b in blocks} - {None}
    how = [*observed.how, f"bytes counted: {found.because}"]
    if said - {found.in_network}:
        how.append("the bytes contradict what was reported of in_network")
        return observed.model_copy(update={"in_network": None, "how": how})
    return observed.model_copy(update={"in_network": found.in_network, "how": how})
