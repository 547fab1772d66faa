"""Plans of stages: their files, their groups, their rows, and the facts that excuse rows."""

from __future__ import annotations

import tomllib
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plan_places import NO_SHARP, boxes, placement, situation, star

from busbar.documents import parse
from busbar.errors import UsageError
from busbar.fabrics.model import Sweep
from busbar.launch.plans.document import PLANS, PlanDocument, Stage
from busbar.launch.plans.groups import THINNINGS, groups_of
from busbar.launch.plans.layout import Layout
from busbar.launch.plans.rows import StageRows, rows_of, used
from busbar.pairs.sites import of_toml
from busbar.record.key import parse_ranks
from busbar.record.models import PlannedPoint

ACCEPTANCE = PLANS.load("acceptance")
ALL = THINNINGS[0]


def _rows(stages: list[StageRows]) -> list[PlannedPoint]:
    return [row for one in stages for row in one.rows]


def _stage(groups: str, **more: Any) -> Stage:
    measure = [{"operations": ["all_reduce"], "sizes": ["large"]}]
    return Stage.model_validate({"name": "it", "groups": groups, "measure": measure} | more)


def _document(stage: Stage) -> PlanDocument:
    return PlanDocument(name="own", description="one stage", stage=[stage])


# The file.


def test_every_plan_that_is_shipped_can_be_read() -> None:
    assert "acceptance" in PLANS.names()
    for name in PLANS.names():
        assert PLANS.load(name).name == name


