"""What one rank of one communicator was seen to do, whatever library it called."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class What:
    """Executions that are alike to a workload."""

    op: str
    size_bytes: int
    """As nccl-tests counts it."""
    datatype: str
    redop: str | None


@dataclass
class Member:
    """One rank of one communicator, with its executions."""

    transport: str
    communicator: str
    """Which one; the same for all of its ranks."""
    rank: int
    ranks: int
    nodes: int | None
    """None where the line does not tell."""
    host: str
    pid: int
    executions: Counter[What] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    """Events that no operation of a workload stands for, by the reason."""
    remarks: Counter[str] = field(default_factory=Counter)
    """Events that are counted with a reservation, by the sentence that says which."""
