"""Records that somebody, or a mistake, changed after they were made: as JSON, and judged."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from busbar import fabrics
from busbar.check import CheckResult
from busbar.check import check as judge
from busbar.fabrics import Fabric
from busbar.record.models import RunRecord
from factories import MIB, Row, record_of

Document = dict[str, Any]

STAR = fabrics.load("emulated-4x400m")
GOOD = Row("send_recv", 4 * MIB, 0.985)
"""Passes."""


def document(rows: Iterable[Row] = (GOOD,), **fields: Any) -> Document:
    """A sound record as JSON; `fields` as `Example` has them."""
    made: Document = json.loads(record_of(rows, **fields).model_dump_json())
    return made


def judged(changed: Document, fabric: Fabric = STAR, **more: Any) -> CheckResult:
    """What a check says of it; `more` as it takes."""
    record = RunRecord.model_validate_json(json.dumps(changed))
    return judge(record, fabric, accept_fake=True, **more)
