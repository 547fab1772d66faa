"""Output of other tools, and the records it becomes: what the tests of importing share."""

from __future__ import annotations

import hashlib
from pathlib import Path

from busbar.importers.detect import read
from busbar.importers.placing import GivenPlaces
from busbar.importers.printout import Source
from busbar.importers.to_record import Document, make_record
from busbar.record.models import Point, RunRecord

DATA = Path(__file__).parents[1] / "data" / "imports"
NOW = "2026-01-01T00:00:00.000Z"
FOUR = GivenPlaces(["host1", "host2", "host3", "host4"], 1)
PAIR = GivenPlaces(["host1", "host2"], 1)


def text_of(name: str) -> str:
    return (DATA / name).read_text(encoding="utf-8")


def record_of(*texts: str, op: str | None = None, given: GivenPlaces | None = None) -> RunRecord:
    documents = []
    for index, text in enumerate(texts):
        source = Source(f"file{index}.txt", text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        documents.append(Document(source, digest, read(source, op)))
    return make_record(documents, given, command=["busbar", "import"], fabric=None, now=NOW)


def point(record: RunRecord, size: int, *, in_place: bool = False) -> Point:
    (found,) = [p for p in record.points if (p.key.size_bytes, p.key.in_place) == (size, in_place)]
    return found
