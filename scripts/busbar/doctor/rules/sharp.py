"""SHARP: reduction in InfiniBand switches, where it is there to be measured."""

from __future__ import annotations

from collections.abc import Iterator

from busbar.doctor.facts import HostFacts
from busbar.doctor.finding import Finding, Inapplicable, Said, Severity, Unchecked
from busbar.doctor.rules.check import Check, on_each_host

_GUIDE = "NVIDIA, SHARP deployment guide: sharp_am listens on TCP 6126"


def _manager(host: HostFacts) -> Iterator[Said]:
    sharp = host.sharp
    if sharp.manager is not None and not sharp.manager.reached:
        yield Finding(
            Severity.SPOILS,
            f"SHARP's aggregation manager {sharp.manager.address} is not reached: "
            f"{sharp.manager.why}",
            "Without it no tree is granted, and variants with SHARP fail or reduce in the hosts.",
            "Start sharp_am on the subnet manager's host, and let TCP 6126 pass.",
            _GUIDE,
        )
    if sharp.manager is not None:
        if sharp.library == "not installed":
            yield Finding(
                Severity.SPOILS,
                "libsharp_coll.so is not installed",
                "Neither NCCL's plugin nor MPI can ask for reduction in the network.",
                "Install HPC-X or DOCA's SHARP package.",
                _GUIDE,
            )
        elif sharp.library is None:
            yield Unchecked(host.why("libsharp_coll.so", "/lib"))
        return
    yield from _without_address(host)


def _without_address(host: HostFacts) -> Iterator[Said]:
    """Nobody asked for SHARP by naming its manager: only what is broken is told."""
    ports = [p for p in host.rdma_hardware() if p.link_layer in (None, "InfiniBand")]
    if host.has_rdma() is None:
        yield Unchecked(host.why("infiniband", "/ports"))
    elif not any(port.state in (None, "ACTIVE") for port in ports):
        yield Inapplicable("no active InfiniBand port")
    elif host.sharp.library == "not installed":
        yield Inapplicable("SHARP's library is not installed")
    elif host.sharp.library is None:
        yield Unchecked(host.why("libsharp_coll.so", "/lib"))
    elif host.sharp.hello is None:
        why = "sharp_hello is not installed; --sharp-manager HOST asks it too"
        yield Unchecked(f"aggregation manager: {why}")
    elif host.sharp.hello != "reached":
        yield Finding(
            Severity.DOUBTFUL,
            f"sharp_hello does not reach the aggregation manager: {host.sharp.hello}",
            "Variants with SHARP fail, or reduce in the hosts; others do not need it.",
            "Start sharp_am on the subnet manager's host, and let TCP 6126 pass.",
            _GUIDE,
        )


CHECKS: tuple[Check, ...] = (on_each_host("sharp", "In-network reduction", _manager),)
