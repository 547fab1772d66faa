"""`busbar fabrics`: the catalogue as a user sees it, and files for what was seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from busbar import fabrics
from busbar.cli import run_command_line
from busbar.errors import UsageError
from busbar.fabrics.guess import Guess, guess
from busbar.fabrics.load import CATALOGUE, fabric_of, resolve
from busbar.fabrics.seen import Seen, SeenHost, SeenPort, seen_here, seen_in
from busbar.fabrics.site_file import text_of, write_new
from busbar.record.journal import write_record
from busbar.record.models import Gpu, Host, Nic, RdmaPort, RunRecord
from doctor_hosts import FakeMachine, healthy
from factories import record

H100 = "NVIDIA H100 80GB HBM3"
IB, ROCE = SeenPort("infiniband", 400e9), SeenPort("roce_v2", 400e9)


def hosts(count: int = 1, gpu: str = H100, gpus: int = 8, ports: tuple[SeenPort, ...] = (IB,) * 8,
          launched: bool = True) -> Seen:  # fmt: skip
    return Seen(
        tuple(SeenHost(f"n{i}", (gpu,) * gpus, ports) for i in range(1, count + 1)), launched
    )


def written(folder: Path, found: Guess) -> fabrics.Fabric:
    path = folder / "ours.toml"
    write_new(path, found)
    return fabrics.load(str(path))


def test_list_shows_every_fabric(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["fabrics", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines if line[0] != " "} == {"fabric", *fabrics.names()}
    (row,) = [line for line in lines if line.startswith("gb200-nvl72-superpod ")]
    assert row.split()[1:3] == ["cluster", "576"]
    assert "72 x NVLink 5" in row and "4 x 400G infiniband" in row


def test_what_hosts_reduce_is_shown_with_its_unit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(
        'name = "ours"\ndescription = "measured"\nextends = "emulated-4x400m"\n'
        '[reduction]\ngbs = { value = 12, source = "memory_copy of a night" }\n'
    )
    assert run_command_line(["fabrics", "show", str(path)]) == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if "reduction.gbs" in x]
    assert "12 GB/s" in line and "memory_copy of a night" in line


def _figures(table: dict[str, Any]) -> list[str]:
    return [name for name, one in table.items() if isinstance(one, dict) and "value" in one]


@pytest.mark.parametrize("name", fabrics.names())
def test_show_has_every_source_and_level(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["fabrics", "show", name]) == 0
    said = capsys.readouterr().out
    fabric = fabrics.load(name)
    levels = fabric.cluster.levels() if fabric.cluster else fabric.cuts()
    assert [level.name for level in levels if level.name not in said] == []
    document = resolve(CATALOGUE / f"{name}.toml").document
    tables = {key: table for key, table in document.items() if isinstance(table, dict)}
    figures = [f"{key}.{name}" for key, table in tables.items() for name in _figures(table)]
    assert [figure for figure in figures if figure not in said] == []


def test_show_says_which_file_a_figure_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["fabrics", "show", "dgx-h100-superpod-2su"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (rate,) = [line for line in lines if "nic.rate_bps" in line]
    assert [cell.strip() for cell in rate.split("│")][-2] == "dgx-h100"
    (port,) = [line for line in lines if "scale_up.port_gbs" in line]
    assert [cell.strip() for cell in port.split("│")][-2] == "hgx-h100"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "dgx-h999"], "'dgx-h999' is unknown"),
        (["new", "ours.txt", "--extends", "dgx-h100"], "ours.txt is no name of a fabric file"),
        (["new", "no/such/folder/ours.toml", "--extends", "dgx-h100"], "cannot be written"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_usage_is_one_sentence(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["fabrics", *arguments]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert words in sentence


@pytest.mark.parametrize(
    ("seen", "extends"),
    [
        (hosts(4), "dgx-h100"),
        (hosts(4, ports=(ROCE,) * 8), "hgx-h100-roce"),
        (hosts(4, ports=(SeenPort("srd", 100e9),) * 32), "aws-p5"),
        (hosts(4, ports=(SeenPort("tcp", 100e9),)), "h100-ethernet"),
        (hosts(1, ports=()), "hgx-h100"),
        (hosts(4, "NVIDIA H200"), "dgx-h200"),
        (hosts(1, "NVIDIA H200 NVL", ports=()), "h200-nvl"),
        (hosts(4, "NVIDIA A100-SXM4-80GB", ports=(SeenPort("infiniband", 200e9),) * 8), "dgx-a100"),
        (hosts(4, "NVIDIA B200"), "dgx-b200"),
        (hosts(4, "NVIDIA B300 SXM6 AC", ports=(SeenPort("infiniband", 800e9),) * 8), "dgx-b300"),
        (hosts(36, "NVIDIA GB200", 4, (IB,) * 4), "gb200-nvl72"),
        (hosts(1, "NVIDIA L40S", ports=(ROCE,)), "l40s-pcie"),
    ],
)
def test_what_was_seen_becomes_a_case_of_the_catalogue(
    tmp_path: Path, seen: Seen, extends: str
) -> None:
    found = guess(seen)
    fabric = written(tmp_path, found)
    assert found.extends == extends
    assert fabric.cluster is not None
    assert fabric.cluster.node.count == len(seen.hosts)
    if fabric.cluster.nic is not None:
        port, nic = seen.hosts[0].ports[0], fabric.cluster.nic
        assert (nic.per_node, nic.rate_bps.value) == (len(seen.hosts[0].ports), port.rate_bps)
        assert (nic.protocol, nic.rate_bps.source) == (port.protocol, "seen on n1")


@pytest.mark.parametrize(
    "gpu", ["NVIDIA H100 PCIe", "NVIDIA H100 NVL", "NVIDIA A100 80GB PCIe", "NVIDIA A100-PCIE-40GB"]
)
def test_cards_are_not_taken_for_modules(gpu: str) -> None:
    with pytest.raises(UsageError, match="nothing in the catalogue fits"):
        guess(hosts(2, gpu, ports=(IB,) * 2))


def test_more_ports_than_usual_are_left_open() -> None:
    found = guess(hosts(2, ports=(IB,) * 12))
    assert "which of 12 equal ports carry collectives, for 8 are usual" in found.unknown
    assert not any("equal ports" in one for one in guess(hosts(2)).unknown)


def test_a_site_file_is_ten_lines_and_says_where_each_figure_was_seen(tmp_path: Path) -> None:
    found = guess(hosts(16))
    text = text_of("ours", found)
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    assert len(lines) <= 12
    assert "count = 16" in lines and 'source = "seen on n1 and 15 more"' in lines
    assert 'rate_bps = { value = 400e9, source = "seen on n1" }' in lines
    assert (
        fabric_of(resolve(CATALOGUE / "dgx-h100.toml").document, "").limits
        == written(tmp_path, found).limits
    )


def test_what_could_not_be_told_is_said_in_one_sentence(tmp_path: Path) -> None:
    found = guess(hosts(2, ports=(IB,) * 8 + (ROCE,) * 2))
    told = write_new(tmp_path / "ours.toml", found)
    assert told.unknown.startswith("It could not be told: what 2 other ports are for")
    assert told.unknown.count(".") == 1 and "MTU" in told.unknown
    assert (tmp_path / "ours.toml").read_text().splitlines()[0] == f"# {told.unknown}"
    fabric = fabrics.load(str(tmp_path / "ours.toml"))
    assert fabric.cluster is not None and fabric.cluster.nic is not None
    assert fabric.cluster.nic.per_node == 8


def test_part_of_an_nvlink_domain_leaves_the_count_open(tmp_path: Path) -> None:
    found = guess(hosts(2, "NVIDIA GB200", 4, (IB,) * 4))
    fabric = written(tmp_path, found)
    assert fabric.cluster is not None
    node = fabric.cluster.node
    assert node.count == 18 and "seen" not in node.source, "that is of the catalogue"
    assert found.unknown[0].startswith("how many nodes there are")


def test_ports_of_which_nothing_is_known_are_left_to_the_user(tmp_path: Path) -> None:
    found = guess(hosts(1, "NVIDIA L40S", ports=(ROCE, ROCE)))
    fabric = written(tmp_path, found)
    assert fabric.cluster is not None and fabric.cluster.nic is None
    assert "what its 2 ports of 400 Gbit/s roce_v2 reach" in "; ".join(found.unknown)


def test_hosts_that_differ_are_described_by_most_of_them(tmp_path: Path) -> None:
    odd = SeenHost("odd", (H100,) * 8, (IB,) * 7)
    seen = Seen((odd, *hosts(3).hosts), launched=True)
    found = guess(seen)
    assert found.unknown[0] == "which hosts are right, for they differ and most are described"
    fabric = written(tmp_path, found)
    assert fabric.cluster is not None and fabric.cluster.nic is not None
    assert (fabric.cluster.node.count, fabric.cluster.nic.per_node) == (4, 8)


def test_another_gpu_and_protocol_are_put_in(tmp_path: Path) -> None:
    fabric = written(tmp_path, guess(hosts(3, "NVIDIA X9", ports=(ROCE,) * 4), "dgx-h100"))
    assert fabric.cluster is not None and fabric.cluster.nic is not None
    assert fabric.cluster.gpu.name == "X9"
    assert (fabric.cluster.nic.protocol, fabric.cluster.nic.per_node) == ("roce_v2", 4)


def test_a_file_beside_the_new_one_can_be_extended(tmp_path: Path) -> None:
    base = 'name = "hall"\ndescription = "A hall"\nextends = "dgx-h100"\nwithout = ["in_network"]'
    (tmp_path / "hall.toml").write_text(base)
    found = guess(hosts(5), "hall.toml", tmp_path)
    assert written(tmp_path, found).in_network is None


@pytest.mark.parametrize(
    ("seen", "extends", "words"),
    [
        (hosts(gpu="NVIDIA X9"), None, "8 GPUs (NVIDIA X9) and 8 ports (infiniband)"),
        (hosts(gpus=0, ports=()), None, "0 GPUs (none) and 0 ports (none that is up"),
        (hosts(gpus=4), None, "nothing in the catalogue fits"),
        (hosts(gpus=4), "dgx-h100", "'dgx-h100' has 8 GPUs on a node and n1 has 4"),
        (hosts(), "emulated-4x400m", "'emulated-4x400m' is no cluster"),
        (hosts(), "dgx-h999", "'dgx-h999' is unknown"),
    ],
)
def test_what_fits_nothing_is_refused(seen: Seen, extends: str | None, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        guess(seen, extends)
    assert words in refused.value.message


def test_without_gpus_what_is_extended_decides(tmp_path: Path) -> None:
    found = guess(hosts(gpus=0, ports=(), launched=False), "dgx-h100")
    fabric = written(tmp_path, found)
    assert fabric.cluster is not None and fabric.cluster.node.gpus == 8
    assert found.description == "1 host, after dgx-h100"
    assert found.unknown[:2] == (
        "its GPUs, for none were seen",
        "its network, for no port was seen that is up and tells its rate",
    )


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"ours\.toml already exists"):
        write_new(path, guess(hosts()))
    assert path.read_text() == "mine"


def test_names_are_quoted(tmp_path: Path) -> None:
    found = guess(Seen((SeenHost('n"1\\ü', (H100,) * 8, (IB,) * 8),), launched=True))
    fabric = written(tmp_path, found)
    assert fabric.cluster is not None
    assert fabric.cluster.node.source.startswith('seen on n"1\\ü; gpus, cpu: ')


def test_this_machine_is_read_from_sys(tmp_path: Path) -> None:
    seen = seen_here(healthy(tmp_path))
    assert seen == Seen((SeenHost("host1", (H100, H100), (ROCE, ROCE)),), launched=False)


@pytest.mark.parametrize(
    ("path", "text", "ports"),
    [
        ("infiniband/mlx5_0/ports/1/state", "1: DOWN", [ROCE]),
        ("infiniband/mlx5_0/ports/1/rate", "fast", [ROCE]),
        ("infiniband/mlx5_0/ports/1/link_layer", "InfiniBand", [IB, ROCE]),
        ("infiniband/mlx5_0/ports/1/link_layer", "Unspecified", [SeenPort("srd", 400e9), ROCE]),
        ("infiniband/mlx5_0/ports/1/rate", "12.5 Gb/sec (1X)", [SeenPort("roce_v2", 12.5e9), ROCE]),
    ],
)
def test_ports_are_what_the_kernel_says(
    tmp_path: Path, path: str, text: str, ports: list[SeenPort]
) -> None:
    machine = healthy(tmp_path)
    machine.write(f"/sys/class/{path}", text)
    assert list(seen_here(machine).hosts[0].ports) == ports


def test_without_rdma_interfaces_that_are_up_count(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    machine.commands = {}
    for name, texts in {
        "eth0": {"operstate": "up", "speed": "100000", "mtu": "9000", "device/x": ""},
        "eth1": {"operstate": "down", "speed": "100000", "mtu": "9000", "device/x": ""},
        "eth2": {"operstate": "up", "speed": "-1", "mtu": "1500", "device/x": ""},
        "lo": {"operstate": "unknown", "mtu": "65536"},
    }.items():
        for file, text in texts.items():
            machine.write(f"/sys/class/net/{name}/{file}", text)
    assert seen_here(machine).hosts == (SeenHost("host1", (), (SeenPort("tcp", 100e9),)),)


def test_gpus_are_counted_on_pci_where_nvidia_smi_is_not(tmp_path: Path) -> None:
    machine = healthy(tmp_path)
    del machine.commands["nvidia-smi -q -x"]
    assert seen_here(machine).hosts[0].gpus == (None, None)


def rdma(device: str, **changes: Any) -> RdmaPort:
    fields = {
        "device": device, "port": 1, "kind": "InfiniBand", "link_layer": "InfiniBand",
        "state": "ACTIVE", "physical_state": "LinkUp", "rate": "400 Gb/sec (4X NDR)", "lid": None,
        "netdev": None, "pci_address": "0000:03:00.0", "numa_node": 0, "model": None,
        "firmware": None, "node_guid": None, "sys_image_guid": None,
    }  # fmt: skip
    return RdmaPort.model_validate(fields | changes)


def measured(ports: list[RdmaPort] | None, gpus: int = 8) -> RunRecord:
    """A record of four hosts with these ports."""
    made = record()
    system = made.launches[0].system
    nic = Nic(name="eth0", speed_mbps=25000.0, mtu=9000, driver=None)
    described = [
        Host.model_validate(host.model_dump() | {"rdma_ports": ports, "nics": [nic]})
        for host in system.hosts
    ]
    cards = [
        Gpu(host=host.name, index=i, name=H100, memory_bytes=None)
        for host in described for i in range(gpus)
    ]  # fmt: skip
    changed = system.model_copy(update={"hosts": described, "gpus": cards})
    launches = [one.model_copy(update={"system": changed}) for one in made.launches]
    return made.model_copy(update={"launches": launches})


def test_a_record_says_what_its_hosts_have(tmp_path: Path) -> None:
    ports = [
        *(rdma(f"mlx5_{i}") for i in range(8)),
        rdma("mlx5_8", state="DOWN"),
        rdma("rxe0", pci_address=None),
        rdma("siw0", kind="iWARP", link_layer="Ethernet"),
    ]
    seen = seen_in(measured(ports))
    assert [host.name for host in seen.hosts] == ["host1", "host2", "host3", "host4"]
    assert {host.ports for host in seen.hosts} == {(IB,) * 8}
    fabric = written(tmp_path, guess(seen))
    assert fabric.cluster is not None and fabric.cluster.node.count == 4


def test_a_record_without_rdma_has_its_interfaces() -> None:
    assert seen_in(measured(None)).hosts[0].ports == (SeenPort("tcp", 25e9),)


def test_hosts_that_only_reduce_are_no_nodes() -> None:
    made = measured([])
    launch = made.launches[0]
    processes = [p.model_copy(update={"role": "aggregator"}) if p.host == "host4" else p
                 for p in launch.processes]  # fmt: skip
    changed = made.model_copy(
        update={"launches": [launch.model_copy(update={"processes": processes})]}
    )
    assert [host.name for host in seen_in(changed).hosts] == ["host1", "host2", "host3"]


def test_a_record_that_names_no_hosts_is_refused() -> None:
    made = record()
    bare = [one.model_copy(update={"processes": []}) for one in made.launches]
    with pytest.raises(UsageError, match="does not say what its hosts are"):
        seen_in(made.model_copy(update={"launches": bare}))


def test_the_command_writes_what_a_record_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "run.json", tmp_path / "ours.toml"
    write_record(measured([rdma(f"mlx5_{i}") for i in range(8)]), source)
    command = ["fabrics", "new", str(target), "--from-record", str(source)]
    assert run_command_line(command) == 0
    said = capsys.readouterr().out
    assert "an extension of dgx-h100" in said and "It could not be told" in said
    assert fabrics.load(str(target)).description == f"4 hosts of 8 {H100} GPUs, after dgx-h100"
    assert run_command_line(command) == 2
    assert "already exists" in capsys.readouterr().err
    assert json.loads(source.read_text())["run"]["id"] == "example"
