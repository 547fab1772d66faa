"""How much of a fabric was measured: what holds of a part says nothing of the rest."""

from __future__ import annotations

from busbar.check.result import RowResult, Verdict
from busbar.fabrics.model import Fabric
from busbar.record.models import RunRecord

_EVERYONE = "all"
"""Name of the group that has every rank of a launch."""


def coverage(record: RunRecord, fabric: Fabric) -> str:
    """One sentence where fewer hosts, or fewer of their GPUs, were measured than the fabric has."""
    visited = {block.launch for point in record.points for block in point.blocks}
    launches = [launch for launch in record.launches if launch.id in visited]
    workers = [[p for p in launch.processes if p.role == "worker"] for launch in launches]
    hosts = {process.host for each in workers for process in each}
    parts = [_part(len(hosts), fabric.host_count(), "hosts")]
    on_gpus = any(point.key.memory == "gpu" for point in record.points)
    if fabric.cluster is not None and on_gpus:
        # One rank has one GPU; where several share one, that is said for itself.
        ranks = max((len(each) for each in workers), default=0)
        parts.append(_part(ranks, fabric.cluster.node.count * fabric.cluster.node.gpus, "GPUs"))
    told = [part for part in parts if part]
    return f"Measured were {' and '.join(told)} of fabric {fabric.name}." if told else ""


def _part(measured: int, there_are: int | None, what: str) -> str:
    few = there_are is not None and measured < there_are
    return f"{measured} of the {there_are} {what}" if few else ""


def whole_system(record: RunRecord, fabric: Fabric) -> tuple[RowResult, ...]:
    """A missing row for each stage that is required of the whole system, and was not of it."""
    missing = coverage(record, fabric)
    if not missing:
        return ()
    stages = dict.fromkeys(
        row.stage
        for row in record.run.plan.rows
        if row.stage is not None and row.need == "required" and row.key.group.name == _EVERYONE
    )
    reason = (
        f"{missing[:-1]}, and the plan requires all: measure the rest, or judge against a fabric "
        "file that has as many as there are."
    )
    return tuple(
        RowResult(f"{stage}: whole of it", None, Verdict.MISSING, reason) for stage in stages
    )
