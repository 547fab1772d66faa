"""Whether NVLink's switches reduced, told by the bytes that the GPUs of one host counted."""

from __future__ import annotations

from typing import Any

import pytest

from busbar.check.requested import Requests
from busbar.record.fold import fold
from busbar.record.lines import BlockLine, JournalLine, LaunchLine, RunLine
from busbar.record.models import RunRecord, Variant
from busbar.record.point import NvlinkTraffic
from busbar.theory.proof import Counted, Finding
from busbar.theory.proof_by_nvlink import NvlinkBlock, by_switches, prove_by_nvlink
from busbar.theory.wire import least_by_hosts
from factories import MIB, Example, Row, journal_lines

OPS = ["all_reduce", "reduce_scatter", "all_gather"]
BESIDE = 1.005  # what GPUs tell each other beside the data


def _block(sent: float, received: float, gpus: int, executions: int = 100) -> NvlinkBlock:
    """Totals over all GPUs, spread evenly."""
    each = Counted([BESIDE * sent / gpus] * gpus, [BESIDE * received / gpus] * gpus)
    return NvlinkBlock(each, executions)


def _by_switches(op: str, gpus: int, size: int = 64 * MIB) -> NvlinkBlock:
    totals = by_switches(op, size, gpus)
    assert totals is not None
    return _block(totals.sent, totals.received, gpus)


def _by_gpus(op: str, gpus: int, size: int = 64 * MIB, factor: float = 1.0) -> NvlinkBlock:
    totals = least_by_hosts(op, size, [str(gpu) for gpu in range(gpus)])
    return _block(factor * totals.sent, factor * totals.received, gpus)


def _prove(op: str, gpus: int, *blocks: NvlinkBlock | None, size: int = 64 * MIB) -> Finding | None:
    return prove_by_nvlink(op, size, gpus, blocks)


@pytest.mark.parametrize("gpus", [4, 8, 16, 72])
@pytest.mark.parametrize("op", OPS)
def test_bytes_tell_both_ways_from_four_gpus_on(op: str, gpus: int) -> None:
    switches = _prove(op, gpus, *[_by_switches(op, gpus)] * 5)
    assert switches is not None
    assert switches.in_network is True
    alone = _prove(op, gpus, *[_by_gpus(op, gpus)] * 5)
    assert alone is not None
    assert alone.in_network is False
    # Protocol LL carries a flag beside every word.
    flagged = _prove(op, gpus, *[_by_gpus(op, gpus, factor=2)] * 5)
    assert flagged is not None
    assert flagged.in_network is False


def test_the_reason_has_the_figures() -> None:
    assert _prove("all_reduce", 8, _by_switches("all_reduce", 8)) == Finding(
        True, "the GPUs sent 9.04 times the size in all, less than the 14 that GPUs alone need"
    )
    assert _prove("all_reduce", 8, _by_gpus("all_reduce", 8)) == Finding(
        False, "the GPUs sent 14.07 times the size in all, not the 9 of NVLS"
    )


def test_three_gpus_move_as_much_either_way() -> None:
    assert _prove("all_reduce", 3, _by_switches("all_reduce", 3)) is None
    assert _prove("all_reduce", 3, _by_gpus("all_reduce", 3)) is None


def test_two_gpus_move_more_through_the_switches() -> None:
    alone = _prove("all_reduce", 2, _by_gpus("all_reduce", 2))
    assert alone is not None
    assert alone.in_network is False
    assert _prove("all_reduce", 2, _by_switches("all_reduce", 2)) is None, "GPUs alone may send 3S"


def test_what_cannot_be_told_is_not() -> None:
    good = _by_switches("all_reduce", 8)
    silent = NvlinkBlock(Counted([None, *good.counted.sent[1:]], good.counted.received), 100)
    short = NvlinkBlock(Counted(good.counted.sent[1:], good.counted.received), 100)
    nothing = NvlinkBlock(Counted([0.0] * 8, [0.0] * 8), 100)  # went over PCIe
    for blocks in ([], [None], [good, None], [silent], [short], [nothing]):
        assert _prove("all_reduce", 8, *blocks) is None
    assert _prove("broadcast", 8, good) is None
    assert _prove("all_reduce", 1, good) is None
    assert _prove("all_reduce", 8, good, size=0) is None


