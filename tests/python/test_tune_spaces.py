"""The spaces that are there: what they may try, on what, and what they must never try."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar.errors import UsageError
from busbar.tune.candidate import DEFAULT
from busbar.tune.history import History
from busbar.tune.outputs import ompi_rules, smpi_words, tuner_table
from busbar.tune.space import Space, load_space, parse_space, version_in
from busbar.tune.strategies import STRATEGIES
from tunings import choice

SPACES = ("mpi", "nccl", "ucx", "tree", "simulated")
SITE = {
    "NCCL_IB_HCA", "NCCL_SOCKET_IFNAME", "NCCL_IB_GID_INDEX", "NCCL_IB_ROCE_VERSION_NUM",
    "NCCL_IB_ADDR_FAMILY", "NCCL_IB_ADDR_RANGE", "NCCL_IB_SL", "NCCL_IB_TC", "NCCL_IB_FIFO_TC",
    "NCCL_IB_PKEY", "NCCL_IB_TIMEOUT", "NCCL_IB_RETRY_CNT", "NCCL_IB_ECE_ENABLE", "NCCL_NET",
    "NCCL_NET_PLUGIN", "NCCL_TOPO_FILE", "NCCL_IB_MERGE_NICS", "NCCL_IB_MERGE_VFS",
    "NCCL_IB_PCI_RELAXED_ORDERING", "NCCL_IGNORE_CPU_AFFINITY", "NCCL_DMABUF_ENABLE",
    "NCCL_NET_GDR_LEVEL", "NCCL_NET_GDR_READ", "NCCL_NET_GDR_C2C", "NCCL_IB_ADAPTIVE_ROUTING",
}  # fmt: skip
DANGEROUS = {
    "NCCL_P2P_DISABLE", "NCCL_P2P_LEVEL", "NCCL_SHM_DISABLE", "NCCL_IB_DISABLE", "NCCL_PROTO",
    "NCCL_IGNORE_DISABLED_P2P", "NCCL_GDR_FLUSH_DISABLE", "NCCL_NET_FORCE_FLUSH",
    "NCCL_LEGACY_CUDA_REGISTER", "NCCL_LAUNCH_RACE_FATAL", "NCCL_GRAPH_MIXING_SUPPORT",
    "NCCL_CUMEM_ENABLE", "NCCL_CUMEM_HOST_ENABLE", "NCCL_SET_STACK_SIZE",
    "NCCL_THREAD_THRESHOLDS", "NCCL_GRAPH_FILE", "NCCL_HOSTID", "NCCL_WORK_FIFO_BYTES",
    "NCCL_RUNTIME_CONNECT", "NCCL_DEBUG", "NCCL_LAUNCH_MODE", "NCCL_CHECK_POINTERS", "NCCL_ALGO",
    "NCCL_MIN_CTAS", "NCCL_MAX_CTAS",
}  # fmt: skip
TUNED_BY_TABLE = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce")
OPS = (*TUNED_BY_TABLE, "all_to_all", "barrier", "send_recv", "gather", "scatter", "all_to_allv")


def tried(space: Space) -> set[str]:
    """Every setting that some candidate has, of a call or of a process."""
    spaces = [space.of_calls(op, 4) for op in OPS] + space.parts_of_processes()
    return {name for part in spaces for c in part.candidates for name in c.settings}


@pytest.mark.parametrize("name", SPACES)
def test_what_is_searched_is_tried_and_nothing_else(name: str) -> None:
    space = load_space(name)
    assert tried(space) == {setting.name for setting in space.named("search")}
    for part in [space.of_calls(op, 4) for op in OPS] + space.parts_of_processes():
        assert part.candidates[0] == DEFAULT
        assert len(set(part.candidates)) == len(part.candidates)


def test_what_could_harm_is_listed_and_never_tried() -> None:
    space = load_space("nccl")
    assert {s.name for s in space.named("propose")} >= SITE
    assert {s.name for s in space.named("never")} >= DANGEROUS
    assert not tried(space) & (SITE | DANGEROUS)


def test_whatever_wins_for_a_call_can_be_written_down() -> None:
    for name, says in (
        ("mpi", ompi_rules.says),
        ("nccl", tuner_table.says),
        ("simulated", smpi_words.says),
    ):
        for op in OPS:
            for candidate in load_space(name).of_calls(op, 4).candidates[1:]:
                assert says(choice(op, 4096, candidate.settings)), (op, candidate.name)


def test_simulated_hosts_are_offered_what_their_number_can_use() -> None:
    space = load_space("simulated")

    def algorithms(op: str, ranks: int, nodes: int) -> set[str]:
        found = space.of_calls(op, ranks, nodes).candidates
        return {value for c in found for value in c.settings.values()}

    assert {"lr", "rdb", "rab"} < algorithms("all_reduce", 6, 6) < algorithms("all_reduce", 8, 8)
    # They divide ranks by host: nothing to divide where each has one.
    assert not any(name.startswith("smp_") for name in algorithms("all_reduce", 8, 8))
    assert {"smp_rdb", "smp_rsag_lr"} < algorithms("all_reduce", 8, 2)
    # Its messages are as many as the square of the ranks.
    assert "basic_linear" in algorithms("all_to_all", 128, 128)
    assert "basic_linear" not in algorithms("all_to_all", 129, 129)


def test_a_space_is_for_the_hosts_that_have_its_library() -> None:
    places = {
        name: (load_space(name).is_for(simulated=False), load_space(name).is_for(simulated=True))
        for name in SPACES
    }
    assert places == {
        "mpi": (True, False), "nccl": (True, False), "ucx": (True, False), "tree": (True, True),
        "simulated": (False, True),
    }  # fmt: skip


def test_nccl_has_for_each_operation_what_its_model_has() -> None:
    """NCCL 2.28.9, src/graph/tuning.cc."""
    space = load_space("nccl")

    def algorithms(op: str, ranks: int, nodes: int) -> set[str]:
        found = space.of_calls(op, ranks, nodes).candidates
        return {c.settings["algorithm"] for c in found if c != DEFAULT}

    assert algorithms("all_reduce", 8, 1) == {"ring", "tree", "nvls"}
    assert algorithms("all_reduce", 16, 2) == {
        "ring", "tree", "nvls", "nvls_tree", "collnet_direct", "collnet_chain",
    }  # fmt: skip
    assert algorithms("all_gather", 16, 2) == {"ring", "nvls", "collnet_direct"}
    assert algorithms("reduce_scatter", 2, 2) == {"ring", "nvls", "collnet_direct", "pat"}
    assert algorithms("broadcast", 16, 2) == {"ring"}
    assert algorithms("all_to_all", 16, 2) == set()


def test_nccl_combines_only_what_goes_together() -> None:
    space = load_space("nccl")
    for nodes in (1, 2):
        for candidate in space.of_calls("all_reduce", 8, nodes).candidates[1:]:
            settings = candidate.settings
            by_switch = settings["algorithm"].startswith(("nvls", "collnet"))
            assert settings["protocol"] == "simple" or not by_switch
            needs_collnet = nodes > 1 and settings["algorithm"] in (
                "nvls", "collnet_direct", "collnet_chain",
            )  # fmt: skip
            assert ("in_network" in settings) == needs_collnet
            # The plugin leaves these to NCCL, so a table could not say them.
            assert not ("channels" in settings and needs_collnet)


@given(st.integers(1, 64), st.sampled_from(OPS), st.sampled_from([(8, 1), (16, 2), (2, 2)]))
def test_a_cap_holds_for_every_candidate_but_the_default(
    cap: int, op: str, where: tuple[int, int]
) -> None:
    space = load_space("nccl").capped(cap)
    candidates = space.of_calls(op, *where).candidates
    assert candidates[0] == DEFAULT
    for candidate in candidates[1:]:
        assert 1 <= int(candidate.settings["channels"]) <= cap
    if op in TUNED_BY_TABLE:
        assert len(candidates) > 1
    counting = {s.name for s in space.setting if s.counts == "ctas"}
    for part in space.parts_of_processes():
        for candidate in part.candidates:
            assert all(int(v) <= cap for n, v in candidate.values if n in counting)


def test_a_cap_is_no_matter_where_nothing_counts() -> None:
    mpi = load_space("mpi")
    assert mpi.capped(1) == mpi
    with pytest.raises(UsageError, match="leaves none"):
        mpi.capped(0)


def test_a_library_is_not_asked_for_what_it_lacks() -> None:
    space = load_space("nccl")

    def names(version: str) -> set[str]:
        return tried(space.of_version(version))

    assert "NCCL_CTA_POLICY" not in names("2.26.6")
    assert "NCCL_CTA_POLICY" in names("2.27.3")
    policies = next(
        s for s in space.of_version("2.27.3").setting if s.name == "NCCL_CTA_POLICY"
    ).values
    assert [value.value for value in policies] == ["1"]
    assert names("2.28.9") == tried(space)
    old = space.of_version("2.22.3").of_calls("all_gather", 2, 2)
    assert not any(c.settings.get("algorithm") == "pat" for c in old.candidates)


@pytest.mark.parametrize("name", STRATEGIES)
def test_strategies_keep_to_a_space_whose_values_depend_on_others(name: str) -> None:
    space = load_space("nccl").of_calls("all_reduce", 16, 2)
    history, rng = History(), random.Random(1)
    true = {c: 100.0 * (1 + n % 7) for n, c in enumerate(space.candidates)}
    for ask in STRATEGIES[name](space, history, random.Random(1)):
        assert all(space.contains(candidate) for candidate in ask.candidates)
        history.tell(
            {c: [rng.gauss(true[c], 1.0) for _ in range(ask.samples)] for c in ask.candidates}
        )
    best = history.best()
    assert best is not None
    assert true[best] == 100.0


def test_versions_are_compared_as_numbers() -> None:
    assert version_in("Open MPI v4.1.4") == (4, 1, 4)
    assert version_in("2.9.6") < version_in("2.28.9")
    with pytest.raises(UsageError, match="holds no version"):
        version_in("none")


def test_the_tree_has_its_settings_only_where_it_is_used() -> None:
    for candidate in load_space("tree").of_calls("all_reduce", 4).candidates[1:]:
        assert candidate.settings["in_network"] == "tree"


def test_ucx_is_asked_for_windows_only_where_messages_do_not_wait() -> None:
    space = load_space("ucx")
    assert "window" not in {s.name for s in space.of_calls("ping_pong", 2).settings}
    assert "window" in {s.name for s in space.of_calls("one_way", 2).settings}


def test_too_many_combinations_are_not_listed() -> None:
    space = load_space("nccl")
    with pytest.raises(ValueError, match="in parts"):
        _ = space.of_processes().candidates
    parts = space.parts_of_processes()
    together = next(p for p in parts if p.settings[0].name == "NCCL_IB_QPS_PER_CONNECTION")
    assert [s.name for s in together.settings][1:] == ["NCCL_IB_SPLIT_DATA_ON_QPS"]


def test_a_value_can_only_depend_on_what_comes_before() -> None:
    text = """
        transport = "t"
        library = "l"
        [[setting]]
        name = "a"
        scope = "call"
        safety = "search"
        effect = "e"
        source = "s"
        values = [{ value = "1", only_with = { b = ["1"] } }]
    """
    with pytest.raises(UsageError, match="depends on b"):
        parse_space(text, "made-up")
