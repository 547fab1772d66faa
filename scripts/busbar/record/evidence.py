"""What the bytes of a point tell of how it was carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from busbar.record.key import PointKey, parse_ranks
from busbar.record.launch import Launch
from busbar.record.placement import placement
from busbar.record.point import Block, Observed
from busbar.record.run import Run, Variant
from busbar.theory.operations import OPERATIONS
from busbar.theory.proof import Counted, Finding, prove
from busbar.theory.proof_by_nvlink import NvlinkBlock, prove_by_nvlink
from busbar.theory.proof_by_peers import prove_by_peers
from busbar.theory.wire import hypotheses


def asking_variants(run: Run) -> frozenset[str]:
    """Names of the variants that ask for reduction in the network."""
    return frozenset(v.name for v in run.plan.variants if v.in_network != "off")


def finding(key: PointKey, blocks: Sequence[Block], hosts: Sequence[str]) -> Finding | None:
    """What the counters of these blocks prove; None for an operation that theory does not know.

    None as well for several communicators side by side, whose bytes the counters add up.
    """
    if key.op not in OPERATIONS or key.group.parts is not None:
        return None
    counted = [
        Counted(b.wire.tx_bytes_per_node, b.wire.rx_bytes_per_node) if b.wire else None
        for b in blocks
    ]
    return prove(key.op, key.size_bytes, hosts, counted, key.root or 0)


def finding_by_peers(
    key: PointKey, blocks: Sequence[Block], launches: Mapping[int, Launch]
) -> Finding | None:
    """What the library's own count of bytes per peer proves; None where there is none.

    None as well for several communicators side by side.
    """
    if key.group.parts is not None:
        return None
    for block in blocks:
        matrix, launch = block.observed.bytes_per_peer, launches[block.launch]
        aggregators = [p.rank for p in launch.processes if p.role == "aggregator"]
        if matrix is None or key.op not in OPERATIONS or len(matrix) != len(launch.processes):
            continue
        ranks = parse_ranks(key.group.ranks)
        hosts = placement(key.group, launch)
        return prove_by_peers(
            key.op, key.size_bytes, hosts, ranks, aggregators, matrix, key.root or 0
        )
    return None


def finding_by_nvlink(
    key: PointKey, variant: Variant | None, blocks: Sequence[Block], hosts: Sequence[str]
) -> Finding | None:
    """What the counters of the GPUs' NVLinks prove on one host; None where there are none.

    A variant that asks for the fabric's switches is not answered by NVLink's; several communicators
    side by side are not told apart.
    """
    if key.group.parts is not None:
        return None
    of_fabric = variant is not None and variant.in_network in ("collnet", "sharp")
    if of_fabric or len(set(hosts)) != 1 or key.op not in OPERATIONS:
        return None
    return prove_by_nvlink(
        key.op, key.size_bytes, len(hosts), [_over_nvlink(block) for block in blocks]
    )


def _over_nvlink(block: Block) -> NvlinkBlock | None:
    if block.nvlink is None or not block.executions:
        return None
    counted = Counted(
        sent=[gpu.tx_bytes if gpu else None for gpu in block.nvlink],
        received=[gpu.rx_bytes if gpu else None for gpu in block.nvlink],
    )
    return NvlinkBlock(counted, block.executions)


def expected_bytes(key: PointKey, hosts: Sequence[str]) -> dict[str, float]:
    """Payload bytes of the busiest host by hypothesis; empty where theory has none."""
    if key.op not in OPERATIONS or key.group.parts is not None:
        return {}
    return hypotheses(key.op, key.size_bytes, hosts, key.root or 0)


def with_findings(
    observed: Observed,
    by_counters: Finding | None,
    by_peers: Finding | None,
    blocks: Sequence[Block],
    by_nvlink: Finding | None = None,
) -> Observed:
    """What the blocks say of themselves, and what the bytes add to it.

    Null where one contradicts another, or the blocks each other; `how` then says so.
    """
    said = {b.observed.in_network for b in blocks} - {None}
    how = list(observed.how)
    told = [
        ("bytes counted", by_counters),
        ("bytes per peer", by_peers),
        ("bytes over NVLink", by_nvlink),
    ]
    for source, found in told:
        if found is not None and found.in_network is not None:
            said.add(found.in_network)
            how.append(f"{source}: {found.because}")
    if len(said) > 1:
        how.append("what was reported of in_network contradicts itself")
    in_network = said.pop() if len(said) == 1 else None
    return observed.model_copy(update={"in_network": in_network, "how": how})
