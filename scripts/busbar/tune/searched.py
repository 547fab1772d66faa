"""What a search has seen, read back from its journal: the histories of its points."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from busbar.errors import UsageError
from busbar.record.models import PointKey
from busbar.tune.candidate import Candidate
from busbar.tune.history import History
from busbar.tune.journal import Answer, Header, Pruned, SystemLine, read_lines


@dataclass
class SearchedPoint:
    """The search for one point, in launches of one environment."""

    key: PointKey
    """Under the default."""
    history: History = field(default_factory=History)
    """Without what failed."""
    failed: dict[Candidate, str] = field(default_factory=dict)
    """Why it must not be used."""
    pruned: dict[Candidate, float] = field(default_factory=dict)
    """Microseconds that it cannot get below, by theory; it was not measured."""


@dataclass
class Searched:
    """A whole search."""

    command: list[str]
    points: dict[tuple[PointKey, Candidate], SearchedPoint] = field(default_factory=dict)
    """By point and environment, in the order in which they were first measured."""
    environments: History = field(default_factory=History)
    """What the whole workload takes in a launch, by environment."""
    failed_environments: dict[Candidate, str] = field(default_factory=dict)
    system: SystemLine | None = None

    def of(self, environment: Candidate) -> list[SearchedPoint]:
        """The points that were measured in launches of that environment."""
        return [one for (_, where), one in self.points.items() if where == environment]

    def _at(self, key: PointKey, environment: dict[str, str]) -> SearchedPoint:
        where = (key, Candidate.of(environment))
        return self.points.setdefault(where, SearchedPoint(key))


def read_searched(path: Path) -> Searched:
    """From the journal of a search. Raises UsageError if it cannot be read."""
    header, *lines = read_lines(path)
    assert isinstance(header, Header)  # read_lines looked
    found = Searched(header.command)
    try:
        for line in lines:
            if isinstance(line, Answer):
                _add(found, line)
            elif isinstance(line, Pruned):
                one = found._at(line.point, line.environment)
                one.pruned = {Candidate.named(name): us for name, us in line.least_us.items()}
            elif isinstance(line, SystemLine):
                found.system = line
    except ValueError as error:
        raise UsageError(f"{path}: {error}.") from None
    return found


def _add(found: Searched, answer: Answer) -> None:
    if answer.point is None:
        history, failed = found.environments, found.failed_environments
    else:
        one = found._at(answer.point, answer.environment)
        history, failed = one.history, one.failed
    failed |= {Candidate.named(name): why for name, why in answer.failed.items()}
    history.tell({Candidate.named(name): times for name, times in answer.times_us.items()})
    for candidate in failed:
        history.samples.pop(candidate, None)
