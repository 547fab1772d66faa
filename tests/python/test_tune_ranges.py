"""From sizes to ranges: every byte belongs to at most one, and none beyond what was proven."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from busbar.tune.ranges import ranges
from busbar.tune.tuned import Choice


def choice(size: int, settings: dict[str, str], op: str = "all_reduce") -> Choice:
    return Choice(
        op=op, size_bytes=size, datatype="float", redop="sum", weight=1.0, settings=settings,
        tried=settings, default_us=10.0, tuned_us=9.0, gain=1.1, gain_interval=(1.05, 1.15),
        why="it is made up",
    )  # fmt: skip


def test_neighbours_meet_in_the_geometric_middle() -> None:
    found = ranges([choice(1024, {"a": "1"}), choice(4096, {"a": "2"})])
    assert [(r.min_bytes, r.max_bytes) for r in found] == [(513, 2048), (2049, 8192)]


def test_equal_neighbours_are_one_range_and_defaults_are_none() -> None:
    sizes = [choice(1 << n, {"a": "1"} if n != 14 else {}) for n in range(10, 17)]
    found = ranges(sizes)
    assert [r.settings for r in found] == [{"a": "1"}, {"a": "1"}]
    assert found[0].max_bytes < 1 << 14 < found[1].min_bytes


def test_a_barrier_speaks_for_itself_alone() -> None:
    (found,) = ranges([choice(0, {"a": "1"}, "barrier")])
    assert (found.min_bytes, found.max_bytes) == (0, 0)


def test_choices_that_differ_at_one_size_leave_the_default() -> None:
    assert ranges([choice(1024, {"a": "1"}), choice(1024, {"a": "2"})]) == []
    assert len(ranges([choice(1024, {"a": "1"}), choice(1024, {"a": "1"})])) == 1


@given(st.dictionaries(st.integers(1, 1 << 40), st.sampled_from(["", "1", "2"]), min_size=1))
def test_a_size_gets_what_was_proven_for_it(sizes: dict[int, str]) -> None:
    found = ranges([choice(s, {"a": v} if v else {}) for s, v in sizes.items()])
    for before, after in itertools.pairwise(found):
        assert before.max_bytes < after.min_bytes
    for size, value in sizes.items():
        holding = [r.settings["a"] for r in found if r.min_bytes <= size <= r.max_bytes]
        assert holding == ([value] if value else [])
