"""Whatever a file holds, importing it gives a record or one sentence; and no figure is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar.errors import UsageError
from busbar.importers.numbers import figure, whole
from busbar.record.models import RunRecord
from printouts import FOUR, point, record_of, text_of

TEXTS = [
    ("nccl-tests-2.19-all_reduce.txt", None, None),
    ("nccl-tests-2.13-broadcast.txt", "broadcast", None),
    ("nccl-tests-2.0-all_gather.txt", "all_gather", None),
    ("nccl-tests-1.0-reduce.txt", "reduce", None),
    ("osu-5.9-allreduce-full.txt", None, FOUR),
    ("osu-7.4-allgather-validated.txt", None, FOUR),
]
JSON = "nccl-tests-3-reduce_scatter.json"
PIECES = st.sampled_from(
    ["#", " ", "\n", "0", "-1", "1e999", "1e-320", "nan", "N/A", "# Rank ", "# nThread 1 nGpus 1 ",
     "# OSU MPI Latency Test\n", "# Size", "{", "\r", "\x00", "99999999999999999999"]
)  # fmt: skip


def _record_or_sentence(make: Callable[[], RunRecord]) -> None:
    with suppress(UsageError):
        RunRecord.model_validate_json(make().model_dump_json())


@given(st.text(max_size=400), st.sampled_from([None, "all_reduce", "broadcast"]))
def test_any_text(text: str, op: str | None) -> None:
    _record_or_sentence(lambda: record_of(text, op=op, given=FOUR))


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_heap_of_pieces(text: str) -> None:
    _record_or_sentence(lambda: record_of(text, given=FOUR))


@pytest.mark.parametrize(("name", "op", "places"), TEXTS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_damage(name: str, op: str | None, places: object, data: st.DataObject) -> None:
    text = text_of(name)
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(begin, min(len(text), begin + 40)))
        text = text[:begin] + data.draw(st.one_of(PIECES, st.text(max_size=8))) + text[end:]
    _record_or_sentence(lambda: record_of(text, op=op, given=FOUR if places else None))


def _paths(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else (
        enumerate(value) if isinstance(value, list) else []
    )  # fmt: skip
    for name, inner in items:
        found += _paths(inner, (*path, name))
    return found


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_damage_of_json(data: st.DataObject) -> None:
    document = json.loads(text_of(JSON))
    *way, last = data.draw(st.sampled_from(_paths(document)))
    inner = document
    for name in way:
        inner = inner[name]
    values = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
        st.just([]), st.just({}), st.just(10**400),
    )  # fmt: skip
    inner[last] = data.draw(values)
    _record_or_sentence(lambda: record_of(json.dumps(document)))


def test_json_too_deep_to_read() -> None:
    _record_or_sentence(lambda: record_of('{"version":' * 100_000))


@given(
    st.decimals(min_value="0.01", max_value="1e7", places=2, allow_nan=False),
    st.integers(1, 1 << 30),
)
def test_osu_figures_survive(time: object, size: int) -> None:
    text = f"# OSU MPI Allreduce Latency Test v7.4\n# Size       Avg Latency(us)\n{size}  {time}\n"
    found = point(record_of(text, given=FOUR), size)
    assert found.blocks[0].samples_us == [float(str(time))]
    assert found.estimators.osu_mean == float(str(time))


@given(
    st.decimals(min_value="1.00", max_value="1e7", places=2, allow_nan=False),
    st.integers(1, 1 << 28),
)
def test_nccl_tests_figures_survive(time: object, elements: int) -> None:
    lines = text_of("nccl-tests-2.19-all_reduce.txt").splitlines()[:18]
    size, us = 4 * elements, float(str(time))
    bus = size * 1.75 / us / 1000
    cell = f"{time} {size / us / 1000:.2f} {bus:.2f} 0"
    lines += [f"{size} {elements} float sum -1 {cell} {cell}"]
    lines += ["# Out of bounds values : 0 OK", f"# Avg bus bandwidth : {bus:g}", ""]
    record = record_of("\n".join(lines))
    assert record.run.status == "complete"
    assert point(record, size).blocks[0].samples_us == [us]
    assert point(record, size, in_place=True).estimators.nccltests_pipelined == us


@given(st.text(alphabet="0123456789.eE+-_ naif٣", max_size=12))
def test_numbers_are_plain(text: str) -> None:
    found = figure(text)
    if found is not None:
        assert found.value == float(text) >= 0
        assert text[0].isascii()
        assert "_" not in text
    number = whole(text)
    assert number is None or number == int(text)
