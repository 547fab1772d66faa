"""A fabric to simulate, and what the lines of a platform say."""

from __future__ import annotations

from busbar.simulate.description import Platform

NETWORK = """
name = "net"
description = "two leaves"
kind = "network"
[hosts]
prefix = "h"
count = 4
egress_bps = { value = 80e9, source = "test" }
ingress_bps = { value = 40e9, source = "test" }
[leaves]
prefix = "leaf"
count = 2
egress_bps = { value = 16e9, source = "test" }
ingress_bps = { value = 16e9, source = "test" }
[protocol]
name = "half of it is headers"
payload_bytes = { value = 1, source = "test" }
wire_bytes = { value = 2, source = "test" }
[latency]
message_us = { value = 3.0, source = "test" }
[sweep]
min = "1K"
max = "1M"
factor = 2
"""


def links_of(platform: Platform) -> dict[str, tuple[float, float]]:
    """Bytes per second and seconds of latency, by name."""
    words = [line.split() for line in platform.lines if line.startswith("link ")]
    return {name: (float(rate), float(latency)) for _, name, _, rate, latency, _ in words}


def routes_of(platform: Platform) -> dict[tuple[str, str], str]:
    """Links of routes and shortcuts, by the names of their ends."""
    words = [line.split() for line in platform.lines if line.startswith(("route ", "shortcut "))]
    return {(source, target): links for _, _, source, target, _, _, links in words}
