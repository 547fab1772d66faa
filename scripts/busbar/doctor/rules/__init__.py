"""All checks, in the order in which they are told."""

from __future__ import annotations

from busbar.doctor.rules import (
    cpu,
    gpu,
    load,
    memory,
    nic,
    pcie,
    roce,
    settings,
    sharp,
    versions,
)
from busbar.doctor.rules.check import Check

CHECKS: tuple[Check, ...] = (
    *load.CHECKS,
    *settings.CHECKS,
    *versions.CHECKS,
    *cpu.CHECKS,
    *memory.CHECKS,
    *pcie.CHECKS,
    *gpu.CHECKS,
    *nic.CHECKS,
    *roce.CHECKS,
    *sharp.CHECKS,
)
