"""The search over points, on a bench of known cost: budget, pruning, failures, going on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import factories
import planted
from busbar.errors import UsageError
from busbar.tune.bench import Seen
from busbar.tune.budget import Budget
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.journal import Answer, SearchJournal, SystemLine
from busbar.tune.points import TunePoint
from busbar.tune.search import LeastUs, PointSearch, Surroundings, search
from busbar.tune.strategies import STRATEGIES

RING = Candidate.of({"algorithm": "ring", "protocol": "simple", "channels": "4"})


def point(size: int = 1 << 20) -> TunePoint:
    return TunePoint(factories.point_key("all_reduce", size).planned(), 1.0)


class Bench:
    """Takes as long as the planted truth says, on a clock of its own."""

    def __init__(self, fails: Callable[[Candidate], str | None] = lambda _: None) -> None:
        self.now_s = 0.0
        self.asked: list[tuple[TunePoint, tuple[Candidate, ...]]] = []
        self._truth: dict[TunePoint, planted.Planted] = {}
        self._fails = fails

    def measure(
        self, point: TunePoint, candidates: Sequence[Candidate], samples: int, seconds: float
    ) -> Seen:
        self.asked.append((point, tuple(candidates)))
        truth = self._truth.setdefault(
            point, planted.Planted(point.key.size_bytes, noise=0.02, outliers=0.0)
        )
        seen = Seen()
        for candidate in candidates:
            if (why := self._fails(candidate)) is not None:
                seen.failed[candidate] = why
                continue
            times = truth.measure(candidate, samples)
            self.now_s += sum(times) / 1e6
            seen.times_us[candidate] = times
        return seen


class Silent:
    def __init__(self) -> None:
        self.failures: list[str] = []

    def answered(self, search: PointSearch, budget: Budget) -> None:
        pass

    def failed(self, point: TunePoint, candidate: Candidate, why: str) -> None:
        self.failures.append(f"{candidate.name}: {why}")


def run(
    journal: SearchJournal,
    bench: Bench,
    *,
    seconds: float = 1e9,
    least_us: LeastUs = lambda _, __: None,
    sizes: Sequence[int] = (1 << 20,),
    watcher: Silent | None = None,
) -> list[PointSearch]:
    searches = [PointSearch(point(size), planted.SPACE, STRATEGIES["halving"]) for size in sizes]
    budget = Budget(seconds, journal.spent_seconds, clock=lambda: bench.now_s)
    here = Surroundings(bench, journal, budget, watcher or Silent(), {})
    search(searches, here, least_us=least_us, seed=1)
    return searches


def new_journal(path: Path) -> SearchJournal:
    return SearchJournal.create(path, ["tune"], "2026-01-01T00:00:00Z")


def test_each_point_finds_its_own_optimum(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        for one in run(journal, Bench(), sizes=(1 << 10, 1 << 20)):
            assert one.finished
            truth = planted.Planted(one.point.key.size_bytes)
            assert truth.share_of_optimum(one.best()) >= 0.98


def test_points_take_turns_so_that_a_short_budget_serves_all(tmp_path: Path) -> None:
    bench = Bench()
    with new_journal(tmp_path / "j") as journal:
        searches = run(journal, bench, seconds=0.05, sizes=(1 << 10, 1 << 15, 1 << 20))
    assert not any(one.finished for one in searches)
    turns = [asked for asked, _ in bench.asked]
    assert turns[:3] == [one.point for one in searches]
    longest = max(sum(160e-6 * 4 * 12 for _ in cs) for _, cs in bench.asked)
    assert bench.now_s <= 0.05 + longest


def test_what_theory_rules_out_is_never_measured(tmp_path: Path) -> None:
    bench = Bench()

    def least_us(_: TunePoint, candidate: Candidate) -> float | None:
        return 1e6 if candidate.settings.get("algorithm") == "nvls" else None

    with new_journal(tmp_path / "j") as journal:
        (one,) = run(journal, bench, least_us=least_us)
    measured = {c for _, candidates in bench.asked for c in candidates}
    assert not any(c.settings.get("algorithm") == "nvls" for c in measured)
    assert len(one.pruned) == len(planted.PROTOCOLS) * len(planted.CHANNELS)
    assert one.finished


def test_a_candidate_that_fails_is_named_and_never_chosen(tmp_path: Path) -> None:
    watcher = Silent()
    bench = Bench(lambda c: "3 wrong elements" if c.settings.get("protocol") == "ll" else None)
    with new_journal(tmp_path / "j") as journal:
        (one,) = run(journal, bench, watcher=watcher)
    assert one.best().settings.get("protocol") != "ll"
    assert len(one.failed) == len(planted.ALGORITHMS) * len(planted.CHANNELS)
    assert "3 wrong elements" in watcher.failures[0]


@pytest.mark.parametrize("name", STRATEGIES)
def test_where_nothing_varies_nobody_is_measured_twice(tmp_path: Path, name: str) -> None:
    class Exact(Bench):
        def measure(
            self, point: TunePoint, candidates: Sequence[Candidate], samples: int, seconds: float
        ) -> Seen:
            assert samples == 1
            self.asked.append((point, tuple(candidates)))
            truth = self._truth.setdefault(point, planted.Planted(7, noise=0.0, outliers=0.0))
            return Seen({c: truth.measure(c, 1) for c in candidates})

    bench = Exact()
    one = PointSearch(point(), planted.SPACE, STRATEGIES[name])
    with new_journal(tmp_path / "j") as journal:
        budget = Budget(1e9, clock=lambda: bench.now_s)
        here = Surroundings(bench, journal, budget, Silent(), {}, exact=True)
        search([one], here, least_us=lambda _, __: None, seed=1)
    assert one.finished
    asked = [c for _, candidates in bench.asked for c in candidates]
    assert len(asked) == len(set(asked))
    truth = planted.Planted(7, noise=0.0, outliers=0.0)
    assert truth.share_of_optimum(one.best()) >= (0.98 if name == "tpe" else 1.0)


def test_the_default_stays_where_nothing_is_surely_faster(tmp_path: Path) -> None:
    class Flat(Bench):
        def measure(
            self, point: TunePoint, candidates: Sequence[Candidate], samples: int, seconds: float
        ) -> Seen:
            return Seen({c: [100.0 + n % 3 for n in range(samples)] for c in candidates})

    with new_journal(tmp_path / "j") as journal:
        (one,) = run(journal, Flat())
    assert one.best() == DEFAULT


@pytest.mark.parametrize("torn", [False, True])
def test_going_on_measures_only_what_is_missing(tmp_path: Path, torn: bool) -> None:
    path, bench = tmp_path / "whole", Bench()
    with new_journal(path) as journal:
        whole = run(journal, bench)
    lines = path.read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut"
    cut.write_bytes(b"".join(lines[: len(lines) // 2]) + (lines[-1][:20] if torn else b""))
    again = Bench()
    with SearchJournal.reopen(cut) as journal:
        resumed = run(journal, again)
    # The first line is the journal's own; then the answers, which are not asked for again.
    assert again.asked[0] == bench.asked[len(lines) // 2 - 1]
    assert planted.Planted(1 << 20).share_of_optimum(resumed[0].best()) >= 0.98
    assert whole[0].finished and resumed[0].finished


def test_a_finished_search_is_not_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with new_journal(path) as journal:
        before = run(journal, Bench())
    silent = Bench()
    with SearchJournal.reopen(path) as journal:
        after = run(journal, silent)
    assert silent.asked == []
    assert [one.best() for one in after] == [one.best() for one in before]
    assert after[0].history.samples == before[0].history.samples


def test_another_system_is_refused(tmp_path: Path) -> None:
    system = SystemLine(fingerprint="aaaa", versions={}, nodes=4, fake=False)
    with new_journal(tmp_path / "j") as journal:
        journal.meet(system)
        journal.meet(system)
        with pytest.raises(UsageError, match="bbbb"):
            journal.meet(system.model_copy(update={"fingerprint": "bbbb"}))


def test_a_journal_that_answers_something_else_is_refused(tmp_path: Path) -> None:
    with new_journal(tmp_path / "j") as journal:
        journal.add(
            Answer(
                point=point().key, environment={}, samples=8, times_us={"a=1": [1.0] * 8},
                failed={}, seconds=1.0, spent_seconds=1.0,
            )
        )  # fmt: skip
    with (
        SearchJournal.reopen(tmp_path / "j") as journal,
        pytest.raises(UsageError, match="another version"),
    ):
        run(journal, Bench())


@pytest.mark.parametrize("text", ["", "nonsense\n", '{"type":"answer"}\n', "{}\n"])
def test_what_is_no_search_journal_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "j"
    path.write_text(text)
    with pytest.raises(UsageError, match="j"):
        SearchJournal.reopen(path)
