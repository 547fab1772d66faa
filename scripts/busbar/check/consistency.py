"""Whether a record's figures are what its blocks add up to, and none of them is gone.

A figure that somebody removed, or that a program lost, looks like one that could not be had. So
what follows from the blocks is computed again, and what one block of a point has, all must have.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import chain

from pydantic import BaseModel

from busbar.record.figures import figures
from busbar.record.models import Block, Point, RunRecord
from busbar.record.placement import placement
from busbar.record.status import verified_of
from busbar.theory.operations import OPERATIONS

_AS_EQUAL = 1e-9  # programs add up in different order


def inconsistency(record: RunRecord, point: Point) -> str:
    """One sentence that names the first figure that is not as it must be; empty if all are."""
    for name in chain(
        _unlike_hosts(record, point), _unlike_blocks(record, point), _gone(record, point)
    ):
        return f"The record contradicts itself: {name}; get the run's own record, or measure again."
    return ""


def _unlike_hosts(record: RunRecord, point: Point) -> Iterator[str]:
    """What is counted per node, on another number of nodes than the point's ranks were on."""
    hosts = _hosts(record, point)
    if not hosts:
        return
    nodes = point.key.group.nodes
    if nodes is not None and nodes != hosts:
        yield f"it says {nodes} nodes, and its ranks ran on {hosts}"
    for wire in (point.wire, *(block.wire for block in point.blocks)):
        if wire is not None and {
            len(wire.tx_bytes_per_node), len(wire.rx_bytes_per_node)
        } != {hosts}:  # fmt: skip
            yield f"wire is not of the {hosts} nodes that its ranks ran on"


def _unlike_blocks(record: RunRecord, point: Point) -> Iterator[str]:
    """Figures of the point that its blocks do not give."""
    measuring = {launch.id for launch in record.launches if launch.purpose == "measure"}
    timed = [block for block in point.blocks if block.launch in measuring]
    found = figures(point.blocks, timed, point.algorithm_bytes, point.bus_factor)
    for name, value in (*vars(found).items(), ("verified", verified_of(point.blocks))):
        if not _same(getattr(point, name), value):
            yield f"{name} is not what its blocks give"


def _same(stated: object, found: object) -> bool:
    """Whether one is the other, as far as the other goes; models compare field by field."""
    if isinstance(stated, BaseModel):
        stated = dict(stated)
    if isinstance(found, BaseModel):
        found = dict(found)
    if isinstance(stated, Mapping) and isinstance(found, Mapping):
        return all(_same(stated.get(name), value) for name, value in found.items())
    if isinstance(stated, list | tuple) and isinstance(found, list | tuple):
        return len(stated) == len(found) and all(map(_same, stated, found))
    if isinstance(stated, int | float) and isinstance(found, int | float):
        return math.isclose(stated, found, rel_tol=_AS_EQUAL)
    return stated == found


def _gone(record: RunRecord, point: Point) -> Iterator[str]:
    """Figures that one block has and another lacks, or that every measured point has."""
    if point.key.group.nodes is None:
        yield "it does not say on how many nodes it ran"
    if point.algorithm_bytes is None:
        yield "algorithm_bytes is missing"
    known = OPERATIONS.get(point.key.op)
    if point.bus_factor is None and known is not None and known.bus_factor(2) > 0:
        yield "bus_factor is missing"
    tables = [dict(_figures(block)) for block in point.blocks]
    for name in dict.fromkeys(name for table in tables for name in table):
        # A name that is not there says as little as null.
        if len({table.get(name) is None for table in tables}) > 1:
            yield f"a block lacks {name}, which others have"
    if len({rank is None for block in point.blocks for rank in block.last_rank}) > 1:
        yield "a block lacks last_rank, which others have"


def _hosts(record: RunRecord, point: Point) -> int:
    """How many hosts the point's ranks were on; 0 where no launch tells."""
    for launch in record.launches:
        if any(block.launch == launch.id for block in point.blocks[:1]):
            return len(set(placement(point.key.group, launch)))
    return 0


def _figures(block: Block) -> Iterator[tuple[str, object]]:
    """Figures of a block that may be null, by name; of lists each place."""
    for name in (
        "t0_s", "clock_error_us", "first_call_us", "prepare_us", "checked_elements",
        "wrong_elements", "executions",
    ):  # fmt: skip
        yield name, getattr(block, name)
    for name, value in block.estimators:
        yield f"estimators.{name}", value
    for group, counts in (("errors", block.errors), ("congestion", block.congestion or {})):
        for name, value in counts.items():
            yield f"{group}.{name}", value
    yield "wire", block.wire
    if block.wire is not None:
        for name in ("tx_bytes_per_node", "rx_bytes_per_node"):
            for node, value in enumerate(getattr(block.wire, name)):
                yield f"wire.{name}[{node}]", value
