"""The points of a record with the worst that is known of them, wherever the record says it.

A point states how it fared; so do its blocks, and problems under its key. Where they differ, that
counts which is worst: a status that somebody wrote over, or a problem left behind when its row went
away, is not forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator

from busbar.record.models import Point, PointStatus, Problem, RunRecord
from busbar.record.status import GRAVE, status_of


def standing(record: RunRecord) -> Iterator[Point]:
    """Every point with its status, and the reason of it."""
    measuring = {launch.id for launch in record.launches if launch.purpose == "measure"}
    problems: dict[object, list[Problem]] = {}
    for problem in record.problems:
        problems.setdefault(problem.key, []).append(problem)
    for point in record.points:
        # A visit that never answered is known by its planned key only.
        keys = dict.fromkeys((point.key, point.key.planned()))
        own = [problem for key in keys for problem in problems.get(key, [])]
        timed = [block for block in point.blocks if block.launch in measuring]
        status, reason = status_of(point.blocks, timed, own)
        if status != point.status and _rank(status) <= _rank(point.status):
            point = point.model_copy(update={"status": status, "reason": reason})
        yield point


def _rank(status: PointStatus) -> int:
    """Lower is worse."""
    return GRAVE.index(status) if status in GRAVE else len(GRAVE)


def without_point(record: RunRecord) -> Iterator[Problem]:
    """Problems that are of no point: they struck before any, or their point is not there."""
    known = {key for point in record.points for key in (point.key, point.key.planned())}
    return (problem for problem in record.problems if problem.key not in known)
