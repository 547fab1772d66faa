"""What a launch's processes are given, and what is read of what they leave."""

from __future__ import annotations

from busbar.emulate import EmulationSpec, RateOverride
from busbar.launch import ucx
from busbar.launch.hang import Member, explain_end
from busbar.launch.monitoring import bytes_per_peer
from busbar.launch.target import Emulated, Local, split_environment


def test_bytes_per_peer_are_read_from_the_librarys_report() -> None:
    said = [
        "# POINT TO POINT", "E\t0\t1\t400 bytes\t2 msgs sent\t0,0,2",
        "noiseE\t1\t0\t200 bytes\t1 msgs sent\t0,I\t1\t0\t200 bytes\t1 msgs sent\t0,",
    ]  # fmt: skip
    assert bytes_per_peer(said, 2, 2, executions=4) == [[0.0, 100.0], [100.0, 0.0]]
    assert bytes_per_peer(said[:2], 2, 2, executions=4) is None, "rank 1 did not report"
    assert bytes_per_peer([], 2, 2, executions=4) is None
    # An aggregator without work has nothing to report; one that was sent something has.
    idle = bytes_per_peer(said, 2, 3, executions=4)
    assert idle == [[0.0, 100.0, 0.0], [100.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    fed = [*said, "E\t0\t2\t400 bytes\t2 msgs sent\t0,0,2"]
    assert bytes_per_peer(fed, 2, 3, executions=4) is None


def test_environment_is_split_between_mpirun_and_the_processes() -> None:
    assert split_environment({"OMPI_MCA_btl": "self", "UCX_TLS": "tcp"}) == (
        {"btl": "self"},
        {"UCX_TLS": "tcp"},
    )


def test_the_rest_lets_the_slowest_bucket_fill() -> None:
    spec = EmulationSpec(
        hosts=2, rate_bps=400_000_000, overrides=(RateOverride(host="host2", rate_bps=100_000_000),)
    )
    assert Emulated(spec).rest_us() >= spec.burst_bytes * 8 / 100
    leaf = EmulationSpec(hosts=2, rate_bps=10**9, leaves=2, uplink_bps=100_000_000)
    assert Emulated(leaf).rest_us() >= leaf.burst_bytes * 8 / 100


def test_the_process_that_ended_a_launch_is_named() -> None:
    members = [Member(0, "worker", "host1"), Member(1, "aggregator", "switch-agg")]
    # Seen from Open MPI 4.1.4.
    signalled = (
        "mpirun noticed that process rank 1 with PID 0 on node switch-agg exited on signal 9 "
        "(Killed)."
    )
    assert explain_end(["-----", signalled], members) == (
        "aggregator rank 1 (switch-agg) was ended by signal 9 (Killed)"
    )
    assert explain_end([signalled], []) == "rank 1 (switch-agg) was ended by signal 9 (Killed)"
    exited = [
        "The first process to do so was:",
        "",
        "  Process name: [[5401,1],0]",
        "  Exit code:    9",
    ]
    assert explain_end(exited, members) == "rank 0 (host1) ended with exit code 9"
    assert explain_end(["something else"], members) is None


def test_a_process_of_several_ranks_is_named_by_all() -> None:
    members = [Member(rank, "worker", f"host{rank // 2}") for rank in range(4)]
    signalled = "process rank 1 with PID 0 on node host1 exited on signal 11 (Segmentation fault)."
    named = "process 1 (ranks 2-3 on host1) was ended by signal 11 (Segmentation fault)"
    assert explain_end([signalled], members, threads=2) == named
    assert explain_end([signalled], [], threads=2) == named
    exited = "  Process name: [[5401,1],0]\n  Exit code:    9"
    assert explain_end([exited], members, threads=2) == (
        "process 0 (ranks 0-1 on host0) ended with exit code 9"
    )


def test_ucx_takes_the_emulated_link_and_nothing_else() -> None:
    spec = EmulationSpec(hosts=2)
    link = {"UCX_NET_DEVICES": "eth0"}
    assert ucx.common_environment(Emulated(spec), {}) == {**link, "UCX_TLS": "tcp,self"}
    assert ucx.common_environment(Emulated(spec, 2), {}) == link, "a host's ranks may share memory"
    chosen = ucx.common_environment(Emulated(spec), {"UCX_TLS": "tcp", "PATH": "x"})
    assert chosen == {**link, "UCX_TLS": "tcp"}
    assert ucx.common_environment(Local(2), {"UCX_TLS": "tcp"}) == {}
