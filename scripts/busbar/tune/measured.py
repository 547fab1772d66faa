"""The points that tunings have measured, ready to be fitted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from busbar.errors import UsageError
from busbar.record.load import load
from busbar.record.models import PointKey, RunRecord
from busbar.tune.candidate import Candidate
from busbar.tune.files import Folder
from busbar.tune.predict import Measured
from busbar.tune.searched import Searched, read_searched
from busbar.tune.tuned import Tuned, load_tuned


@dataclass(frozen=True)
class Tuning:
    """What a tuning's folder holds."""

    path: Path
    tuned: Tuned
    searched: Searched
    proof: RunRecord | None
    """None where there was nothing to prove."""


def read_tuning(path: Path) -> Tuning:
    """From a folder. Raises UsageError for what is missing or cannot be read."""
    if not path.is_dir():
        raise UsageError(f"{path} is no folder; accepted is one that `busbar tune` has written.")
    folder = Folder(path)
    proof = load(folder.proof) if folder.proof.exists() else None
    return Tuning(path, load_tuned(folder.tuned), read_searched(folder.search), proof)


def what_of(key: PointKey) -> str:
    """What of a point its candidates' times depend on, besides size and ranks."""
    return " ".join(word for word in (key.op, key.datatype, key.redop) if word)


def measured_in(tuning: Tuning) -> list[Measured]:
    """A median of every candidate at every point, under the settings of processes that were kept.

    Where the proof has one as well, that counts: it is of fresh launches, and of several.
    """
    environment = Candidate.of(tuning.tuned.environment)
    found = {
        (one.key, candidate): estimate.median
        for one in tuning.searched.of(environment)
        for candidate in one.history.samples
        if (estimate := one.history.estimate(candidate)) is not None
    }
    if tuning.proof is not None:
        found |= dict(_proven(tuning.proof, environment))
    return [
        Measured(what_of(key), key.op, key.size_bytes, key.group.size(), candidate, time_us)
        for (key, candidate), time_us in found.items()
        if 0 < time_us < math.inf
    ]


def refuse_unlike(tunings: Sequence[Tuning]) -> None:
    """Raises UsageError where what was found by one says nothing of another."""
    first = tunings[0]
    for other in tunings[1:]:
        for name, own, its in (
            ("transport", first.tuned.made_for.transport, other.tuned.made_for.transport),
            ("target", first.tuned.made_for.on, other.tuned.made_for.on),
            ("versions", first.tuned.made_for.versions, other.tuned.made_for.versions),
            ("simulated fabric", _simulated_fabric(first), _simulated_fabric(other)),
            ("environment", first.tuned.environment, other.tuned.environment),
        ):
            if own != its:
                raise UsageError(
                    f"{first.path} and {other.path} differ in their {name} ({own} and {its}); "
                    "accepted are tunings that differ in operations, sizes and ranks only."
                )


def _simulated_fabric(tuning: Tuning) -> str | None:
    """Real hosts are told apart by their versions at most; of simulated ones the fabric is all."""
    made_for = tuning.tuned.made_for
    return made_for.fabric if made_for.simulated else None


def _proven(
    record: RunRecord, environment: Candidate
) -> Iterator[tuple[tuple[PointKey, Candidate], float]]:
    variants = {variant.name: variant for variant in record.run.plan.variants}
    for point in record.points:
        variant = variants.get(point.key.variant)
        if variant is None or point.time_us is None or point.status != "ok":
            continue
        if Candidate.of(variant.environment) == environment:
            key = point.key.planned().model_copy(update={"variant": "default"})
            yield (key, Candidate.of(variant.settings)), point.time_us.median