def test_one_gpu_whose_bytes_went_another_way_spoils_the_proof() -> None:
    """The totals would be those of NVLS."""
    ring = 14 / 8 * 64 * MIB
    each = [ring] * 4 + [0.5 * MIB * 64] * 4
    block = NvlinkBlock(Counted(each, each), 100)
    assert sum(each) / (64 * MIB) == 9
    assert _prove("all_reduce", 8, block) is None


def test_the_error_decides() -> None:
    """Where both hypotheses lie within three times the error, nothing is told."""
    apart = [_by_switches("all_reduce", 8)] * 4 + [_by_gpus("all_reduce", 8)]
    assert _prove("all_reduce", 8, *apart) is None
    # What the counters round away is as much as all the data of one small execution.
    small = 64 << 10
    one = _by_switches("all_reduce", 8, small)
    assert _prove("all_reduce", 8, NvlinkBlock(one.counted, 1), size=small) is None
    many = _prove("all_reduce", 8, NvlinkBlock(one.counted, 1000), size=small)
    assert many is not None
    assert many.in_network is True


def _record(asked: str | None, nvlink: NvlinkBlock | None, *, same_host: bool = True) -> RunRecord:
    """A run of all_reduce on four GPUs that counted this."""
    lines: list[JournalLine] = []
    settings = {} if asked is None else {"in_network": asked}
    for line in journal_lines(Example(rows=[Row("all_reduce", 64 * MIB, wire_share=0.0)])):
        if isinstance(line, RunLine):
            variant = Variant(name="default", settings=settings, environment={})
            plan = line.run.plan.model_copy(update={"variants": [variant]})
            line = line.model_copy(update={"run": line.run.model_copy(update={"plan": plan})})
        if isinstance(line, LaunchLine) and same_host:
            processes = [p.model_copy(update={"host": "host1"}) for p in line.processes]
            line = line.model_copy(update={"processes": processes})
        if isinstance(line, BlockLine):
            update: dict[str, Any] = {"nvlink": None, "wire": None}
            if nvlink is not None:
                update["nvlink"] = [
                    NvlinkTraffic(
                        tx_bytes=sent, rx_bytes=received, crc_errors=0, replays=0, recoveries=None
                    )
                    for sent, received in zip(
                        nvlink.counted.sent, nvlink.counted.received, strict=True
                    )
                ]
            group = line.key.group.model_copy(update={"nodes": 1 if same_host else 4})
            key = line.key.model_copy(update={"transport": "nccl", "group": group})
            body = line.block.model_copy(update=update)
            line = line.model_copy(update={"key": key, "block": body})
        lines.append(line)
    return fold(lines)


@pytest.mark.parametrize("asked", [None, "off", "nvls"])
def test_the_record_says_what_the_bytes_prove(asked: str | None) -> None:
    (point,) = _record(asked, _by_switches("all_reduce", 4)).points
    assert point.observed.in_network is True
    assert point.observed.how[-1].startswith("bytes over NVLink: the GPUs sent 5.02 times")
    (point,) = _record(asked, _by_gpus("all_reduce", 4)).points
    assert point.observed.in_network is False


def test_nothing_is_said_of_the_fabrics_switches_or_of_several_hosts() -> None:
    through_nvlink = _by_switches("all_reduce", 4)
    for record in (
        _record("sharp", through_nvlink),
        _record("collnet", through_nvlink),
        _record("nvls", through_nvlink, same_host=False),
        _record("nvls", None),
    ):
        assert record.points[0].observed.in_network is None


def test_the_judge_takes_it_for_what_a_variant_asked() -> None:
    for block, used in ((_by_switches, True), (_by_gpus, False)):
        record = _record("nvls", block("all_reduce", 4))
        assert Requests.of(record).carried_out(record.points[0]) is used
    record = _record("nvls", None)
    assert Requests.of(record).carried_out(record.points[0]) is None
