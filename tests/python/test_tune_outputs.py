"""What a tuning writes, read back as its readers read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar.errors import UsageError
from busbar.tune.outputs import environment_of, files_of, names, unsaid, write_outputs
from busbar.tune.outputs.mca_params import mca_params
from busbar.tune.outputs.nccl_conf import nccl_conf
from busbar.tune.outputs.ompi_rules import ompi_rules
from busbar.tune.outputs.tuner_table import NO_END, tuner_table
from busbar.tune.tuned import FILE_NAME, Choice, Tuned, load_tuned
from tunings import choice, reduces, tuning

SIZES = st.integers(1, 1 << 40)
NCCL = {"algorithm": "ring", "protocol": "ll128", "channels": "8"}


class Rules:
    """Open MPI's reading of a rules file: numbers in order, `#` to the line's end is left out."""

    def __init__(self, text: str) -> None:
        plain = [line.partition("#")[0] for line in text.splitlines()]
        self._numbers = iter([int(word) for word in " ".join(plain).split()])
        self._of = {self._next(): self._communicators() for _ in range(self._next())}
        assert next(self._numbers, None) is None

    def _next(self) -> int:
        return next(self._numbers)

    def _communicators(self) -> list[tuple[int, list[list[int]]]]:
        found = []
        for _ in range(self._next()):
            size, count = self._next(), self._next()
            found.append((size, [[self._next() for _ in range(4)] for _ in range(count)]))
        for _, rules in found:
            sizes = [rule[0] for rule in rules]
            assert sizes[0] == 0
            assert sizes == sorted(set(sizes))
        return found

    def rule(self, collective: int, ranks: int, size: int) -> list[int]:
        """Algorithm, fan-out and segment; the nearest lower entries, the first below them."""
        communicators = self._of.get(collective)
        if communicators is None:
            return [0, 0, 0]
        fitting = [rules for n, rules in communicators if n <= ranks] or [communicators[0][1]]
        return next(rule[1:] for rule in reversed(fitting[-1]) if rule[0] <= size)


def plain_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_rules_hold_for_the_ranks_and_sizes_that_were_proven_and_no_others() -> None:
    settings = reduces("5", segmentsize="65536")
    rules = Rules(ompi_rules(tuning([choice("all_reduce", 1 << 20, settings)])) or "")
    for ranks, size, expected in (
        (4, 1 << 20, [5, 0, 65536]), (4, 1 << 22, [0, 0, 0]), (4, 0, [0, 0, 0]),
        (2, 1 << 20, [0, 0, 0]), (3, 1 << 20, [0, 0, 0]), (5, 1 << 20, [0, 0, 0]),
        (64, 1 << 20, [0, 0, 0]),
    ):  # fmt: skip
        assert rules.rule(2, ranks, size) == expected, (ranks, size)
    assert rules.rule(7, 4, 1 << 20) == [0, 0, 0]


@given(st.dictionaries(SIZES, st.sampled_from(["", "1", "4"]), min_size=1), st.integers(2, 64))
def test_every_proven_size_has_its_rule(sizes: dict[int, str], ranks: int) -> None:
    choices = [choice("all_reduce", s, reduces(v) if v else {}) for s, v in sizes.items()]
    text = ompi_rules(tuning(choices, ranks=ranks))
    assert (text is None) == (not any(sizes.values()))
    if text is None:
        return
    rules = Rules(text)
    for size, value in sizes.items():
        assert rules.rule(2, ranks, size)[0] == int(value or 0)
        for others in (ranks - 1, ranks + 1):
            assert rules.rule(2, others, size) == [0, 0, 0]
    assert rules.rule(2, ranks, 0) == [0, 0, 0]
    assert rules.rule(2, ranks, 1 << 62) == [0, 0, 0]


def test_fan_outs_barriers_and_several_operations() -> None:
    bcast, barrier = "coll_tuned_bcast_algorithm", "coll_tuned_barrier_algorithm"
    chain = {bcast: "2", f"{bcast}_chain_fanout": "8", f"{bcast}_segmentsize": "32768"}
    chosen = [choice("broadcast", 4096, chain), choice("barrier", 0, {barrier: "4"})]
    rules = Rules(ompi_rules(tuning(chosen)) or "")
    assert rules.rule(7, 4, 4096) == [2, 8, 32768]
    assert rules.rule(6, 4, 0) == [4, 0, 0]
    assert rules.rule(6, 4, 1) == [0, 0, 0]


@pytest.mark.parametrize(
    ("op", "name"), [("gather", "gather"), ("scatter", "scatter"), ("all_to_allv", "alltoallv")]
)
def test_operations_whose_rules_could_hang_or_reach_further_have_none(op: str, name: str) -> None:
    tuned = tuning([choice(op, 4096, {f"coll_tuned_{name}_algorithm": "2"})])
    assert ompi_rules(tuned) is None
    assert unsaid(tuned) == tuned.choices


def test_what_a_rule_cannot_say_leaves_the_default_between_its_neighbours() -> None:
    choices = [choice("all_reduce", 1 << n, reduces("4")) for n in (10, 12, 14)]
    tree = {"in_network": "tree", "in_network_chunk": "8K"}
    choices[1] = choice("all_reduce", 1 << 12, tree)
    tuned = tuning(choices)
    rules = Rules(ompi_rules(tuned) or "")
    assert [rules.rule(2, 4, 1 << n)[0] for n in (10, 12, 14)] == [4, 0, 4]
    assert unsaid(tuned) == [choices[1]]


def test_of_what_was_simulated_no_library_is_told_anything(tmp_path: Path) -> None:
    choices = [choice("all_reduce", 4096, reduces("4")), choice("all_gather", 8 << 20, NCCL)]
    environment = {"OMPI_MCA_btl_tcp_links": "2", "NCCL_BUFFSIZE": "8388608"}
    for transport in ("mpi", "nccl"):
        where = {"on": "simulated", "simulated": True, "transport": transport}
        tuned = tuning(choices, environment, **where)
        assert files_of(tuned, tmp_path) == {}
        assert unsaid(tuned) == choices


def test_simgrids_algorithms_are_words_by_size_that_say_what_they_are(tmp_path: Path) -> None:
    choices = [
        choice("all_reduce", 1 << 10, {"smpi/allreduce": "rdb"}),
        choice("all_reduce", 1 << 12, {}),
        choice("all_reduce", 1 << 14, {"smpi/allreduce": "lr"}),
    ]
    tuned = tuning(choices, on="simulated", simulated=True, ranks=6)
    (path, _) = write_outputs(tuned, tmp_path)
    assert path.name == names.SMPI_WORDS
    text = path.read_text()
    assert plain_lines(text) == [
        "all_reduce,513,2048,--cfg=smpi/allreduce:rdb",
        "all_reduce,8193,32768,--cfg=smpi/allreduce:lr",
    ]
    assert "# simulated: true, on hosts that do not exist" in text.splitlines()
    assert "--cfg=smpi/coll-selector:ompi" in text and "--cfg=smpi/alltoall:mvapich2" in text
    assert unsaid(tuned) == []
    assert files_of(tuning(choices), tmp_path) == {}  # of real hosts nobody reads it


def test_datatypes_that_disagree_leave_the_default() -> None:
    choices = [
        choice("all_reduce", 4096, reduces("4")),
        choice("all_reduce", 4096, {}, datatype="half"),
    ]
    assert ompi_rules(tuning(choices)) is None


def test_a_rule_takes_numbers_only() -> None:
    with pytest.raises(UsageError, match="algorithm=ring is no number"):
        ompi_rules(tuning([choice("all_reduce", 4096, reduces("ring"))]))


def test_a_table_has_ten_columns_and_says_what_it_was_made_for() -> None:
    tuned = tuning([choice("all_gather", 8 << 30, NCCL)], transport="nccl", nodes=2, ranks=16)
    text = tuner_table(tuned) or ""
    (row,) = plain_lines(text)
    assert row.split(",")[0] == "allgather"
    assert row.split(",")[3:] == ["ring", "ll128", "8", "2", "16", "-1", "-1"]
    first, last = (int(word) for word in row.split(",")[1:3])
    assert first <= 8 << 30 <= last
    for line in ("# fabric: a made-up fabric", "# nccl: 2.28.9", "# nodes: 2", "# ranks: 16"):
        assert line in text.splitlines()
    assert all(len(line) < 256 for line in text.splitlines())


def test_a_range_never_ends_in_the_number_that_means_no_end() -> None:
    sizes = {NO_END - 1: NCCL, NO_END + 3: {}}
    chosen = [choice("all_reduce", size, settings) for size, settings in sizes.items()]
    ends = [line.split(",")[2] for line in plain_lines(tuner_table(_nccl(chosen)) or "")]
    assert ends == [str(NO_END - 1)]


def _nccl(choices: list[Choice], environment: dict[str, str] | None = None) -> Tuned:
    return tuning(choices, environment, transport="nccl", nodes=2)


def test_operations_that_nccl_asks_no_tuner_about_have_no_row() -> None:
    tuned = _nccl([choice("all_to_all", 4096, NCCL), choice("all_reduce", 1, {"cta_policy": "1"})])
    assert tuner_table(tuned) is None
    assert unsaid(tuned) == tuned.choices


@pytest.mark.parametrize(
    ("settings", "culprit"),
    [
        (NCCL | {"channels": "65"}, "channels=65"),
        (NCCL | {"algorithm": "rings"}, "algorithm=rings"),
        (NCCL | {"protocol": "ll64"}, "protocol=ll64"),
    ],
)
def test_a_table_refuses_what_its_reader_would(settings: dict[str, str], culprit: str) -> None:
    with pytest.raises(UsageError, match=culprit):
        tuner_table(_nccl([choice("all_reduce", 4096, settings)]))


def test_collnet_of_a_choice_becomes_a_variable() -> None:
    collnet = {"algorithm": "collnet_direct", "protocol": "simple", "in_network": "collnet"}
    tuned = _nccl([choice("all_reduce", 4096, collnet)])
    assert environment_of(tuned) == {"NCCL_COLLNET_ENABLE": "1"}
    assert plain_lines(tuner_table(tuned) or "")[0].split(",")[3:6] == [
        "collnet_direct", "simple", "-1",
    ]  # fmt: skip
    with pytest.raises(UsageError, match="NCCL_COLLNET_ENABLE=0"):
        environment_of(tuned.model_copy(update={"environment": {"NCCL_COLLNET_ENABLE": "0"}}))


def test_nccl_conf_has_plain_lines() -> None:
    text = nccl_conf(_nccl([], {"NCCL_BUFFSIZE": "8388608", "UCX_TLS": "x"})) or ""
    assert plain_lines(text) == ["NCCL_BUFFSIZE=8388608"]
    for value in ("", " 1", "1\n2", "x" * 1024):
        with pytest.raises(UsageError, match=r"no line of nccl\.conf"):
            nccl_conf(_nccl([], {"NCCL_BUFFSIZE": value}))


def test_a_parameter_file_names_the_rules_by_their_whole_path() -> None:
    text = mca_params(tuning([], {"OMPI_MCA_btl_tcp_links": "2"}), Path("/a/rules")) or ""
    assert plain_lines(text) == [
        "coll_tuned_use_dynamic_rules = 1",
        "coll_tuned_dynamic_rules_filename = /a/rules",
        "btl_tcp_links = 2",
    ]
    with pytest.raises(UsageError, match="btl_tcp_links"):
        mca_params(tuning([], {"OMPI_MCA_btl_tcp_links": "2 # two"}), None)


def test_where_nothing_is_kept_there_is_the_result_alone(tmp_path: Path) -> None:
    tuned = tuning([choice("all_reduce", 4096, {})])
    assert write_outputs(tuned, tmp_path) == [tmp_path / FILE_NAME]
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]
    assert load_tuned(tmp_path) == tuned


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "tuned"
    first = tuning([choice("all_reduce", 4096, reduces("4"))], {"OMPI_MCA_btl_tcp_links": "2"})
    written = {file.name for file in write_outputs(first, folder)}
    assert written == {names.OMPI_RULES, names.MCA_PARAMS, names.EXPORTS, FILE_NAME}
    assert written == {file.name for file in folder.iterdir()}
    write_outputs(tuning([choice("all_reduce", 4096, {})]), folder)
    assert [file.name for file in folder.iterdir()] == [FILE_NAME]


def test_files_that_no_tuning_wrote_are_left_alone(tmp_path: Path) -> None:
    own = tmp_path / names.NCCL_CONF
    own.write_text("NCCL_DEBUG=INFO\n")
    with pytest.raises(UsageError, match="no tuning wrote it"):
        write_outputs(tuning([choice("all_reduce", 4096, reduces("4"))]), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [own.name]


@given(st.text(max_size=400), st.text(max_size=400))
def test_names_cannot_get_out_of_comments(fabric: str, workload: str) -> None:
    tuned = _nccl([choice("all_reduce", 4096, NCCL)], {"NCCL_BUFFSIZE": "1"})
    made = tuned.made_for.model_copy(update={"fabric": fabric})
    files = files_of(
        tuned.model_copy(update={"made_for": made, "workload": workload}), Path("/somewhere")
    )
    assert set(files) == {names.TUNER_TABLE, names.NCCL_CONF, names.EXPORTS}
    assert len(plain_lines(files[names.TUNER_TABLE])) == 1
    assert plain_lines(files[names.NCCL_CONF]) == ["NCCL_BUFFSIZE=1"]
    assert all(len(line) < 256 for line in files[names.TUNER_TABLE].splitlines())


def test_every_file_says_where_it_was_made(tmp_path: Path) -> None:
    tuned = tuning([choice("all_reduce", 4096, reduces("4"))])
    for text in files_of(tuned, tmp_path).values():
        for fact in (
            "fabric: a made-up fabric", "mpi: Open MPI v4.1.4", "nodes: 1", "ranks: 4",
            "workload: a made-up workload", "made: 2026-01-01T00:00:00Z",
        ):  # fmt: skip
            assert f"# {fact}" in text.splitlines()


def test_the_result_is_json_with_its_format(tmp_path: Path) -> None:
    write_outputs(tuning([choice("all_reduce", 4096, {})]), tmp_path)
    assert json.loads((tmp_path / FILE_NAME).read_text())["format"] == "busbar tuned settings 1"
