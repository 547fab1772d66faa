"""Fabric files: the catalogue, fabrics by parameters, and messages for bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from busbar import fabrics
from busbar.emulate.spec import EmulationSpec, RateOverride
from busbar.errors import UsageError
from busbar.fabrics.load import CATALOGUE

GOOD = (CATALOGUE / "emulated-4x400m.toml").read_text()


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
         "unknown field 'colour', accepted there: name, description, kind"),
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


def test_a_network_without_hosts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        'name = "x"\ndescription = "x"\nkind = "network"\n[sweep]\nmin="8"\nmax="8"\nfactor=2\n'
    )
    with pytest.raises(UsageError, match=r"table \[hosts\] is missing"):
        fabrics.load(str(path))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("emulated-9", "unknown: accepted are emulated-4x400m, local"), ("", "unknown"),
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
    ],
)
def test_bad_parameters_are_refused(arguments: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        fabrics.emulated(**arguments)  # type: ignore[arg-type]
