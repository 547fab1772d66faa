"""Simulated fabrics of known links for the end-to-end tests, and runs on them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from busbar.record.models import Point, RunRecord
from commands import busbar, valid
from conftest import BIN

needs_simgrid = pytest.mark.skipif(
    shutil.which("smpirun") is None or not (BIN / "busbar-bench-sim.so").is_file(),
    reason="SimGrid (libsimgrid-dev) was not there when the engine was built",
)

RATE_BPS, MESSAGE_US = 400e9, 1.0
PER_US = RATE_BPS / 8e6
LARGE = 256 << 20
"""Bytes; without payload."""
_FABRIC = """
name = "sim"
description = "hosts with 400 Gbit/s each"
kind = "network"
[protocol]
name = "payload only"
payload_bytes = {{ value = 1, source = "test" }}
wire_bytes = {{ value = 1, source = "test" }}
[latency]
message_us = {{ value = {message_us}, source = "test" }}
[sweep]
min = "1K"
max = "256M"
factor = 4
[hosts]
prefix = "host"
count = {hosts}
egress_bps = {{ value = {rate}, source = "test" }}
ingress_bps = {{ value = {rate}, source = "test" }}
[in_network]
mechanism = "tree"
source = "test"
"""
_LEAVES = """
[leaves]
prefix = "leaf"
count = {leaves}
egress_bps = {{ value = {uplink}, source = "test" }}
ingress_bps = {{ value = {uplink}, source = "test" }}
"""


def fabric(folder: Path, hosts: int, leaves: int = 1, over: float = 1.0, more: str = "") -> None:
    """Write `sim.toml`: hosts on one switch, or on leaves oversubscribed that much.

    `more` begins inside of [in_network], and may go on with other tables.
    """
    text = _FABRIC.format(hosts=hosts, rate=RATE_BPS, message_us=MESSAGE_US) + more
    if leaves > 1:
        text += _LEAVES.format(leaves=leaves, uplink=hosts / leaves * RATE_BPS / over)
    (folder / "sim.toml").write_text(text)


def run(folder: Path, *words: str, name: str = "r.json") -> RunRecord:
    """The record of a run on `sim.toml`."""
    done = busbar(
        "run", *words, "--on", "simulated", "--fabric", "sim.toml", "--output", name, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return valid(folder / name)


def sizes(size: int) -> Sequence[str]:
    """The words for one size."""
    return ("-b", str(size), "-e", str(size))


def time_us(point: Point) -> float:
    """The one time that a point has."""
    assert point.time_us is not None
    return point.time_us.median
