"""The two levels together, on a bench whose time depends on what its processes were given."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from test_tune_search import Silent, new_journal, point

import planted
from busbar.tune.bench import Seen
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.find import Found, Means, find
from busbar.tune.journal import SearchJournal
from busbar.tune.points import TunePoint
from busbar.tune.search import PointSearch
from busbar.tune.space import PointSpace
from busbar.tune.strategies import STRATEGIES

EAGER, LINKS = "OMPI_MCA_btl_tcp_eager_limit", "OMPI_MCA_btl_tcp_links"
PROCESSES = PointSpace(
    (
        planted.setting(EAGER, ("16384", "65536", "262144"), scope="process", ordered=True),
        planted.setting(LINKS, ("1", "2", "4"), scope="process", ordered=True),
    )
)
FACTORS = {(EAGER, "262144"): 0.8, (LINKS, "2"): 0.9, (LINKS, "4"): 1.3}


class Launches:
    """Counts launches; each is a few per cent faster or slower than the others, as they are."""

    def __init__(self, factors: Mapping[tuple[str, str], float]) -> None:
        self.opened: list[dict[str, str]] = []
        self._factors = factors
        self._rng = random.Random(1)
        self._truth = planted.Planted(7, noise=0.02, outliers=0.0)

    @contextmanager
    def open_bench(self, environment: Mapping[str, str]) -> Iterator[Launches.One]:
        self.opened.append(dict(environment))
        factor = self._rng.uniform(0.98, 1.02)
        for pair in environment.items():
            factor *= self._factors.get(pair, 1.0)
        yield Launches.One(self._truth, factor)

    class One:
        def __init__(self, truth: planted.Planted, factor: float) -> None:
            self._truth, self._factor = truth, factor

        def measure(
            self, point: TunePoint, candidates: Sequence[Candidate], samples: int, seconds: float
        ) -> Seen:
            return Seen(
                {c: [self._factor * t for t in self._truth.measure(c, samples)] for c in candidates}
            )


def run(journal: SearchJournal, launches: Launches, *, seconds: float = 1e9) -> Found:
    searches = [PointSearch(point(), planted.SPACE, STRATEGIES["halving"])]
    means = Means(
        open_bench=launches.open_bench,
        journal=journal,
        watcher=Silent(),
        least_us=lambda _, __: None,
        budget_seconds=seconds,
        seed=1,
    )
    return find(searches, PROCESSES, True, means)


def test_the_best_environment_is_found_one_setting_after_another(tmp_path: Path) -> None:
    launches = Launches(FACTORS)
    with new_journal(tmp_path / "j") as journal:
        found = run(journal, launches)
    assert found.environment == Candidate.of({EAGER: "262144", LINKS: "2"})
    assert launches.opened[0] == {}
    # Winners are proven with it and without it, so that it can be judged alone.
    environments = [contest.environment for contest in found.contests()]
    assert environments == [DEFAULT, found.environment]


def test_no_environment_is_taken_where_none_helps(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        found = run(journal, Launches({}))
    assert found.environment == DEFAULT
    assert found.under_environment == []


def test_going_on_launches_only_what_is_missing(tmp_path: Path) -> None:
    first, again = Launches(FACTORS), Launches(FACTORS)
    with new_journal(tmp_path / "j") as journal:
        before = run(journal, first)
    with SearchJournal.reopen(tmp_path / "j") as journal:
        after = run(journal, again)
    assert after.environment == before.environment
    # A bench is opened for each stage, though nothing is asked of it: it starts when it is asked.
    assert len(again.opened) == 2


def test_without_budget_the_outer_level_is_not_begun(tmp_path: Path) -> None:
    launches = Launches(FACTORS)
    with new_journal(tmp_path / "j") as journal:
        found = run(journal, launches, seconds=1e-9)
    assert found.environment == DEFAULT
    assert launches.opened == [{}]
    assert found.searches[0].best() == DEFAULT


def test_an_even_workload_gives_every_point_the_same_share(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        found = run(journal, Launches({}))
    (one,) = found.searches
    estimate = one.history.estimate(DEFAULT)
    assert estimate is not None
    assert one.point.weight * estimate.median == 1.0
