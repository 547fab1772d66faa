"""Fabric files: the catalogue, fabrics by parameters, and messages for bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from busbar import fabrics
from busbar.emulate.spec import EmulationSpec, RateOverride, UplinkOverride
from busbar.errors import UsageError
from busbar.fabrics.load import CATALOGUE, find
from busbar.fabrics.site_limits import with_limits

GOOD = (CATALOGUE / "emulated-4x400m.toml").read_text()
GOOD_LEAVES = (CATALOGUE / "emulated-2x4x200m.toml").read_text()


@pytest.mark.parametrize("name", fabrics.names())
def test_the_catalogue_loads(name: str) -> None:
    assert fabrics.load(name).name == name
    assert fabrics.load(str(CATALOGUE / f"{name}.toml")) == fabrics.load(name)


def test_the_emulated_fabric_is_a_star_of_four() -> None:
    fabric = fabrics.load("emulated-4x400m")
    assert [sorted(cut.hosts) for cut in fabric.cuts()] == [[f"host{n}"] for n in (1, 2, 3, 4)]
    assert {(c.egress.rate_bps, c.ingress.rate_bps) for c in fabric.cuts()} == {(400e6, 400e6)}
    assert {c.egress.burst_bytes for c in fabric.cuts()} == {65536}
    assert fabric.efficiency() == pytest.approx(0.99268, abs=1e-5)
    assert fabric.sizes("all_reduce")[0] == 8
    assert fabric.sizes("barrier") == (0,)


def test_local_has_no_cuts() -> None:
    assert fabrics.load("local").cuts() == ()


def test_parameters_make_the_same_fabric_as_the_file() -> None:
    made, read = fabrics.emulated(), fabrics.load("emulated-4x400m")
    assert made.cuts() == read.cuts()
    assert made.name == read.name
    ten, file = fabrics.emulated(10, 100e6, in_network=True), fabrics.load("emulated-10x100m")
    assert ten.model_dump(exclude={"description"}) == file.model_dump(exclude={"description"})


def test_leaves_are_one_cut_more_for_the_hosts_below() -> None:
    fabric = fabrics.load("emulated-2x4x200m")
    hosts, leaves = fabric.cuts()[:8], fabric.cuts()[8:]
    assert {cut.level for cut in hosts} == {"host"}
    assert [cut.name for cut in hosts] == [f"link of host{n}" for n in range(1, 9)]
    assert [(cut.level, cut.name) for cut in leaves] == [
        ("leaf", "uplink of leaf1"),
        ("leaf", "uplink of leaf2"),
    ]
    assert [cut.hosts for cut in leaves] == [
        {"host1", "host2", "host3", "host4"},
        {"host5", "host6", "host7", "host8"},
    ]
    assert {(c.egress.rate_bps, c.ingress.rate_bps) for c in leaves} == {(400e6, 400e6)}
    assert {c.ingress.burst_bytes for c in leaves} == {65536}
    assert {cut.level for cut in fabrics.emulated().cuts()} == {"host"}


def test_parameters_of_two_levels_make_the_same_fabric_as_the_file() -> None:
    made = fabrics.emulated(8, 200e6, leaves=2, uplink_bps=400e6, in_network=True)
    read = fabrics.load("emulated-2x4x200m")
    assert made.cuts() == read.cuts()
    assert (made.name, made.in_network, made.limits) == (read.name, read.in_network, read.limits)
    slower = fabrics.emulated(
        7, 200e6, leaves=3, uplink_bps=4e6, uplink_overrides={"leaf2.tx": 1e6}
    )
    assert slower.name == "emulated-7on3x200m-uplink-4m-leaf2.tx-1m"
    rates = {c.name: (c.egress.rate_bps, c.ingress.rate_bps, len(c.hosts)) for c in slower.cuts()}
    assert rates["uplink of leaf1"] == (4e6, 4e6, 3)
    assert rates["uplink of leaf2"] == (1e6, 4e6, 2)


def test_switches_reduce_only_where_aggregators_are() -> None:
    plain = fabrics.from_emulation(EmulationSpec().model_dump(mode="json"))
    able = fabrics.from_emulation(EmulationSpec(aggregators=1).model_dump(mode="json"))
    assert plain.in_network is None
    assert not any(limit.variant == "in_network" for limit in plain.limits)
    assert able.in_network is not None
    assert able.in_network.mechanism == "tree"
    assert able.in_network.rate is None
    assert able.cuts() == plain.cuts()
    (limit,) = (limit for limit in able.limits if limit.variant == "in_network")
    assert (limit.op, limit.from_bytes(), limit.at_least) == ("all_reduce", 1 << 20, 0.90)


def test_single_hosts_may_differ_in_either_direction() -> None:
    fabric = fabrics.emulated(3, 400e6, {"host2": 100e6, "host3.tx": 50e6, "host1.rx": 25e6})
    rates = {c.name: (c.egress.rate_bps, c.ingress.rate_bps) for c in fabric.cuts()}
    assert rates == {
        "link of host1": (400e6, 25e6),
        "link of host2": (100e6, 100e6),
        "link of host3": (50e6, 400e6),
    }


def test_the_fabric_of_an_emulation_is_what_the_emulator_builds() -> None:
    spec = EmulationSpec(
        hosts=3,
        rate_bps=200_000_000,
        overrides=(
            RateOverride(host="host2", direction="tx", rate_bps=10_000_000),
            RateOverride(host="host2", rate_bps=20_000_000),
            RateOverride(host="host2", direction="rx", rate_bps=30_000_000),
        ),
    )
    fabric = fabrics.from_emulation(spec.model_dump(mode="json"))
    for cut in fabric.cuts():
        (host,) = cut.hosts
        assert (cut.egress.rate_bps, cut.ingress.rate_bps) == spec.rates_of(host)
        assert cut.egress.burst_bytes == spec.burst_bytes


def test_the_fabric_of_two_emulated_levels_is_what_the_emulator_builds() -> None:
    spec = EmulationSpec(
        hosts=7,
        leaves=3,
        uplink_bps=50_000_000,
        uplink_overrides=(
            UplinkOverride(leaf="leaf2", direction="tx", rate_bps=10_000_000),
            UplinkOverride(leaf="leaf2", rate_bps=20_000_000),
            UplinkOverride(leaf="leaf2", direction="rx", rate_bps=30_000_000),
        ),
    )
    fabric = fabrics.from_emulation(spec.model_dump(mode="json"))
    assert fabric.leaf_names() == spec.leaf_names
    uplinks = {cut.name.removeprefix("uplink of "): cut for cut in fabric.cuts()[7:]}
    assert uplinks.keys() == spec.hosts_below.keys()
    for leaf, cut in uplinks.items():
        assert cut.hosts == set(spec.hosts_below[leaf])
        assert (cut.egress.rate_bps, cut.ingress.rate_bps) == spec.uplink_rates_of(leaf)
        assert cut.egress.burst_bytes == spec.burst_bytes


def test_the_rate_of_a_switch_that_reduces_is_a_figure_with_its_source(tmp_path: Path) -> None:
    path = tmp_path / "fast.toml"
    rate = 'mechanism = "sharp"\nrate = { value = 25.6e12, source = "data sheet" }'
    path.write_text(GOOD.replace('mechanism = "tree"', rate))
    reducing = fabrics.load(str(path)).in_network
    assert reducing is not None
    assert reducing.rate is not None
    assert (reducing.mechanism, reducing.rate.value) == ("sharp", 25.6e12)


def test_placement_fills_hosts_one_after_another() -> None:
    fabric = fabrics.emulated(3)
    assert fabric.placement() == ("host1", "host2", "host3")
    assert fabric.placement(2, nodes=2) == ("host1", "host1", "host2", "host2")


@pytest.mark.parametrize(("ranks_per_node", "nodes"), [(0, None), (1, 0), (1, 4), (-1, 2)])
def test_an_empty_or_too_large_placement_is_refused(ranks_per_node: int, nodes: int) -> None:
    with pytest.raises(UsageError, match="accepted is 1"):
        fabrics.emulated(3).placement(ranks_per_node, nodes)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("egress_bps = { value = 400e6", "egress_bps = { value = -1.0",
         r"'hosts.egress_bps.value' is -1.0: input should be greater than 0"),
        ("egress_bps = { value = 400e6", "egress_bps = { value = 0",
         r"'hosts.egress_bps.value' is 0"),
        ("egress_bps = { value = 400e6", "egress_bps = { value = nan", "egress_bps.value' is nan"),
        ("egress_bps = { value = 400e6", "egress_bps = { value = '400M'",
         "'400M': input should be a valid number"),
        ('egress_bps = { value = 400e6, source = "tc tbf rate at the host\'s end of its link" }',
         "egress_bps = { value = 400e6 }", "'hosts.egress_bps.source' is missing"),
        ("egress_bps", "egres_bps",
         "unknown field 'hosts.egres_bps', accepted there: prefix, count, egress_bps"),
        ('kind = "network"', 'kind = "network"\ncolour = 1',
         "unknown field 'colour', accepted there: .*name, description, kind"),
        ('kind = "network"', 'kind = "carrier pigeon"', "'kind' is 'carrier pigeon'.*'network'"),
        ('kind = "network"', 'kind = "shared_memory"', r"table \[hosts\] has no meaning"),
        ("count = 4", "count = 0", "'hosts.count' is 0"),
        ("count = 4", "count = 4.5", "'hosts.count' is 4.5"),
        ("value = 8948", "value = 9948", "payload_bytes is above wire_bytes"),
        ('op = "send_recv"', 'op = "send_receive"', "'send_receive' is unknown, accepted: all_red"),
        ('from = "1M"', 'from = "12Q"', r"'limits\[0\].from': size '12Q' is not understood"),
        ("at_least = 0.90", "at_least = 90", r"'limits\[0\].at_least' is 90"),
        ('max = "4M"', 'max = "4"', "smallest size 8 is above largest size 4"),
        ("factor = 2", "factor = 1", "factor 1"),
        ("[sweep]", '[[host]]\nname = "host9"\n[sweep]', "'host9' is unknown, accepted: host1"),
        ("[sweep]", '[[leaf]]\nname = "leaf1"\n[sweep]', r"table \[leaves\] is missing"),
        ('mechanism = "tree"', 'mechanism = "magic"', "'in_network.mechanism' is 'magic'"),
        ('mechanism = "tree"', "", "'in_network.mechanism' is missing"),
        ('mechanism = "tree"', 'mechanism = "tree"\nrate = 1e9', "'in_network.rate' is 1000000000"),
        ("[sweep]", "[sweep", "is not TOML"),
    ],
)  # fmt: skip
def test_a_bad_file_is_explained_in_one_sentence(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert old in GOOD
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UsageError, match=sentence) as error:
        fabrics.load(str(path))
    assert str(path) in error.value.message
    assert "\n" not in error.value.message


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("count = 2", "count = 1", "'leaves.count' is 1: input should be greater than or"),
        ("count = 2", "count = 9", "'leaves.count' is 9, accepted for 8 hosts: 2 to 8"),
        ('prefix = "leaf"', 'prefix = "host"', "'host1' names a host and a leaf"),
        ("[sweep]", '[[leaf]]\nname = "leaf3"\n[sweep]',
         "leaf 'leaf3' is unknown, accepted: leaf1, leaf2"),
        ('kind = "network"', 'kind = "shared_memory"', r"table \[hosts\] has no meaning"),
    ],
)  # fmt: skip
def test_bad_leaves_are_explained_in_one_sentence(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert old in GOOD_LEAVES
    path = tmp_path / "bad.toml"
    path.write_text(GOOD_LEAVES.replace(old, new, 1))
    with pytest.raises(UsageError, match=sentence):
        fabrics.load(str(path))


@pytest.mark.parametrize("table", ["leaves", "leaf", "in_network", "reduction"])
def test_shared_memory_has_neither_switches_nor_a_rate_of_reduction(
    tmp_path: Path, table: str
) -> None:
    path = tmp_path / "bad.toml"
    local = (CATALOGUE / "local.toml").read_text()
    link = 'egress_bps = { value = 1, source = "x" }\ningress_bps = { value = 1, source = "x" }\n'
    text = {
        "leaves": f'[leaves]\nprefix = "leaf"\ncount = 2\n{link}',
        "leaf": '[[leaf]]\nname = "leaf1"\n',
        "in_network": '[in_network]\nmechanism = "tree"\nsource = "x"\n',
        "reduction": '[reduction]\ngbs = { value = 1, source = "x" }\n',
    }[table]
    path.write_text(f"{local}\n{text}")
    with pytest.raises(UsageError, match=rf"table \[{table}\] has no meaning"):
        fabrics.load(str(path))


def test_a_network_without_hosts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        'name = "x"\ndescription = "x"\nkind = "network"\n[sweep]\nmin="8"\nmax="8"\nfactor=2\n'
    )
    with pytest.raises(UsageError, match=r"table \[hosts\] is missing"):
        fabrics.load(str(path))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("emulated-9", "unknown: accepted are names .* such as emulated-"), ("", "unknown"),
     ("../fabrics/local", "unknown"), ("/nowhere/x.toml", "No such file")],
)  # fmt: skip
def test_an_unknown_fabric_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        fabrics.load(name)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"rate_bps": -1.0}, "hosts.egress_bps.value' is -1.0"),
        ({"hosts": 0}, "'hosts.count' is 0"),
        ({"overrides": {"host9": 1e6}}, "'host9' is unknown"),
        ({"overrides": {"host1.up": 1e6}}, "'host1.up' is unknown: accepted are HOST"),
        ({"leaves": 2}, "2 leaves have no uplink rate"),
        ({"leaves": 0, "uplink_bps": 1e9}, "'leaves.count' is 0"),
        ({"uplink_bps": 1e9}, "uplink rates belong to leaves"),
        (
            {"leaves": 2, "uplink_bps": 1e9, "uplink_overrides": {"leaf2.up": 1e9}},
            "'leaf2.up' is unknown: accepted are LEAF, LEAF.tx, LEAF.rx",
        ),
        (
            {"leaves": 2, "uplink_bps": 1e9, "uplink_overrides": {"leaf3": 1e9}},
            "leaf 'leaf3' is unknown, accepted: leaf1, leaf2",
        ),
    ],
)
def test_bad_parameters_are_refused(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        fabrics.emulated(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("of_site", [False, True])
def test_one_limit_has_one_value(tmp_path: Path, of_site: bool) -> None:
    limit = '[[limits]]\nop = "all_reduce"\nfrom = "{}"\nat_least = {}\nreason = "a test"\n\n'
    twice = limit.format("1M", 0.9) + limit.format("1024K", 0.001)
    path = tmp_path / "own.toml"
    with pytest.raises(UsageError, match="all_reduce default from 1M has two limits"):
        if of_site:
            path.write_text(twice)
            with_limits(fabrics.load("emulated-4x400m"), path)
        else:
            text = find("emulated-4x400m").read_text()
            path.write_text(text.split("[[limits]]")[0] + twice)
            fabrics.load(str(path))
