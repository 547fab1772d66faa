"""Fabrics: what the hardware is, in one TOML file, with the source of each figure."""

from busbar.fabrics.counters import CounterLimit
from busbar.fabrics.emulation import emulated
from busbar.fabrics.load import load, names
from busbar.fabrics.model import Cut, Fabric, InNetwork, Limit, Port
from busbar.fabrics.runs import for_run, from_emulation

__all__ = [
    "CounterLimit",
    "Cut",
    "Fabric",
    "InNetwork",
    "Limit",
    "Port",
    "emulated",
    "for_run",
    "from_emulation",
    "load",
    "names",
]
