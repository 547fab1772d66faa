"""Records of pairs, out of matrices whose faults are known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from busbar.pairs.matrix import Endpoint, Layer, PairMatrix
from busbar.pairs.rounds import Pair, all_pairs, isolated, requests
from busbar.record.fold import fold
from busbar.record.journal import RunLine
from busbar.record.key import Group, format_ranks
from busbar.record.lines import BlockLine, EndLine, JournalLine
from busbar.record.models import SCHEMA_VERSION, Process, RunRecord
from factories import FINISHED, Example, Row, block_line, launch_line, run

SAMPLES = 3


def record_of(matrix: PairMatrix, fabric: str | None = None) -> RunRecord:
    """The record that would be read as this matrix."""
    return fold(_lines(matrix, fabric))


def _lines(matrix: PairMatrix, fabric: str | None) -> Iterator[JournalLine]:
    layers = (matrix.isolated, matrix.concurrent)
    ids = sorted({number for layer in layers for number in layer.launches})
    elsewhere = {"on": "local", "emulated": False, "emulation": None}
    overrides = {} if fabric is None else {"fabric": fabric, **elsewhere}
    example = Example(rows=[], launches=len(ids), overrides=overrides)
    yield RunLine(schema_version=SCHEMA_VERSION, run=run(example))
    everyone = all_pairs(len(matrix.endpoints))
    alone = isolated(pair for one in everyone for pair in one)
    for number in ids:
        yield launch_line(number, processes=[_process(e) for e in matrix.endpoints])
        for layer, rounds in zip(layers, (alone, everyone), strict=True):
            for one in rounds if number in layer.launches else ():
                yield from _blocks(matrix, layer, one, number)
    yield EndLine(finished=FINISHED, status="complete")


def _process(endpoint: Endpoint) -> Process:
    return Process(
        rank=endpoint.rank, host=endpoint.host, role="worker", pid=4711, cpus=None,
        gpu=endpoint.gpu, nics=list(endpoint.nics), clock_domain=0,
    )  # fmt: skip


def _blocks(
    matrix: PairMatrix, layer: Layer, one: tuple[Pair, ...], number: int
) -> Iterator[BlockLine]:
    times = layer.times_us[layer.launches.index(number)]
    measured = tuple(pair for pair in one if np.isfinite(times[pair]))
    for request in requests(measured, [e.rank for e in matrix.endpoints]):
        sent = [p for p in measured if int(p.source > p.target) == request.root]
        each = [[float(times[pair])] * SAMPLES for pair in sent]
        group = Group(
            name="pairs",
            ranks=format_ranks(rank for pair in sent for rank in pair),
            nodes=len({matrix.endpoints[e].host for pair in sent for e in pair}),
            parts=request.parts if len(sent) > 1 else None,
        )
        slowest = [max(column) for column in zip(*each, strict=True)]
        line = block_line(Row("send_recv", matrix.size_bytes), number, slowest)
        key = line.key.model_copy(update={"op": "one_way", "root": request.root, "group": group})
        block = line.block.model_copy(
            update={"parts_us": each if len(sent) > 1 else None, "ranks": None, "wire": None,
                    "last_rank": [None] * SAMPLES}
        )  # fmt: skip
        yield line.model_copy(update={"key": key, "block": block})
