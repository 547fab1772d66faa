"""Site maps: every format says where hosts hang, and garbage is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import two_levels

from busbar import fabrics
from busbar.errors import UsageError
from busbar.pairs.hostlist import expand
from busbar.pairs.site_formats import load, of_ibnetdiscover, of_lldp, of_slurm
from busbar.pairs.sites import Sites, of_fabric, of_toml

OWN = """
[[leaf]]
name = "leaf1"
hosts = ["host[1-2]", "gpu7"]

[[leaf]]
name = "rail0"
hosts = ["big[01-02]"]
nics = [0]

[[leaf]]
name = "rail1"
hosts = ["big[01-02]"]
nics = [1]

[[rail]]
name = "first"
nics = [0]
"""

SLURM = """# topology.conf
SwitchName=leaf1 Nodes=host[1-2] \\
  LinkSpeed=400
switchname=leaf2 nodes=host[3-4],gpu7   # the second
SwitchName=spine Switches=leaf[1-2]
"""

IB = """#
# Topology file: generated on Sun Nov 22 2026
#
# Initiated from node 0c42a10300000001 port 0c42a10300000001

vendid=0x2c9
devid=0xcf08
switchguid=0xe41d2d0300000010(e41d2d0300000010)
Switch\t36 "S-e41d2d0300000010"\t\t# "MF0;leaf1:SX6036/U1" enhanced port 0 lid 2 lmc 0
[1]\t"H-0c42a10300000001"[1](c42a10300000001) \t\t# "host1 mlx5_0" lid 5 4xHDR
[2]\t"H-0c42a10300000002"[1](c42a10300000002) \t\t# "host2 HCA-1" lid 6 4xHDR
[36]\t"S-e41d2d0300000020"[1]\t\t# "MF0;spine:SX6036/U1" lid 1 4xHDR

Switch\t36 "S-e41d2d0300000020"\t\t# "MF0;spine:SX6036/U1" base port 0 lid 1 lmc 0
[1]\t"S-e41d2d0300000010"[36]\t\t# "MF0;leaf1:SX6036/U1" lid 2 4xHDR

