"""A visit as the engine is asked for it. See `results/README.md`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from busbar.errors import UsageError
from busbar.record.models import Plan, PointKey, Stopping, Variant, Warmup


@dataclass(frozen=True)
class Manner:
    """How a visit measures."""

    stopping: Stopping
    warmup: Warmup
    rest_us: float
    deadline_seconds: float

    @classmethod
    def of(cls, plan: Plan) -> Manner:
        """How a plan wants it. Raises UsageError for an imported one, which does not say."""
        if (
            plan.stopping is None
            or plan.warmup is None
            or plan.rest_us is None
            or plan.deadline_seconds is None
        ):
            raise UsageError("an imported run does not say how it was measured: start a new run.")
        return cls(plan.stopping, plan.warmup, plan.rest_us, plan.deadline_seconds)


def visit_request(
    key: PointKey,
    variants: Sequence[Variant],
    manner: Manner,
    *,
    round_number: int,
    seed: int,
    payload: bool = True,
) -> dict[str, Any]:
    """One visit of a point under these variants, which take turns."""
    # Not said where it goes without saying: real launches accept nothing else.
    hollow = {} if payload else {"payload": False}
    return hollow | {
        "type": "visit",
        "request": 0,
        "round": round_number,
        "seed": seed,
        "point": {
            "op": key.op,
            "size_bytes": key.size_bytes,
            "datatype": key.datatype,
            "redop": key.redop,
            "root": key.root,
            "in_place": key.in_place,
            "timing": key.timing,
            "graph": key.graph,
            "registration": key.registration,
            "group": key.group.model_dump(include={"name", "ranks", "split", "parts"}),
        },
        "variants": [{"name": v.name, "settings": v.settings} for v in variants],
        "stopping": manner.stopping.model_dump(),
        "warmup": manner.warmup.model_dump(),
        "rest_us": manner.rest_us,
        "deadline_seconds": manner.deadline_seconds,
    }


def seed_of(*parts: object) -> int:
    """The same for the same parts on every machine; data and order of a visit follow from it."""
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big")
