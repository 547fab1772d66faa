"""Search spaces: what is in the files, and what candidates they make."""

from __future__ import annotations

import pytest

from busbar.errors import UsageError
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.space import load_space, parse_space

ALGORITHM = "coll_tuned_allreduce_algorithm"
SEGMENT = "coll_tuned_allreduce_algorithm_segmentsize"


def test_a_dependent_setting_is_there_only_where_it_has_a_meaning() -> None:
    candidates = load_space("mpi").of_calls("all_reduce", 4).candidates
    assert candidates[0] == DEFAULT
    assert len(set(candidates)) == len(candidates)
    for candidate in candidates:
        assert (SEGMENT in candidate.settings) == (candidate.settings.get(ALGORITHM) == "5")


def test_values_that_some_numbers_of_ranks_cannot_use_are_left_out() -> None:
    space = load_space("mpi")
    name = "coll_tuned_allgather_algorithm"
    of = {
        n: {c.settings.get(name) for c in space.of_calls("all_gather", n).candidates}
        for n in (2, 3, 4)
    }
    assert of[2] - of[4] == {"6"}  # two processes only
    assert of[4] - of[3] == {"3", "5"}  # powers of two; even numbers


def test_what_belongs_to_the_site_is_never_tried() -> None:
    space = load_space("mpi")
    proposed = {setting.name for setting in space.named("propose")}
    assert "OMPI_MCA_btl_tcp_if_include" in proposed
    for candidate in space.of_processes().candidates:
        assert not proposed & set(candidate.settings)


def test_neighbours_are_one_step_away() -> None:
    space = load_space("mpi").of_calls("all_reduce", 4)
    setting = next(s for s in space.settings if s.name == SEGMENT)
    here = Candidate.of({ALGORITHM: "5", SEGMENT: "8192"})
    assert space.along(here, setting) == (here.with_value(SEGMENT, "16384"),)
    assert space.along(DEFAULT, setting) == ()


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("x = ", "not TOML"),
        ('transport = "t"\nlibrary = "l"\n[[setting]]\nname = "a"', "setting[0].scope"),
        (
            'transport = "t"\nlibrary = "l"\n[[setting]]\nname = "a"\nscope = "call"\n'
            'safety = "never"\neffect = "e"\nsource = "s"\nvalues = ["1"]',
            "only such a one",
        ),
        (
            'transport = "t"\nlibrary = "l"\n[[setting]]\nname = "a"\nscope = "call"\n'
            'safety = "search"\neffect = "e"\nsource = "s"\nvalues = ["1"]\n'
            'only_with = {b = ["1"]}',
            "depends on b",
        ),
    ],
)
def test_a_wrong_space_names_the_culprit(text: str, culprit: str) -> None:
    with pytest.raises(UsageError, match=r"made-up\.toml") as refused:
        parse_space(text, "made-up.toml")
    assert culprit in refused.value.message


def test_an_unknown_transport_is_refused_with_what_is_accepted() -> None:
    with pytest.raises(UsageError, match=r"accepted: .*mpi"):
        load_space("smoke signals")