caguid=0xc42a10300000001
Ca\t1 "H-0c42a10300000001"\t\t# "host1 mlx5_0"
[1](c42a10300000001) \t"S-e41d2d0300000010"[1]\t\t# lid 5 lmc 0 "MF0;leaf1:SX6036/U1" lid 2 4xHDR
"""

LLDP = """lldp.eth0.via=LLDP
lldp.eth0.rid=1
lldp.eth0.chassis.mac=00:11:22:33:44:55
lldp.eth0.chassis.name=leaf1
lldp.eth0.chassis.descr=Some switch
Copyright (c) its vendor
lldp.eth0.port.ifname=Ethernet1/1
lldp.eth1.chassis.name=leaf2
lldp.eth1.port.descr=to host
"""


def test_our_own_file() -> None:
    sites = of_toml(OWN, "sites.toml")
    assert [sites.leaf_of(h) for h in ("host1", "host2", "gpu7", "host3")] == [
        "leaf1", "leaf1", "leaf1", None,
    ]  # fmt: skip
    assert [sites.leaf_of("big01", index) for index in (0, 1, 2)] == ["rail0", "rail1", None]
    assert (sites.rail_of(0), sites.rail_of(1)) == ("first", None)
    assert sites.leaf_of("host1.cluster.example") == "leaf1"


def test_slurm() -> None:
    sites = of_slurm(SLURM, "topology.conf")
    found = {a.host: a.leaf for a in sites.attachments}
    assert found == {"host1": "leaf1", "host2": "leaf1", "host3": "leaf2", "host4": "leaf2",
                     "gpu7": "leaf2"}  # fmt: skip


def test_ibnetdiscover() -> None:
    sites = of_ibnetdiscover(IB, "ib.txt")
    assert sites.leaf_of("host1", nics=["mlx5_0"]) == "leaf1"
    assert (sites.leaf_of("host2", 0), sites.leaf_of("spine")) == ("leaf1", None)


def test_adapters_on_leaves_of_their_own_are_told_by_name() -> None:
    second = IB.replace("leaf1", "leaf9").replace("mlx5_0", "mlx5_1").replace("0010", "0090")
    sites = of_ibnetdiscover(IB + second, "ib.txt")
    assert [sites.leaf_of("host1", nics=[n]) for n in ("mlx5_0", "mlx5_1")] == ["leaf1", "leaf9"]
    assert sites.leaf_of("host1") is None  # on both: not guessed


def test_switches_of_one_name_are_kept_apart() -> None:
    twin = IB.replace("host1", "host8").replace("0010", "0030")
    sites = of_ibnetdiscover(IB + twin, "ib.txt")
    assert sites.leaf_of("host1", nics=["mlx5_0"]) != sites.leaf_of("host8", nics=["mlx5_0"])


def test_lldp() -> None:
    sites = of_lldp(LLDP, "host1", "host1.txt")
    assert [sites.leaf_of("host1", nics=[n]) for n in ("eth0", "eth1")] == ["leaf1", "leaf2"]


def test_a_fabric() -> None:
    fabric = two_levels([(4e8, 4e8)] * 4, [(4e8, 4e8)] * 2)
    sites = of_fabric(fabric)
    assert [sites.leaf_of(f"host{n}") for n in range(1, 5)] == ["leaf1", "leaf1", "leaf2", "leaf2"]
    assert of_fabric(fabrics.load("emulated-4x400m")) == Sites()


def test_files_are_told_by_their_content(tmp_path: Path) -> None:
    for name, text, host in (
        ("a.toml", OWN, "host1"), ("b.conf", SLURM, "host1"), ("c.txt", IB, "host1"),
        ("host1.txt", LLDP, "host1"),
    ):  # fmt: skip
        (tmp_path / name).write_text(text)
        assert any(a.host == host for a in load(tmp_path / name).attachments), name
    folder = tmp_path / "lldp"
    folder.mkdir()
    for host in ("host1", "host2"):
        (folder / f"{host}.txt").write_text(LLDP)
    assert load(folder).leaf_of("host2", nics=["eth1"]) == "leaf2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host[1-4,7]", "host1 host2 host3 host4 host7"),
        ("a,b[08-10]c,d", "a b08c b09c b10c d"),
        ("r[1-2]n[1-2]", "r1n1 r1n2 r2n1 r2n2"),
    ],
)
def test_host_lists(text: str, expected: str) -> None:
    assert " ".join(expand(text)) == expected


@pytest.mark.parametrize("text", ["", "host[1-", "host[4-1]", "a,,b", "h[1-99999999]", "h[]", "a b",
                                  "h[1-9999][1-9999]", "h]1[", "h[[1]]"])  # fmt: skip
def test_lists_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no list|falls|more than"):
        expand(text)


def _of_lldp(text: str, origin: str) -> Sites:
    return of_lldp(text, "host", origin)


@pytest.mark.parametrize(
    ("read", "text", "culprit"),
    [
        (of_slurm, "SwitchName=a Nodes=b\nNodeName=x", "line 2: 'NodeName=x'"),
        (of_slurm, "SwitchName=a Nodes=h[1-", "line 1: .*no list"),
        (of_slurm, "Nodes=h1", "line 1: 'SwitchName' is missing"),
        (of_slurm, "SwitchName=a Nodes=h1\nSwitchName=b Nodes=h1", "line 2: host 'h1'.*two leaves"),
        (of_slurm, "SwitchName=a Switches=b", "no host below"),
        (of_ibnetdiscover, IB + "\nwhat is this", "line 21: 'what is this'"),
        (of_ibnetdiscover, "", "no host below"),
        (_of_lldp, LLDP + "lldp.what", "line 10: 'lldp.what"),
        (_of_lldp, "eth0=1", "line 1: 'eth0=1'"),
        (of_toml, "[[leaf]]\nname='a'\nhosts=['h[1-']", "no list"),
        (of_toml, "[[leaf]]\nname='a'\nhosts=['h']\n[[leaf]]\nname='b'\nhosts=['h']", "two leaves"),
        (of_toml, "[[leaf]]\nname='a'\nhosts=['h']\nnic=[0]", "unknown field 'leaf\\[0\\].nic'"),
        (of_toml, "leaf = 1 = 2", "is not TOML"),
        (of_toml, "[[leaf]]\nname='a'\nhosts=['h']\n[[rail]]\nname='r'\nnics=[0,0]", "two rails"),
    ],
)  # fmt: skip
def test_garbage_is_refused_with_its_place(
    read: Callable[[str, str], Sites], text: str, culprit: str
) -> None:
    with pytest.raises(UsageError, match=culprit) as caught:
        read(text, "file")
    assert caught.value.message.startswith("file")
    assert caught.value.message.endswith(".") and "\n" not in caught.value.message


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "x").write_text("hello")
    (tmp_path / "y").write_bytes(b"\xff\xfe\x00")
    for name in ("none", "empty", "x", "y"):
        with pytest.raises(UsageError, match=name):
            load(tmp_path / name)


_PIECES = st.sampled_from(
    ["SwitchName=a", "Nodes=h[1-3]", "Nodes=h[", 'Switch 36 "S-0a" # "x"', "[1]", '"H-0a"[1]',
     '# "h1 mlx5_0"', "lldp.eth0.", "lldp.eth0.chassis.name=l", "\n", " ", "\\\n", "#", "=", "\0",
     "[[leaf]]\n", "name='a'\n", "hosts=['h']\n", "é", "\u2028"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=20).map("".join)))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    for read in (of_slurm, of_ibnetdiscover, of_toml, _of_lldp):
        try:
            found = read(text, "file")
        except UsageError as error:
            assert error.message.startswith("file") and error.message.endswith(".")
        else:
            assert found.attachments


@given(st.lists(st.sampled_from(IB.splitlines() + SLURM.splitlines()), max_size=12), st.integers())
def test_a_shuffled_map_is_read_or_refused(lines: list[str], seed: int) -> None:
    for read in (of_slurm, of_ibnetdiscover):
        try:
            assert read("\n".join(lines), "file").attachments
        except UsageError as error:
            assert "file" in error.message
