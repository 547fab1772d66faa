"""Fabric files that extend others: what is merged, what is replaced, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busbar import fabrics
from busbar.errors import UsageError
from busbar.fabrics.inheritance import join, merge
from busbar.fabrics.load import CATALOGUE, resolve
from busbar.fabrics.model import Limit

README = (CATALOGUE / "README.md").read_text()
SITE = """
name = "site"
description = "A site"
extends = "dgx-h100"
"""


def write(folder: Path, text: str, name: str = "site.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as refused:
        fabrics.load(str(path))
    assert refused.value.message.startswith(f"{path}: ")
    return refused.value.message


def test_a_site_of_few_lines_is_a_whole_fabric(tmp_path: Path) -> None:
    example, _ = re.findall(r"```toml\n(.*?)```", README, re.S)
    fabric, base = fabrics.load(str(write(tmp_path, example))), fabrics.load("dgx-h100")
    assert len(example.splitlines()) <= 14
    assert (fabric.name, fabric.in_network) == ("our-cluster", None)
    assert fabric.cluster is not None and base.cluster is not None
    assert fabric.cluster.node.count == 48
    assert [tier.nodes for tier in fabric.cluster.tiers] == [16]
    assert (fabric.cluster.nic, fabric.cluster.scale_up) == (
        base.cluster.nic,
        base.cluster.scale_up,
    )
    assert (fabric.limits, fabric.sweep) == (base.limits, base.sweep)


def test_one_figure_changes_alone(tmp_path: Path) -> None:
    text = f"{SITE}[nic]\nrate_bps = {{ value = 200e9, source = 'our ports run at half rate' }}"
    fabric, base = fabrics.load(str(write(tmp_path, text))), fabrics.load("dgx-h100")
    own, other = fabric.model_dump(), base.model_dump()
    assert own["nic"].pop("rate_bps") == {"value": 200e9, "source": "our ports run at half rate"}
    assert other["nic"].pop("rate_bps")["value"] == 400e9
    for document in (own, other):
        del document["name"], document["description"]
    assert own == other


def test_no_number_stands_under_the_source_of_another(tmp_path: Path) -> None:
    text = f"{SITE}[node]\ncount = 48\nsource = 'inventory'"
    found = resolve(write(tmp_path, text)).document["node"]
    base = resolve(CATALOGUE / "dgx-h100.toml").document["node"]
    assert found["source"] == f"inventory; gpus, cpu: {base['source']}"
    again = text.replace("count = 48", "gpus = 8\ncount = 48\ncpu = 'intel'")
    assert resolve(write(tmp_path, again)).document["node"]["source"] == "inventory"


def test_limits_are_replaced_row_by_row(tmp_path: Path) -> None:
    base = fabrics.load("dgx-h100").limits

    def ours(op: str, more: str = "") -> list[Limit]:
        limit = f"[[limits]]\nop = '{op}'\nfrom = '8'\nat_least = 0.5\nreason = 'ours'\n{more}"
        return fabrics.load(str(write(tmp_path, SITE + limit))).limits

    assert [one.op for one in ours("barrier")] == [*(one.op for one in base), "barrier"]
    all_gathers = [one for one in ours("all_gather") if one.op == "all_gather"]
    assert [one.reason for one in all_gathers] == ["ours"], "it holds wherever those did"
    several = [one for one in ours("all_gather", "domains = 'several'") if one.op == "all_gather"]
    assert [(one.domains, one.reason == "ours") for one in several] == [
        ("one", False),
        ("several", True),
    ]
    none = SITE.replace("extends", "without = ['limits']\nextends")
    assert fabrics.load(str(write(tmp_path, none))).limits == []


def test_files_extend_files_beside_them(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path, f"{SITE}[node]\ncount = 40\nsource = 'inventory'", "hall.toml")
    text = "name = 'row'\ndescription = 'A row'\nextends = '../hall.toml'\nwithout = ['tier']"
    path = write(tmp_path / "sub", text, "row.toml")
    fabric, resolved = fabrics.load(str(path)), resolve(path)
    assert fabric.cluster is not None
    assert (fabric.cluster.node.count, fabric.cluster.tiers) == (40, ())
    assert [one.stem for one, _ in resolved.files] == ["row", "hall", "dgx-h100", "hgx-h100"]
    assert resolved.origin(["node", "count"]).stem == "hall"
    assert resolved.origin(["nic", "rate_bps"]).stem == "dgx-h100"
    with pytest.raises(KeyError):
        resolved.origin(["nic", "nothing"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = 'x'\nextends = 'dgx-h100'", "'description' is missing"),
        ("description = 'x'\nextends = 'dgx-h100'", "'name' is missing"),
        (SITE.replace("dgx-h100", "dgx-h999"), "'extends' is 'dgx-h999'"),
        (SITE.replace('"dgx-h100"', "3"), "'extends' is 3"),
        (SITE.replace('"dgx-h100"', "['dgx-h100']"), "'extends' is ['dgx-h100']"),
        (SITE.replace("dgx-h100", "gone.toml"), "'extends' fails, "),
        (SITE + "without = ['switches']", "names 'switches'"),
        (SITE + "without = ['nic.mtu.more']", "names 'nic.mtu.more'"),
        (SITE + "without = 'tier'", "'without' is 'tier'"),
        (SITE + "without = [3]", "'without' is [3]"),
        ("name = 'x'\ndescription = 'x'\nwithout = ['tier']", "no meaning without 'extends'"),
        (SITE + "[node]\ncount = 3", "[node] states 'count'"),
        (SITE + "[nic]\nmtu = 2048", "[nic] states 'mtu'"),
        (SITE + "[nic]\nrate_bps = { value = 1e9 }", "'nic.rate_bps.source' is missing"),
        (SITE + "[nic]\nrate_bps = { source = 'ours' }", "no 'value'"),
        (SITE + "[nic]\nports = 3\nsource = 'ours'", "unknown field 'nic.ports'"),
        (SITE + "[hosts]\nprefix = 'h'", "hosts"),
    ],
)
def test_what_cannot_be_is_one_sentence_that_names_the_file(
    tmp_path: Path, text: str, words: str
) -> None:
    message = refusal(write(tmp_path, text))
    assert words in message
    assert "\n" not in message


def test_a_cycle_is_refused(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        write(
            tmp_path,
            f"name = '{name}'\ndescription = 'x'\nextends = '{other}.toml'",
            f"{name}.toml",
        )
    with pytest.raises(UsageError, match=r"c\.toml: 'extends' leads back to .*a\.toml"):
        fabrics.load(str(tmp_path / "a.toml"))
    own = write(tmp_path, "name = 'd'\ndescription = 'x'\nextends = 'd.toml'", "d.toml")
    assert "leads back to" in refusal(own)


def test_the_same_number_needs_no_source_of_its_own() -> None:
    base = {"node": {"count": 3, "source": "seen"}}
    assert join(base, {"node": {"count": 3}}) == base
    with pytest.raises(ValueError, match="source"):
        join(base, {"node": {"count": 4}})


_KEYS = st.sampled_from(["a", "b", "c", "value"])
_LEAVES = st.sampled_from([0, 1.5, "text", (), ("item",)]).map(
    lambda leaf: list(leaf) if isinstance(leaf, tuple) else leaf
)
_DOCUMENTS = st.recursive(
    st.dictionaries(_KEYS, _LEAVES, max_size=3),
    lambda inner: st.dictionaries(_KEYS, _LEAVES | inner, max_size=3),
    max_leaves=12,
)


@given(_DOCUMENTS, _DOCUMENTS)
def test_merging_loses_no_key(base: dict[str, Any], own: dict[str, Any]) -> None:
    merged = merge(base, own)
    _holds_all(merged, base, own)
    assert merge(merged, own) == merged
    assert (merge({}, own), merge(base, {})) == (own, base)


def _holds_all(merged: Mapping[str, Any], base: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    assert merged.keys() == base.keys() | own.keys()
    for key, value in merged.items():
        if key not in own:
            assert value == base[key]
        elif (
            isinstance(own[key], dict)
            and isinstance(base.get(key), dict)
            and "value" not in own[key]
        ):
            _holds_all(value, base[key], own[key])
        else:
            assert value == own[key]
