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
    if host.sharp.library == "not installed":
        yield Inapplicable("SHARP's library is not installed")
    elif host.sharp.library is None:
        yield Unchecked(host.why("libsharp_coll.so", "/lib"))
    elif host.sharp.hello is None:
        yield Unchecked(
            f"aggregation manager: {host.why('sharp_hello')}; --sharp-manager HOST:6126 asks it"
        )


CHECKS: tuple[Check, ...] = (on_each_host("sharp", "In-network reduction", _manager),)
