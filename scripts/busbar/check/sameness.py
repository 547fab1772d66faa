"""Whether the launches of a point are repeats of one thing: the same ranks on the same system.

The launcher refuses to go on where they are not; what was imported, or put together by hand, has
seen no launcher.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from busbar.record.models import Launch, Point, RunRecord


class Sameness:
    """The launches of a record, by what they have in common."""

    def __init__(self, record: RunRecord) -> None:
        self._systems = len({segment.fingerprint for segment in record.run.segments})
        first: dict[tuple[str, str], int] = {}
        self._as_in = {
            launch.id: {
                what: first.setdefault((what, text), launch.id) for what, text in _facets(launch)
            }
            for launch in record.launches
        }
        """Per launch, the first one that is like it, in each respect."""

    def difference(self, point: Point) -> str:
        """One sentence that names a launch of the point that is unlike its first; else empty."""
        if self._systems > 1:
            return "The system changed between segments of the run: judge them apart."
        known = dict.fromkeys(b.launch for b in point.blocks if b.launch in self._as_in)
        used = list(known)
        for launch in used[1:]:
            for what, like in self._as_in[launch].items():
                if like != self._as_in[used[0]].get(what, like):
                    return (
                        f"Its launches are no repeats of one thing: launch {launch} has other "
                        f"{what} than launch {used[0]}; judge them apart, or measure again."
                    )
        return ""


def _facets(launch: Launch) -> Iterator[tuple[str, str]]:
    """What must not differ, in words and as text that tells it."""
    system = launch.system
    workers = sorted((p.rank, p.host) for p in launch.processes if p.role == "worker")
    yield "hosts for its ranks", json.dumps(workers)
    yield "hardware or systems on its hosts", _text(host.model_dump_json() for host in system.hosts)
    yield "GPUs", _text(gpu.model_dump_json() for gpu in system.gpus)
    known = {name: version for name, version in system.versions.items() if version is not None}
    yield "versions", json.dumps(known, sort_keys=True)
    if launch.purpose == "measure":  # observing takes settings of its own
        yield "settings", json.dumps(launch.settings, sort_keys=True)


def _text(parts: Iterator[str]) -> str:
    return "\n".join(sorted(parts))
