"""The numbers of hosts that `--nodes` names, and the progressions that an ellipsis stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar.errors import UsageError
from busbar.launch.options import parse_nodes


def test_node_counts_are_read() -> None:
    assert parse_nodes("4, 2,2") == [2, 4]
    for text in ("", "2,x", "0", "2;3"):
        with pytest.raises(UsageError, match="--nodes"):
            parse_nodes(text)


@pytest.mark.parametrize("ellipsis", ["…", "...", " … "])
def test_an_ellipsis_goes_on_as_the_two_before_it(ellipsis: str) -> None:
    def read(text: str) -> list[int]:
        return parse_nodes(text.replace("~", ellipsis))

    assert read("4,8,~,1024") == [4, 8, 16, 32, 64, 128, 256, 512, 1024]
    assert read("4,8,~,24") == [4, 8, 12, 16, 20, 24]  # by ratio it would miss the end
    assert read("2,5,~,11") == [2, 5, 8, 11]
    assert read("1,2,4,~,16,20,~,32") == [1, 2, 4, 8, 16, 20, 24, 28, 32]
    assert read("4,8,~,8") == [4, 8]


@pytest.mark.parametrize(
    "text", ["…", "4,…,8", "4,8,…", "4,8,…,x", "…,4,8", "8,4,…,1", "4,4,…,8", "4,7,…,9", "4,8,…,4",
             "1,2,…,1000000001", "4,8,....,16"],
)  # fmt: skip
def test_what_no_progression_reaches_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--nodes"):
        parse_nodes(text)


@given(st.integers(1, 500), st.integers(1, 500), st.integers(0, 40), st.integers(2, 5))
def test_progressions_are_read_as_they_are_written(
    first: int, step: int, more: int, ratio: int
) -> None:
    geometric = [first * ratio**k for k in range(more % 7 + 2)]
    assert parse_nodes(f"{geometric[0]},{geometric[1]},…,{geometric[-1]}") == geometric
    arithmetic = [first + step * k for k in range(more + 2)]
    found = parse_nodes(f"{arithmetic[0]},{arithmetic[1]},…,{arithmetic[-1]}")
    by_ratio = [first * (arithmetic[1] // first) ** k for k in range(len(found))]
    assert found == arithmetic or (found == by_ratio and arithmetic[1] % first == 0)
    assert found[-1] == arithmetic[-1]
