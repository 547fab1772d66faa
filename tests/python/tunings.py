"""Tunings as a search may have found them, for tests of what is made out of them."""

from __future__ import annotations

from typing import Any

from busbar.tune.tuned import Choice, Cost, MadeFor, Tuned

MPI = "Open MPI v4.1.4"


def choice(op: str, size: int, settings: dict[str, str], **more: Any) -> Choice:
    return Choice(
        **{
            "op": op, "size_bytes": size, "datatype": "float", "redop": None, "weight": 1.0,
            "settings": settings, "tried": settings, "default_us": 10.0, "tuned_us": 9.0,
            "gain": 1.1, "gain_interval": (1.05, 1.15), "why": "it is made up", **more,
        }
    )  # fmt: skip


def made_for(transport: str = "mpi", **more: Any) -> MadeFor:
    versions = {"mpi": MPI} | {"nccl": {"nccl": "2.28.9"}, "ucx": {"ucx": "1.13.1"}}.get(
        transport, {}
    )
    return MadeFor(
        **{
            "transport": transport, "fabric": "a made-up fabric", "on": "local",
            "versions": versions, "nodes": 1, "ranks": 4, "fake": False,
            "made": "2026-01-01T00:00:00Z", **more,
        }
    )  # fmt: skip


def tuning(choices: list[Choice], environment: dict[str, str] | None = None, **where: Any) -> Tuned:
    return Tuned(
        made_for=made_for(**where),
        workload="a made-up workload",
        environment=environment or {},
        choices=choices,
        total_gain=1.1 if any(c.settings for c in choices) else None,
        total_gain_interval=None,
        cost=Cost(
            search_seconds=1.0, proof_seconds=1.0, candidates_measured=2, candidates=3,
            strategy="halving",
        ),
    )  # fmt: skip


def reduces(algorithm: str, **more: str) -> dict[str, str]:
    """Settings of an all_reduce with Open MPI."""
    name = "coll_tuned_allreduce_algorithm"
    return {name: algorithm} | {f"{name}_{key}": value for key, value in more.items()}
