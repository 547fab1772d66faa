"""The verdicts as one JSON document, for whatever reads them next; its models are its schema.

`python -m busbar.check.verdict_json > results/schema/check-verdicts.schema.json` writes that anew.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any, Literal

from pydantic import Field

from busbar.check.result import CheckResult, RowResult
from busbar.check.sentence import OVERALL, verdict_sentence
from busbar.fabrics.model import Fabric
from busbar.record.base import Count, Interval, Model, Name
from busbar.record.models import PlannedPoint, PointKey, RunRecord

SCHEMA_VERSION = "1.1.0"


class JudgedRecord(Model):
    """The file that was judged."""

    file: Name
    """Its name, without folders."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    schema_version: Name
    run: Name
    """The run's id."""
    plan: str | None
    """Name of the plan; null for a sweep."""
    plan_sha256: str | None
    """Of what the plan's file said, in JSON; null for a sweep, and in older records."""
    emulated: bool
    simulated: bool
    fake: bool
    imported: bool
    scenario: str | None
    """What was made wrong with the network; null where nothing was."""
    background: str | None
    """What other traffic ran beside it; null where none is known of."""


class VerdictRow(Model):
    """The verdict on a row. Times in microseconds; what is not known is null, never 0."""

    label: Name
    verdict: Name
    """PASS, FAIL, UNSURE, MISSING, WRONG_DATA, HANG, IMPOSSIBLE, NOT_USED, WAIVED, UNJUDGED."""
    reason: str
    """Of a waiver: its evidence."""
    stage: str | None
    need: Literal["required", "optional", "waived"] | None
    """Null for what was measured beyond the plan."""
    key: PointKey | None
    """Null for what struck before any point."""
    median_us: float | None
    ci95_us: Interval | None
    bound_us: float | None
    cut: str | None
    """What sets the bound."""
    share_of_bound: float | None
    share_ci95: tuple[float, float | None] | None = Field(strict=False)
    """The upper limit is null where the interval of the time reaches zero."""
    limit: float | None
    limit_of: Literal["bound", "expected"]
    """What the limit is a share of."""
    expected_us: float | None
    """Known only where the limit is of it."""


class Verdicts(Model):
    """What a record was found to be."""

    schema_version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    title: Name
    record: JudgedRecord
    fabric: Name
    fabric_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of all that it says, limits of the site included, in JSON."""
    verdict: Literal["HOLDS", "DOES NOT HOLD", "INCOMPLETE", "HANG"]
    exit_code: Count
    sentence: Name
    counts: dict[str, Count]
    """Rows by verdict, those of pairs and counters included."""
    findings: list[str]
    notes: list[str]
    rows: list[VerdictRow]
    pairs: list[VerdictRow]
    """What pairs say of each host, and of leaves and paths."""
    counters: list[VerdictRow]
    """One for each counter that the fabric limits."""
    settle: list[str]
    """Commands that together measure what is unsure or missing."""


def verdicts_of(
    result: CheckResult, record: RunRecord, fabric: Fabric, file: str, sha256: str
) -> Verdicts:
    """The document."""
    run = record.run
    planned = {row.key: row for row in run.plan.rows}
    every = [row.verdict.value for row in result.every()]
    overall = OVERALL[result.exit_code]
    return Verdicts.model_validate({
        "schema_version": SCHEMA_VERSION,
        "title": result.title,
        "record": JudgedRecord(
            file=file, sha256=sha256, schema_version=record.schema_version, run=run.id,
            plan=run.plan.name, plan_sha256=run.plan.sha256, emulated=run.emulated,
            simulated=run.simulated, fake=run.fake, imported=run.imported is not None,
            scenario=run.scenario, background=run.background,
        ),
        "fabric": fabric.name,
        "fabric_sha256": fabric_sha256(fabric),
        "verdict": overall,
        "exit_code": int(result.exit_code),
        "sentence": verdict_sentence(result),
        "counts": {verdict: every.count(verdict) for verdict in dict.fromkeys(every)},
        "findings": list(result.findings),
        "notes": list(result.notes),
        "rows": [_row(row, planned) for row in result.rows],
        "pairs": [_row(row, planned) for row in result.pairs],
        "counters": [_row(row, planned) for row in result.counters],
        "settle": list(result.settle),
    })  # fmt: skip


def verdicts_text(verdicts: Verdicts) -> str:
    """The document as it is written."""
    return verdicts.model_dump_json(indent=1) + "\n"


def fabric_sha256(fabric: Fabric) -> str:
    """Of all that a fabric says, limits of a site included, in JSON: equal where verdicts are held
    against the same."""
    return hashlib.sha256(fabric.model_dump_json(by_alias=True).encode()).hexdigest()


def _row(row: RowResult, planned: dict[PointKey, PlannedPoint]) -> VerdictRow:
    own = planned.get(row.key.planned()) if row.key is not None else None
    share = row.fraction_ci95
    return VerdictRow(
        label=row.label,
        verdict=row.verdict.value,
        reason=row.reason,
        stage=own.stage if own else None,
        need=own.need if own else None,
        key=row.key,
        median_us=row.median_us,
        ci95_us=row.ci95_us,
        bound_us=row.bound.time_us if row.bound else None,
        cut=row.bound.cut if row.bound else None,
        share_of_bound=row.fraction,
        share_ci95=None if share is None else (share[0], _finite(share[1])),
        limit=row.limit,
        limit_of=row.limit_of,
        expected_us=row.expected.time_us if row.expected else None,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def schema_text() -> str:
    """The schema as it is kept in `results/schema/`: JSON Schema, draft 2020-12."""
    body = Verdicts.model_json_schema(mode="validation")
    document: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Busbar verdicts {SCHEMA_VERSION}",
        **{key: value for key, value in body.items() if key != "title"},
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
