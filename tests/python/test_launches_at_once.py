"""Launches at the same time: what is measured together, and how an error ends all."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar import simulate
from busbar.launch.side_by_side import apart, carry_out
from busbar.launch.slots import Visit
from busbar.record.key import Group
from factories import point_key


def _visit(op: str, size: int, ranks: int) -> Visit:
    key = point_key(op, size)
    group = Group(name=f"{ranks} ranks", ranks=f"0-{ranks - 1}", nodes=None)
    return Visit(key.model_copy(update={"group": group}), [])


_VISITS = st.lists(
    st.builds(
        _visit,
        st.sampled_from(["all_reduce", "send_recv"]),
        st.sampled_from([1024, 4096]),
        st.sampled_from([2, 4, 8]),
    )
)


@given(_VISITS)
def test_a_simulation_has_one_operation_on_one_group_and_the_largest_come_first(
    visits: list[Visit],
) -> None:
    parts = apart(visits)
    assert sorted(map(id, visits)) == sorted(id(visit) for part in parts for visit in part)
    whats = [{(v.key.op, v.key.group.ranks) for v in part} for part in parts]
    assert all(len(what) == 1 for what in whats)
    assert len({next(iter(what)) for what in whats}) == len(parts)
    sizes = [part[0].key.group.size() for part in parts]
    assert sizes == sorted(sizes, reverse=True)


def test_the_first_error_ends_what_runs_and_leaves_what_has_not_begun() -> None:
    ended, begun = threading.Event(), threading.Event()
    done: list[str] = []

    def fails() -> None:
        begun.wait(60)
        raise ValueError("this one")

    def waits() -> None:
        begun.set()
        assert ended.wait(60)
        done.append("ended")

    with pytest.raises(ValueError, match="this one"):
        carry_out([fails, waits, *[lambda: done.append("late")] * 9], 2, ended.set)
    assert done[-1] == "ended" or "late" not in done[done.index("ended") :]


def test_as_many_simulations_at_once_as_memory_and_cores_allow() -> None:
    assert simulate.at_once(2) >= 1
    assert simulate.at_once(1 << 40) == 1
