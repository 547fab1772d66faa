"""From a Topology to a WorldPlan: for every node the commands that furnish it.

Everything is decided here, outside the world and without touching the system, so that the inside
(world.py) only carries out, and what it will do can be read and tested.
"""

import shutil
from collections.abc import Sequence

from busbar.emulate.agent import AGENT_SCRIPT
from busbar.emulate.mpirun import mpirun_environment
from busbar.emulate.spec import EmulationSpec
from busbar.emulate.topology import LOGIN, NETWORK, Host, Topology, topology
from busbar.emulate.world import (
    AGENT_PATH,
    ETC_HOSTS_PATH,
    HOSTFILE_PATH,
    FilePlan,
    NodePlan,
    WorldPlan,
)

HOST_DEVICE = "eth0"
_UPLINK_DEVICE = "uplink"
_BRIDGE = "fabric"


def plan_world(spec: EmulationSpec, lifelines: Sequence[int] = ()) -> WorldPlan:
    """Everything that the inside needs to build the world of a spec."""
    tree = topology(spec)
    switches = [_switch_plan(name, tree, spec) for name in tree.switches]
    hosts = {host.name: _host_plan(host, tree, spec) for host in tree.hosts}
    environment = mpirun_environment(spec) | {
        "OMPI_MCA_orte_default_hostfile": HOSTFILE_PATH,
    }
    return WorldPlan(
        tools={name: find_tool(name) or name for name in ("ip", "tc")},
        files=_files(spec, tree),
        environment=environment,
        sysctls=_sysctls(spec),
        login=hosts.pop(LOGIN),
        switches=switches,
        hosts=list(hosts.values()),
        lifelines=list(lifelines),
    )


def find_tool(name: str) -> str | None:
    """Where a program is; an ordinary user's PATH often lacks the places of `ip` and `tc`."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")


def _switch_plan(name: str, tree: Topology, spec: EmulationSpec) -> NodePlan:
    """A bridge, one port for each link, and the shaping of what goes down the links."""
    ip = [
        # No spanning tree: it would hold a new port back for seconds.
        f"link add {_BRIDGE} mtu {spec.mtu} type bridge stp_state 0 mcast_snooping 0",
        f"link set {_BRIDGE} up",
    ]
    tc = []
    for link in tree.links:
        if link.lower == name:
            ip += _port(_UPLINK_DEVICE)
            tc += _shaping(_UPLINK_DEVICE, link.up_bps, spec)
        if link.upper == name:
            peer = _UPLINK_DEVICE if link.lower in tree.switches else HOST_DEVICE
            ip.append(
                f"link add {link.lower} mtu {spec.mtu} type veth "
                f"peer name {peer} mtu {spec.mtu} netns {{{link.lower}}}"
            )
            ip += _port(link.lower)
            tc += _shaping(link.lower, link.down_bps, spec)
    return NodePlan(name=name, ip=ip, tc=tc)


def _host_plan(host: Host, tree: Topology, spec: EmulationSpec) -> NodePlan:
    """An address, and the shaping of what the host sends."""
    up_bps = next(link.up_bps for link in tree.links if link.lower == host.name)
    return NodePlan(
        name=host.name,
        ip=[
            "link set lo up",
            f"address add {host.address}/{NETWORK.prefixlen} dev {HOST_DEVICE}",
            f"link set {HOST_DEVICE} up",
        ],
        tc=_shaping(HOST_DEVICE, up_bps, spec),
    )


def _port(device: str) -> list[str]:
    return [f"link set {device} master {_BRIDGE}", f"link set {device} up"]


def _shaping(device: str, rate_bps: int | None, spec: EmulationSpec) -> list[str]:
    if rate_bps is None:
        return []
    filter_ = f"tbf rate {rate_bps}bit burst {spec.burst_bytes} latency {spec.queue_ms}ms"
    return [f"qdisc add dev {device} root {filter_}"]


def _sysctls(spec: EmulationSpec) -> dict[str, str]:
    most = spec.socket_buffer_bytes
    return {
        # Least, initial and most. A connection starts small and grows to the most as it needs:
        # when all start at the most, they fill one another's queues and settle unevenly.
        "net/ipv4/tcp_rmem": f"4096 {min(65536, most)} {most}",
        "net/ipv4/tcp_wmem": f"4096 {min(16384, most)} {most}",
        "net/ipv4/tcp_congestion_control": spec.congestion_control,
        # A connection starts like the one before it, not with what that one left in a cache.
        "net/ipv4/tcp_no_metrics_save": "1",
        # No tail loss probes: nothing is lost here, so a late answer only means a busy core. The
        # probe would count as a retransmission and spoil a good sample.
        "net/ipv4/tcp_early_retrans": "0",
    }


def _files(spec: EmulationSpec, tree: Topology) -> list[FilePlan]:
    names = ["127.0.0.1 localhost"]
    names += [f"{host.address} {host.name}" for host in tree.hosts]
    slots = [f"{name} slots=1" for name in spec.host_names]  # workers' hosts only
    return [
        FilePlan(path=AGENT_PATH, text=AGENT_SCRIPT, mode=0o755),
        FilePlan(path=ETC_HOSTS_PATH, text="\n".join(names) + "\n", mode=0o644),
        FilePlan(path=HOSTFILE_PATH, text="\n".join(slots) + "\n", mode=0o644),
    ]