def _everywhere(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every table in a document."""
    if isinstance(document, dict):
        inside = [p for k, v in document.items() for p in _everywhere(v, (*path, k))]
        return [path, *inside]
    if isinstance(document, list):
        return [p for n, v in enumerate(document) for p in _everywhere(v, (*path, n))]
    return []


TEXT = (PLANS.folder / "acceptance.toml").read_text()


@pytest.mark.parametrize("path", _everywhere(tomllib.loads(TEXT))[:8])
def test_an_unknown_key_anywhere_is_refused_in_one_sentence(path: tuple[Any, ...]) -> None:
    document = tomllib.loads(TEXT)
    table = document
    for step in path:
        table = table[step]
    table["colour"] = "blue"
    with pytest.raises(UsageError, match="colour") as error:
        parse(PlanDocument, _toml(document), "own.toml")
    assert "own.toml" in error.value.message
    assert "accepted" in error.value.message


def _toml(document: dict[str, Any]) -> str:
    """TOML enough for plans: scalars, lists of strings, tables, lists of tables."""

    def value(item: Any) -> str:
        if isinstance(item, str):
            return f'"{item}"'
        if isinstance(item, list):
            return "[" + ", ".join(map(value, item)) + "]"
        if isinstance(item, dict):
            return "{" + ", ".join(f"{k} = {value(v)}" for k, v in item.items()) + "}"
        return str(item).lower()

    return "\n".join(f"{key} = {value(item)}" for key, item in document.items())


@pytest.mark.parametrize(
    ("stage", "culprit"),
    [
        ({"groups": "racks"}, "racks"),
        ({"need": "waived"}, "evidence"),
        ({"evidence": "because"}, "evidence"),
        ({"isolated": 3}, "isolated"),
        ({"measure": [{"operations": ["all_reducee"], "sizes": ["8"]}]}, "all_reducee"),
        ({"measure": [{"operations": ["all_reduce"], "sizes": ["huge"]}]}, "huge"),
        ({"measure": [{"operations": ["all_reduce"], "sizes": ["large/0"]}]}, "large/0"),
        ({"measure": [{"operations": ["all_reduce"], "sizes": []}]}, "sizes"),
        ({"measure": []}, "measure"),
    ],
)
def test_what_a_stage_cannot_be_is_named(stage: dict[str, Any], culprit: str) -> None:
    whole = {
        "name": "it", "groups": "all",
        "measure": [{"operations": ["all_reduce"], "sizes": ["8"]}], **stage,
    }  # fmt: skip
    document = {"name": "own", "description": "own", "stage": [whole]}
    with pytest.raises(UsageError, match=culprit):
        parse(PlanDocument, _toml(document), "own.toml")


def test_one_launch_gives_no_interval_so_no_plan_asks_for_it() -> None:
    document = {"name": "a", "description": "a", "launches": {"least": 1}, "stage": []}
    with pytest.raises(UsageError, match=r"launches\.least"):
        parse(PlanDocument, _toml(document), "own.toml")


def test_a_plan_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="acceptance"):
        PLANS.load("nonsense")
    with pytest.raises(UsageError, match=r"own\.toml"):
        PLANS.load(str(tmp_path / "own.toml"))


def test_sizes_are_the_fabrics_own() -> None:
    sweep = Sweep(min="8", max="4M", factor=2)
    (measure,) = _stage(
        "all",
        measure=[
            {"operations": ["all_reduce"], "sizes": ["large", "small", "large/4", "3K", "1M"]}
        ],
    ).measure
    assert measure.sizes_on(sweep) == [8, 3072, 1 << 20, 4 << 20]
    (middle,) = _stage("all", measure=[{"operations": ["all_reduce"], "sizes": ["medium"]}]).measure
    assert middle.sizes_on(sweep) in ([4096], [8192])


# Groups.


@settings(deadline=None)
@given(
    st.sampled_from(["nodes", "rails", "pairs", "leaves", "doubling", "all", "bisection"]),
    st.integers(1, 9),
    st.integers(1, 4),
    st.booleans(),
)
def test_a_stage_has_groups_or_says_why_not(
    groups: str, hosts: int, each: int, sites: bool
) -> None:
    assume(hosts * each > 1)
    where = placement(hosts, each)
    half = (hosts + 1) // 2
    text = "\n".join(
        f'[[leaf]]\nname = "{name}"\nhosts = {[f"node{n}" for n in below]}'
        for name, below in (("left", range(1, half + 1)), ("right", range(half + 1, hosts + 1)))
        if below
    )
    layout = Layout.of(where, star(), of_toml(text, "sites") if sites else None)
    found = groups_of(_stage(groups), layout, 1, ALL)
    assert bool(found.groups) != bool(found.missing)
    if not found.groups:
        assert found.missing.endswith(".")
    assert len({group.name for group in found.groups}) == len(found.groups)
    for group in found.groups:
        if group.split is None:
            assert all(len(members) >= 2 for members in group.members())
        hosts_of = [{where[rank] for rank in members} for members in group.members()]
        if groups == "leaves":
            assert all(len({layout.leaves[host] for host in part}) == 1 for part in hosts_of)
            assert all(len(part) > 1 for part in hosts_of)
        if groups == "doubling":
            (one,) = hosts_of
            assert len(one) in (2, 4, 8)
            assert len(one) < hosts


def test_hosts_of_a_cluster_hang_on_leaves_in_the_order_of_their_ranks() -> None:
    layout = Layout.of(placement(4, 8), boxes(), None)
    (group,) = groups_of(_stage("leaves"), layout, 1, ALL).groups
    assert group.parts == ("0-15", "16-31")


def test_a_site_map_that_leaves_a_host_out_is_refused() -> None:
    sites = of_toml('[[leaf]]\nname = "a"\nhosts = ["node1"]', "sites")
    with pytest.raises(UsageError, match="node2"):
        Layout.of(placement(2, 1), star(), sites)


def test_thinner_pairs_are_fewer_and_still_blame_every_host() -> None:
    layout = Layout.of(placement(24, 1), star(), None)
    counts = []
    for thinning in THINNINGS:
        groups = groups_of(_stage("pairs"), layout, 1, thinning).groups
        counts.append(len(groups))
        partners: Counter[int] = Counter()
        for group in groups:
            for members in group.members():
                partners.update(members)
        assert set(partners) == set(range(24))
        assert min(partners.values()) >= 3
        alone = [group for group in groups if group.parts is None]
        assert {rank for group in alone for rank in parse_ranks(group.ranks)} == set(range(24))
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == len(counts)


# Rows.


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(1, 3), st.sampled_from(["mpi", "nccl", "ucx"]))
def test_nothing_that_the_plan_asks_for_is_lost(hosts: int, each: int, transport: str) -> None:
    assume(hosts * each > 1)
    fabric = boxes() if transport == "nccl" else None
    on = "slurm" if transport == "nccl" else "emulated"
    here = situation(ACCEPTANCE, placement(hosts, each), fabric=fabric, transport=transport, on=on)
    stages = rows_of(ACCEPTANCE, here, ALL)
    rows = _rows(stages)
    assert len({row.key for row in rows}) == len(rows)
    for row in rows:
        assert row.stage is not None
        assert (row.need == "waived") == bool(row.evidence)
    known = {variant.name for variant in used(stages, here.names.variants)}
    assert {row.key.variant for row in rows if row.need != "waived"} == known
    # Every operation is there for every stage, measured or waived, unless a stage before it has
    # the very same point.
    for one in stages:
        asked = {op for measure in one.stage.measure for op in measure.operations}
        have = {row.key.op for row in one.rows}
        if have != asked:
            groups = {group.ranks for group in one.groups}
            earlier = [row for row in rows if row.stage != one.stage.name]
            assert asked - have <= {row.key.op for row in earlier if row.key.group.ranks in groups}
    required = [row for row in rows if row.need == "required"]
    assert any(row.key.op == "send_recv" and row.key.group.name == "all" for row in required)


def test_one_host_is_measured_once_and_what_needs_more_is_waived() -> None:
    here = situation(ACCEPTANCE, placement(1, 4))
    by_stage = {one.stage.name: one.rows for one in rows_of(ACCEPTANCE, here, ALL)}
    for stage in ("leaf groups", "doubling node counts"):
        assert {row.evidence for row in by_stage[stage]} == {
            "One host only, node1: there is no network between hosts."
        }
    assert {row.key.group.name for row in by_stage["single node"]} == {"all"}
    assert "all_reduce" in {row.key.op for row in by_stage["single node"]}


def test_nothing_to_measure_is_no_plan() -> None:
    with pytest.raises(UsageError, match="at least 2 ranks"):
        rows_of(ACCEPTANCE, situation(ACCEPTANCE, placement(1, 1)), ALL)
    leaves = _document(_stage("leaves"))
    with pytest.raises(UsageError, match="nothing to measure by plan 'own': Fabric"):
        rows_of(leaves, situation(leaves, placement(2, 1)), ALL)


def test_what_a_plans_author_waives_says_that_nobody_looked_it_up() -> None:
    waived = _stage("all", need="waived", evidence="leaf 7 is being repaired", name="waived")
    both = PlanDocument(name="own", description="own", stage=[waived, _stage("pairs")])
    first, second = rows_of(both, situation(both, placement(2, 1)), ALL)
    (row,) = first.rows
    assert row.evidence == "Stated in the plan, not looked up: leaf 7 is being repaired"
    assert {row.need for row in second.rows} == {"required"}


@pytest.mark.parametrize("weaker", [{"need": "optional"}, {"need": "waived", "evidence": "agreed"}])
@pytest.mark.parametrize("weaker_first", [True, False])
def test_what_two_stages_have_in_common_is_as_strict_as_the_stricter(
    weaker: dict[str, str], weaker_first: bool
) -> None:
    quick, full = _stage("all", **weaker), _stage("all").model_copy(update={"name": "full"})
    other = [quick, full] if weaker_first else [full, quick]
    both = PlanDocument(name="own", description="two stages", stage=other)
    (row,) = _rows(rows_of(both, situation(both, placement(2, 1)), ALL))
    assert (row.stage, row.need, row.needs_limit, row.evidence) == ("full", "required", True, None)


@pytest.mark.parametrize("limited_first", [True, False])
def test_a_limit_that_any_part_of_a_stage_wants_is_wanted(limited_first: bool) -> None:
    parts = [{"operations": ["all_reduce"], "sizes": ["large"], "limited": limited}
             for limited in (limited_first, not limited_first)]  # fmt: skip
    document = _document(_stage("all", measure=parts))
    (row,) = _rows(rows_of(document, situation(document, placement(2, 1)), ALL))
    assert row.needs_limit


def test_an_optional_stage_has_optional_rows() -> None:
    document = _document(_stage("all", need="optional"))
    (one,) = rows_of(document, situation(document, placement(2, 1)), ALL)
    assert {row.need for row in one.rows} == {"optional"}


# What excuses a row.

IN_NETWORK = [
    {"operations": ["all_reduce", "all_to_all"], "sizes": ["large"],
     "variants": ["default", "without", "in_network"]}
]  # fmt: skip
NO_SWITCHES = {"in_network": None}
PCIE_ONLY = {"scale_up": None}
NO_NVLS = {"scale_up": {**boxes().model_dump(mode="json")["scale_up"], "in_network": None}}


@pytest.mark.parametrize(
    ("transport", "on", "tables", "each", "machine", "measured", "evidence"),
    [
        ("mpi", "emulated", None, 1, "there", ["default", "in_network"], ""),
        ("mpi", "local", None, 1, "there", ["default"], "shared memory has no switch"),
        ("mpi", "slurm", NO_SWITCHES, 1, "there", ["default"], "boxes has no switches that reduce"),
        ("mpi", "slurm", {}, 1, "without", ["default"], "no SHARP for mpi. Fabric boxes says"),
        ("ucx", "slurm", {}, 1, "there", ["default"], "ucx carries messages and reduces nothing"),
        ("nccl", "slurm", {}, 8, "there", ["default", "sharp"], ""),
        ("nccl", "slurm", NO_SWITCHES, 8, "there", ["default"], "has no switches that reduce"),
        ("nccl", "slurm", {}, 8, "without", ["default"], "no SHARP for nccl. Fabric boxes says"),
    ],
)
def test_reduction_in_the_network_is_measured_or_excused_by_a_fact(
    transport: str,
    on: str,
    tables: dict[str, Any] | None,
    each: int,
    machine: str,
    measured: list[str],
    evidence: str,
) -> None:
    document = _document(_stage("all", measure=IN_NETWORK))
    here = situation(
        document, placement(4, each), transport=transport, on=on,
        fabric=None if tables is None else boxes(**tables),
        **({"machine": NO_SHARP} if machine == "without" else {}),
    )  # fmt: skip
    (one,) = rows_of(document, here, ALL)
    by_op = {op: [r for r in one.rows if r.key.op == op] for op in ("all_reduce", "all_to_all")}
    assert [r.key.variant for r in by_op["all_reduce"] if r.need == "required"] == measured
    if transport != "nccl":  # there, inside of nodes, NVLink may reduce all the same
        assert [v.name for v in here.names.variants] == measured
    said = [r.evidence or "" for r in by_op["all_reduce"] if r.need == "waived"]
    assert len(said) == bool(evidence)
    assert all(evidence in text for text in said)
    # An exchange has nothing to reduce, wherever it is.
    (exchange,) = [r for r in by_op["all_to_all"] if r.need == "waived"]
    assert exchange.evidence


@pytest.mark.parametrize(
    ("tables", "on", "machine", "evidence"),
    [
        ({}, "slurm", "there", ""),
        (PCIE_ONLY, "slurm", "there", "has no NVLink"),
        (NO_NVLS, "slurm", "there", "no switch that reduces in its NVLink"),
        ({}, "local", "without", "no NVSwitch here."),
    ],
)
def test_nvlink_reduces_inside_a_node_where_there_is_any(
    tables: dict[str, Any], on: str, machine: str, evidence: str
) -> None:
    document = _document(_stage("nodes", measure=IN_NETWORK[:1]))
    hosts = 1 if on == "local" else 4
    here = situation(
        document, placement(hosts, 8), fabric=boxes(**tables), transport="nccl", on=on,
        **({"machine": NO_SHARP} if machine == "without" else {}),
    )  # fmt: skip
    (one,) = rows_of(document, here, ALL)
    reduces = [row for row in one.rows if row.key.op == "all_reduce"]
    if evidence:
        assert [r.key.variant for r in reduces if r.need == "required"] == ["default"]
        (waived,) = [r for r in reduces if r.need == "waived"]
        assert waived.key.variant == "nvls"
        assert evidence in (waived.evidence or "")
    else:
        assert [r.key.variant for r in reduces] == ["default", "off", "nvls"]


def test_trees_of_the_network_serve_one_group_at_a_time() -> None:
    document = _document(_stage("leaves", measure=IN_NETWORK))
    here = situation(document, placement(4, 1), fabric=boxes())
    (one,) = rows_of(document, here, ALL)
    assert one.groups[0].parts is not None
    (waived,) = [r for r in one.rows if r.need == "waived" and r.key.op == "all_reduce"]
    assert "one communicator at a time" in (waived.evidence or "")


def test_every_pair_of_stage_and_operation_is_shown_as_needed_or_excused() -> None:
    here = situation(ACCEPTANCE, placement(4, 2))
    rows = _rows(rows_of(ACCEPTANCE, here, ALL))
    for stage, need in product({row.stage for row in rows}, ("required",)):
        assert any(row.stage == stage and row.need in (need, "waived") for row in rows)
