"""Workloads: their files, the presets, and the few points that stand for many sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar.datatypes import ELEMENT_BYTES
from busbar.errors import UsageError
from busbar.tune.buckets import in_buckets, unit_bytes
from busbar.tune.load_workload import load_workload
from busbar.tune.workload import (
    OPS,
    REDUCING,
    Operation,
    Workload,
    parse_workload,
    presets,
    save_workload,
)

HEAD = 'name = "n"\nsource = "s"\n'


def operation(text: str) -> Operation:
    return parse_workload(f"{HEAD}[[operation]]\n{text}", "made-up.toml").operation[0]


def test_a_file_says_what_is_executed_how_often() -> None:
    workload = parse_workload(
        HEAD + "max_ctas = 8\n"
        '[[operation]]\nop = "all_reduce"\nsize_bytes = "25M"\ncount = 4\n'
        '[[operation]]\nop = "all_gather"\nsize_bytes = 4096\ncount = 0.5\ndatatype = "half"\n',
        "made-up.toml",
    )
    assert workload.operation == [
        Operation(op="all_reduce", size_bytes=25 << 20, count=4, datatype="float", redop="sum"),
        Operation(op="all_gather", size_bytes=4096, count=0.5, datatype="half", redop=None),
    ]
    assert (workload.max_ctas, workload.ranks) == (8, None)
    assert workload.total_bytes() == 4 * (25 << 20) + 2048


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ('op = "allreduce"\nsize_bytes = 8\ncount = 1', "op 'allreduce' is unknown, accepted: all"),
        ('op = "null"\nsize_bytes = 8\ncount = 1', "op 'null' is unknown"),
        ('op = "all_reduce"\nsize_bytes = "8Q"\ncount = 1', "size '8Q' is not understood"),
        ('op = "all_reduce"\nsize_bytes = -8\ncount = 1', "operation[0].size_bytes"),
        ('op = "all_reduce"\nsize_bytes = 8\ncount = 0', "operation[0].count"),
        ('op = "all_reduce"\nsize_bytes = 8', "'operation[0].count' is missing"),
        ('op = "all_reduce"\nsize_bytes = 8\ncount = nan', "operation[0].count"),
        ('op = "all_reduce"\nsize_bytes = 6\ncount = 1', "no whole number of float"),
        ('op = "all_reduce"\nsize_bytes = 0\ncount = 1', "0 is for barrier only"),
        ('op = "barrier"\nsize_bytes = 8\ncount = 1', "0 is for barrier only"),
        ('op = "all_reduce"\nsize_bytes = 8\ncount = 1\ndatatype = "fp8"', "datatype 'fp8'"),
        ('op = "all_reduce"\nsize_bytes = 8\ncount = 1\nredop = "xor"', "redop 'xor'"),
        ('op = "broadcast"\nsize_bytes = 8\ncount = 1\nredop = "sum"', "has no redop"),
        ('op = "broadcast"\nsize_bytes = 8\ncount = 1\nweight = 2', "unknown field"),
    ],
)
def test_a_wrong_operation_names_the_culprit(text: str, culprit: str) -> None:
    with pytest.raises(UsageError, match=r"made-up\.toml") as refused:
        operation(text)
    assert culprit in refused.value.message


@pytest.mark.parametrize("text", ["x = ", HEAD, HEAD + "operation = []", HEAD + "max_ctas = 65"])
def test_a_wrong_file_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"made-up\.toml"):
        parse_workload(text, "made-up.toml")


def test_every_preset_loads_and_says_where_its_figures_are_from() -> None:
    assert "data-parallel" in presets()
    for name in presets():
        source = load_workload(name).source
        assert any(word in source for word in ("arXiv", "README", "PyTorch"))
        assert "arithmetic of ours" in source


def test_presets_add_up() -> None:
    """Against what the sources say of the whole, which the files do not repeat."""
    assert load_workload("data-parallel").total_bytes() == 4 * 25_557_032
    # Llama 3 8B has 8,030,261,248 parameters, each scattered once.
    scattered = [o for o in load_workload("fully-sharded").operation if o.op == "reduce_scatter"]
    assert sum(o.size_bytes * o.count for o in scattered) == 2 * 8_030_261_248


def test_a_workload_is_saved_and_read_back(tmp_path: Path) -> None:
    workload = load_workload("expert-parallel-training")
    save_workload(workload, tmp_path / "kept.json")
    assert load_workload(str(tmp_path / "kept.json")) == workload


def test_a_workload_seen_on_other_ranks_is_refused(tmp_path: Path) -> None:
    workload = load_workload("data-parallel").model_copy(update={"ranks": 8})
    path = tmp_path / "kept.json"
    save_workload(workload, path)
    assert load_workload(str(path), ranks=8).ranks == 8
    with pytest.raises(UsageError, match="seen on 8 ranks, not 4"):
        load_workload(str(path), ranks=4)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'training' is unknown: accepted are data-parallel, "):
        load_workload("training")
    for name in ("none.toml", "none.json", "none.jsonl"):
        with pytest.raises(UsageError, match=r"none\.\w+ cannot be read: No such file"):
            load_workload(str(tmp_path / name))
    (tmp_path / "torn.json").write_text('{"name": "n"')
    with pytest.raises(UsageError, match=r"torn\.json: not JSON"):
        load_workload(str(tmp_path / "torn.json"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        load_workload(str(tmp_path / "bytes.toml"))


def reduce(size_bytes: int, count: float) -> Operation:
    return Operation(op="all_reduce", size_bytes=size_bytes, count=count)


def test_a_bucket_is_one_point_at_its_mean_size() -> None:
    found = in_buckets([reduce(1024, 3), reduce(1536, 1), reduce(2048, 5)], ranks=4)
    assert [(p.size_bytes, p.count) for p in found] == [(1152, 4), (2048, 5)]


def test_sizes_are_what_the_ranks_can_divide() -> None:
    gather = Operation(op="all_gather", size_bytes=1000, count=2)
    assert in_buckets([gather], ranks=16) == [gather.model_copy(update={"size_bytes": 1024})]
    tiny = Operation(op="all_gather", size_bytes=8, count=2)
    assert in_buckets([tiny], ranks=16)[0].size_bytes == 64


def test_buckets_that_round_to_one_size_are_one_point() -> None:
    gathers = [Operation(op="all_gather", size_bytes=size, count=1) for size in (8, 16, 32, 64)]
    assert [(p.size_bytes, p.count) for p in in_buckets(gathers, ranks=16)] == [(64, 4)]


OPERATIONS = st.builds(
    lambda op, datatype, elements, count: Operation(
        op=op,
        datatype=datatype,
        size_bytes=0 if op == "barrier" else elements * ELEMENT_BYTES[datatype],
        count=count,
    ),
    st.sampled_from([*sorted(REDUCING), *OPS]),
    st.sampled_from(["uint8", "half", "double"]),
    st.integers(1, 1 << 40) | st.integers(1, 64),
    st.integers(1, 1000) | st.floats(0.001, 1000),
)


@given(st.lists(OPERATIONS, min_size=1, max_size=30), st.integers(2, 100))
def test_points_keep_executions_and_bytes(operations: list[Operation], ranks: int) -> None:
    found = in_buckets(operations, ranks)
    kinds = [(p.op, p.datatype, p.redop, p.size_bytes) for p in found]
    assert len(set(kinds)) == len(kinds)
    for op, datatype in {(o.op, o.datatype) for o in operations}:
        before = [o for o in operations if (o.op, o.datatype) == (op, datatype)]
        after = [p for p in found if (p.op, p.datatype) == (op, datatype)]
        unit = unit_bytes(op, datatype, ranks)
        assert all(p.size_bytes % unit == 0 for p in after)
        assert len(after) <= len({o.size_bytes.bit_length() for o in before})
        executions = sum(o.count for o in before)
        assert sum(p.count for p in after) == pytest.approx(executions)
        moved = sum(p.size_bytes * p.count for p in after)
        bytes_ = sum(o.size_bytes * o.count for o in before)
        assert abs(moved - bytes_) <= executions * unit + 1e-9 * bytes_


def test_a_workload_is_strict() -> None:
    with pytest.raises(ValueError, match="operation"):
        Workload(name="n", source="s", operation=[])
