"""Predictions: a planted latency and bandwidth is found again, and doubt is where lines cross."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tuned_folders import ALGORITHM, FolderSpec, write_folder

from busbar import cli
from busbar.theory.least import _SHARES
from busbar.theory.scaling import growth
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.naming import algorithm_of, spoken
from busbar.tune.predict import FAR, Measured, Predictor, fit
from busbar.tune.space import load_space
from busbar.tune.teach import Spot, lesson, most_worth

RING, DOUBLING = (Candidate.of({ALGORITHM: value}) for value in ("4", "3"))
KNOWN = {("all_reduce", RING): "ring", ("all_reduce", DOUBLING): "recursive doubling"}
SIZES = [1 << k for k in range(12, 25, 2)]


def measured(
    candidate: Candidate,
    step_us: float,
    us_per_byte: float,
    *,
    ranks: tuple[int, ...] = (4,),
    noise: float = 0.0,
    seed: int = 1,
    sizes: list[int] = SIZES,
) -> list[Measured]:
    """What theory's model of the candidate's algorithm would take, with some noise."""
    rng = random.Random(seed)
    found = []
    for count in ranks:
        algorithm = KNOWN.get(("all_reduce", candidate))
        takes = growth("all_reduce", algorithm, count) if algorithm else None
        messages, share = (takes.messages, takes.bytes_share) if takes else (1.0, 1.0)
        for size in sizes:
            time = (step_us * messages + us_per_byte * share * size) * math.exp(rng.gauss(0, noise))
            found.append(Measured("all_reduce", "all_reduce", size, count, candidate, time))
    return found


def time_of(predictor: Predictor, candidate: Candidate, size: int, ranks: int = 4) -> float:
    (found,) = predictor.expect("all_reduce", size, ranks, {candidate})
    return found.time_us


@settings(max_examples=30)
@given(
    step_us=st.floats(1.0, 1e3),
    us_per_byte=st.floats(1e-4, 1e-1),
    candidate=st.sampled_from([RING, DOUBLING, DEFAULT]),
)
def test_a_planted_truth_is_found_again(
    step_us: float, us_per_byte: float, candidate: Candidate
) -> None:
    """The noise is the same in every example: a search for the worst one would find it."""
    fits = [
        fit(measured(candidate, step_us, us_per_byte, noise=0.05, seed=seed), KNOWN)
        for seed in range(20)
    ]
    squares = []
    for one in measured(candidate, step_us, us_per_byte):
        ratios = [time_of(p, candidate, one.size_bytes) / one.time_us for p in fits]
        assert fmean(ratios) == pytest.approx(1, abs=0.04)  # 0.05 / sqrt(20) is 1.1 %
        squares += [(ratio - 1) ** 2 for ratio in ratios]
    # Two constants out of seven points with 5 % noise each: 0.05 * sqrt(2 / 7) is 2.7 %.
    assert math.sqrt(fmean(squares)) < 0.035


@given(step_us=st.floats(1.0, 1e3), us_per_byte=st.floats(1e-4, 1e-1))
def test_without_noise_other_numbers_of_ranks_follow(step_us: float, us_per_byte: float) -> None:
    for candidate in (RING, DOUBLING):
        predictor = fit(measured(candidate, step_us, us_per_byte), KNOWN)
        for one in measured(candidate, step_us, us_per_byte, ranks=(2, 8, 64)):
            found = time_of(predictor, candidate, one.size_bytes, one.ranks)
            assert found == pytest.approx(one.time_us, rel=1e-6)


def test_intervals_hold_new_measurements_as_often_as_they_say() -> None:
    inside = 0
    for seed in range(300):
        (found,) = fit(measured(RING, 50, 0.01, noise=0.05, seed=seed), KNOWN).expect(
            "all_reduce", 1 << 17, 4
        )
        (fresh,) = measured(RING, 50, 0.01, noise=0.05, seed=-seed - 1, sizes=[1 << 17])
        assert found.interval is not None
        inside += found.interval[0] <= fresh.time_us <= found.interval[1]
    assert 0.92 <= inside / 300 <= 0.98


@given(
    times=st.lists(st.floats(1.0, 1e6), min_size=2, max_size=8),
    sizes=st.lists(st.integers(1, 1 << 32), min_size=2, max_size=20),
)
def test_no_prediction_falls_with_the_size(times: list[float], sizes: list[int]) -> None:
    points = [
        Measured("all_reduce", "all_reduce", 4096 << n, 4, RING, time)
        for n, time in enumerate(times)
    ]
    predictor = fit(points, KNOWN)
    predicted = [time_of(predictor, RING, size) for size in sorted(sizes)]
    assert predicted == sorted(predicted)
    assert all(math.isfinite(time) and time > 0 for time in predicted)


@given(size=st.integers(1, 1 << 40), ranks=st.integers(2, 64))
def test_nothing_is_claimed_beyond_the_data(size: int, ranks: int) -> None:
    predictor = fit(measured(RING, 50, 0.01, noise=0.01), KNOWN)
    (found,) = predictor.expect("all_reduce", size, ranks)
    within = SIZES[0] / FAR <= size <= SIZES[-1] * FAR
    assert found.extrapolated == (ranks != 4 or not within)


def test_what_theory_does_not_know_is_known_for_its_own_ranks_only() -> None:
    predictor = fit(measured(DEFAULT, 50, 0.01, ranks=(4, 8)), KNOWN)
    assert len(predictor.lines) == 2
    assert len(predictor.expect("all_reduce", 1 << 20, 8)) == 1
    assert predictor.expect("all_reduce", 1 << 20, 16) == []


def test_several_numbers_of_ranks_make_one_line_where_theory_knows() -> None:
    predictor = fit(measured(RING, 50, 0.01, ranks=(4, 8), noise=0.02), KNOWN)
    (line,) = predictor.lines
    assert line.ranks == {4, 8}
    assert line.step_us == pytest.approx(50, rel=0.1)


def test_one_size_makes_no_line_and_two_no_interval() -> None:
    assert fit(measured(RING, 50, 0.01, sizes=[1 << 20]), KNOWN).lines == ()
    predictor = fit(measured(RING, 50, 0.01, sizes=[1 << 16, 1 << 20]), KNOWN)
    (found,) = predictor.expect("all_reduce", 1 << 18, 4)
    assert found.interval is None
    # Others of the same operation say how far a line can be trusted there.
    both = fit(
        measured(RING, 50, 0.01, sizes=[1 << 16, 1 << 20])
        + measured(DEFAULT, 60, 0.02, noise=0.05),
        KNOWN,
    )
    (found,) = both.expect("all_reduce", 1 << 18, 4, {RING})
    assert found.interval is not None


def test_an_operation_without_bytes_has_its_latency() -> None:
    points = [Measured("barrier", "barrier", 0, n, RING, 10.0 * 2 * (n - 1)) for n in (4, 8)]
    predictor = fit(points, {("barrier", RING): "linear"})
    (found,) = predictor.expect("barrier", 0, 16)
    assert found.time_us == pytest.approx(300)


@given(crossing=st.sampled_from(SIZES[1:-1]), seed=st.integers(0, 1000))
def test_measuring_teaches_most_where_two_lines_cross(crossing: int, seed: int) -> None:
    at_four = growth("all_reduce", "ring", 4), growth("all_reduce", "recursive doubling", 4)
    assert at_four[0] is not None and at_four[1] is not None
    rate = 0.01
    more = rate * (at_four[1].bytes_share - at_four[0].bytes_share) * crossing
    step = more / (at_four[0].messages - at_four[1].messages)
    points = [
        one
        for candidate in (RING, DOUBLING)
        for one in measured(candidate, step, rate, noise=0.01, seed=seed)
    ]
    predictor = fit(points, KNOWN)
    spots = [
        Spot("all_reduce", size, 4, tuple(predictor.expect("all_reduce", size, 4)))
        for size in SIZES
    ]
    first = most_worth(spots, 3)[0]
    assert first.spot.size_bytes == crossing
    assert {first.winner.candidate, first.rival.candidate} == {RING, DOUBLING}
    assert 0.05 < first.chance <= 0.5 and 0 < first.worth < first.saved < 1


def test_lessons_are_of_different_questions_and_the_largest_comes_first() -> None:
    points = [
        one
        for n, candidate in enumerate([DEFAULT, RING, DOUBLING])
        for one in measured(candidate, 30, 0.01, noise=0.05, seed=n)
    ]
    predictor = fit(points, KNOWN)
    spots = [
        Spot("all_reduce", size, ranks, tuple(predictor.expect("all_reduce", size, ranks)))
        for size in SIZES
        for ranks in (4, 8)
    ]
    lessons = most_worth(spots, 5)
    assert [one.worth for one in lessons] == sorted((one.worth for one in lessons), reverse=True)
    asked = {(o.spot.ranks, frozenset((o.winner.candidate, o.rival.candidate))) for o in lessons}
    assert len(asked) == len(lessons)


def test_a_winner_without_rival_or_interval_teaches_nothing() -> None:
    alone = fit(measured(RING, 50, 0.01, noise=0.05), KNOWN).expect("all_reduce", 1 << 20, 4)
    assert lesson(Spot("all_reduce", 1 << 20, 4, tuple(alone))) is None
    assert lesson(Spot("all_reduce", 1 << 20, 4, ())) is None
    sure = fit(
        measured(RING, 50, 0.01, noise=0.01) + measured(DEFAULT, 500, 0.1, noise=0.01), KNOWN
    ).expect("all_reduce", 1 << 20, 4)
    assert len(sure) == 2 and lesson(Spot("all_reduce", 1 << 20, 4, tuple(sure))) is None


@pytest.mark.parametrize("ranks", [2, 3, 4, 5, 8, 12, 16, 100])
def test_growth_is_never_below_the_least_that_theory_allows(ranks: int) -> None:
    for setting in load_space("mpi").setting:
        for op in setting.ops:
            for value in setting.values:
                takes = growth(op, value.label, ranks)
                if takes is not None and value.model in _SHARES.get(op, {}):
                    least = _SHARES[op][value.model or ""](ranks)
                    assert takes.bytes_share >= least - 1e-9, (op, value.label)


def test_candidates_are_called_as_their_library_calls_them() -> None:
    space = load_space("mpi").of_calls("all_reduce", 4)
    segmented = Candidate.of({ALGORITHM: "5", f"{ALGORITHM}_segmentsize": "65536"})
    assert [spoken(space, c) for c in (DEFAULT, RING, segmented)] == [
        "default", "ring", "segmented ring, segment 64K",
    ]  # fmt: skip
    assert algorithm_of(space, "all_reduce", RING) == "ring"
    assert algorithm_of(space, "all_reduce", segmented) is None  # its model alone would say ring
    assert algorithm_of(space, "all_reduce", DEFAULT) is None


@given(
    st.dictionaries(
        st.text("abcdefghij_ABC", min_size=1), st.text("abc:0123456789,=", min_size=0), max_size=4
    )
)
def test_a_candidates_name_is_read_back(values: dict[str, str]) -> None:
    candidate = Candidate.of(values)
    assert Candidate.named(candidate.name) == candidate


# The command.


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli.run_command_line(["predict", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_says_what_to_expect_and_what_to_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "found", FolderSpec())
    code, out, _ = run([str(folder), "-b", "16K", "-e", "64M", "-f", "4"], capsys)
    assert code == 0
    basis = {
        line.split()[3]: line.split()[-2]
        for line in out.splitlines()
        if line.startswith("│ all_reduce")
    }
    assert basis == {
        "16K": "fit",
        "64K": "measured",
        "256K": "measured",
        "1M": "measured",
        "4M": "measured",
        "16M": "fit",
        "64M": "extrapolated",
    }
    words = [line.split() for line in out.splitlines() if line.strip().startswith("busbar tune")]
    assert 1 <= len(words) <= 3
    assert all(line[2].startswith("all_") and "--hosts" in line for line in words)


def test_the_command_marks_other_ranks_and_says_what_theory_does_not_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "found", FolderSpec())
    code, out, _ = run([str(folder), "--ranks", "6,8"], capsys)
    assert code == 0
    rows = [line for line in out.splitlines() if line.startswith("│ all_reduce")]
    assert rows and all("extrapolated" in line for line in rows)
    assert "the default, which may change its algorithm, is not among them" in " ".join(out.split())


def test_folders_are_read_together_only_if_they_are_alike(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write_folder(tmp_path / "one", FolderSpec())
    more = write_folder(tmp_path / "more", FolderSpec(ranks=8))
    code, out, _ = run([str(one), str(more), "--ranks", "8"], capsys)
    assert code == 0 and "measured" in out
    other = write_folder(tmp_path / "other", FolderSpec())
    document = json.loads((other / "tuned.json").read_text())
    document["made_for"]["versions"] = {"mpi": "Open MPI v5.0.0"}
    (other / "tuned.json").write_text(json.dumps(document))
    code, _, said = run([str(one), str(other)], capsys)
    assert code == 2 and "versions" in said and said.count("\n") == 1


def test_simulated_folders_are_marked_and_read_together_only_of_one_fabric(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write_folder(tmp_path / "one", FolderSpec(on="simulated"))
    code, out, _ = run([str(one), "-b", "16K", "-e", "64M", "-f", "4"], capsys)
    assert code == 0 and out.startswith("simulated: the hosts do not exist")
    assert "--on simulated --nodes 4" in out
    other = write_folder(tmp_path / "other", FolderSpec(on="simulated"))
    document = json.loads((other / "tuned.json").read_text())
    document["made_for"]["fabric"] = "another-fabric"
    (other / "tuned.json").write_text(json.dumps(document))
    code, _, said = run([str(one), str(other)], capsys)
    assert code == 2 and "differ in their simulated fabric" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [(["nowhere"], "nowhere"), (["FOLDER", "--ranks", "x"], "--ranks x")],
)
def test_wrong_input_is_named(
    arguments: list[str], culprit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(tmp_path / "found", FolderSpec())
    words = [str(folder) if word == "FOLDER" else word for word in arguments]
    code, _, said = run(words, capsys)
    assert code == 2 and culprit in said and said.count("\n") == 1
