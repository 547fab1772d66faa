"""Fabrics: what the hardware is, in one TOML file, with the source of each figure."""

from busbar.fabrics.load import emulated, for_run, from_emulation, load, names
from busbar.fabrics.model import Cut, Fabric, Limit, Port

__all__ = [
    "Cut",
    "Fabric",
    "Limit",
    "Port",
    "emulated",
    "for_run",
    "from_emulation",
    "load",
    "names",
]
