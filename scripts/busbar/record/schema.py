"""The JSON Schema of the run record, generated from the data models.

`python -m busbar.record.schema > results/schema/run-record.schema.json` writes it anew.
"""

from __future__ import annotations

import json
from typing import Any

from busbar.record.models import SCHEMA_VERSION, RunRecord


def schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12."""
    body = RunRecord.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Busbar run record {SCHEMA_VERSION}",
        **{key: value for key, value in body.items() if key != "title"},
    }


def schema_text() -> str:
    """The schema as it is kept in `results/schema/`."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
