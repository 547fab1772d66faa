"""Vendors' claims: their files, and what made-up records say of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from busbar import fabrics
from busbar.claims.judge import EXIT_CODES, ClaimResult, Measured, Outcome, judge
from busbar.claims.model import CLAIMS, Claim
from busbar.claims.ratio import ratio_of_independent
from busbar.cli import run_command_line
from busbar.documents import parse
from busbar.errors import UsageError
from busbar.record.journal import write_record
from busbar.record.models import RunRecord
from factories import IN_NETWORK, KIB, MIB, Row, record_of

FABRIC = fabrics.load("emulated-4x400m")
ALL_REDUCE = {"operations": ["all_reduce"], "from": "1M", "least_nodes": 4}


def _claim(figure: dict[str, Any], **scenario: Any) -> Claim:
    return Claim.model_validate({
        "name": "it", "claim": "it is fast", "source": "a test", "how": "measure",
        "scenario": ALL_REDUCE | scenario, "figure": [figure],
    })  # fmt: skip


def _judge(claim: Claim, *records: RunRecord, fabric: bool = True) -> ClaimResult:
    measured = [
        Measured(f"{n}.json", record, FABRIC if fabric else None)
        for n, record in enumerate(records, start=1)
    ]
    return judge(claim, measured, accept_fake=True)


def _outcome(claim: Claim, *records: RunRecord, fabric: bool = True) -> Outcome:
    return _judge(claim, *records, fabric=fabric).outcome


# The files.


def test_every_claim_that_is_shipped_can_be_read_and_names_its_source() -> None:
    assert len(CLAIMS.names()) >= 4
    for name in CLAIMS.names():
        claim = CLAIMS.load(name)
        assert claim.name == name
        assert len(claim.source) > 20


@pytest.mark.parametrize("name", CLAIMS.names())
@pytest.mark.parametrize("path", [(), ("scenario",), ("figure", 0)])
def test_an_unknown_key_is_refused(name: str, path: tuple[Any, ...], tmp_path: Path) -> None:
    text = (CLAIMS.folder / f"{name}.toml").read_text()
    heads = {(): "name =", ("scenario",): "[scenario]", ("figure", 0): "[[figure]]"}
    head = heads[path]
    place = text.index(head) if path == () else text.index(head) + len(head)
    broken = f'{text[:place]}\ncolour = "blue"\n{text[place:]}'
    tomllib.loads(broken)
    with pytest.raises(UsageError, match="colour"):
        parse(Claim, broken, "own.toml")


@pytest.mark.parametrize(
    ("figure", "culprit"),
    [
        ({"compare": "in_network", "at_least": 2.0}, "baseline"),
        ({"compare": "bound", "at_least": 0.9, "baseline": "x"}, "baseline"),
        ({"compare": "bound", "at_least": 1.2}, "above the bound"),
        ({"compare": "guess", "at_least": 1.2}, "guess"),
        ({"compare": "records", "at_least": 0.0}, "at_least"),
    ],
)
def test_a_figure_that_means_nothing_is_named(figure: dict[str, Any], culprit: str) -> None:
    lines = "\n".join(f"{k} = {v!r}" for k, v in figure.items())
    text = 'name="a"\nclaim="a"\nsource="a"\nhow="a"\n[scenario]\noperations=["all_reduce"]\n'
    with pytest.raises(UsageError, match=culprit):
        parse(Claim, f"{text}[[figure]]\n{lines}", "own.toml")


# In the network: 1.5 times is what four hosts allow.


def _in_network(efficiency: float, **more: Any) -> RunRecord:
    """Hosts at 97 % of their bound, and the tree at a share of its own."""
    rows = [
        Row("all_reduce", size, variant=variant, **(more if variant == IN_NETWORK else {}),
            efficiency=efficiency if variant == IN_NETWORK else 0.97)
        for size in (MIB, 4 * MIB)
        for variant in ("default", "ring", IN_NETWORK)
    ]  # fmt: skip
    return record_of(rows)


GAIN = {"compare": "in_network", "baseline": "best", "at_least": 1.4}


@pytest.mark.parametrize(
    ("efficiency", "more", "outcome"),
    [
        (0.97, {}, Outcome.HOLDS),
        (0.80, {}, Outcome.DOES_NOT_HOLD),
        (0.905, {"spread": 0.05}, Outcome.UNSURE),
        (0.97, {"launches": 1}, Outcome.UNSURE),
        (0.97, {"wrong_elements": 1}, Outcome.DOES_NOT_HOLD),
        (0.97, {"hang": True}, Outcome.DOES_NOT_HOLD),
        (0.97, {"spoiled": 5}, Outcome.UNSURE),
        (0.97, {"wire_share": 1.5}, Outcome.UNSURE),  # hosts did it
    ],
)
def test_a_gain_in_the_network_is_told_by_its_interval(
    efficiency: float, more: dict[str, Any], outcome: Outcome
) -> None:
    assert _outcome(_claim(GAIN), _in_network(efficiency, **more)) is outcome


def test_every_size_has_to_hold() -> None:
    rows = [
        Row("all_reduce", size, efficiency, variant)
        for size, efficiency in ((MIB, 0.97), (4 * MIB, 0.7))
        for variant in ("default", IN_NETWORK)
    ]
    rows = [Row(r.op, r.size_bytes, 0.97 if r.variant == "default" else r.efficiency, r.variant)
            for r in rows]  # fmt: skip
    result = _judge(_claim(GAIN), record_of(rows))
    assert {one.outcome for one in result.tested} == {Outcome.HOLDS, Outcome.DOES_NOT_HOLD}
    assert result.outcome is Outcome.DOES_NOT_HOLD
    # Beyond the sizes of the claim nothing counts.
    assert _outcome(_claim(GAIN, to="1M"), record_of(rows)) is Outcome.HOLDS


@pytest.mark.parametrize(
    "scenario",
    [
        {"least_nodes": 10}, {"least_ranks": 5}, {"from": "64M"}, {"operations": ["reduce"]},
        {"transports": ["nccl"]}, {"background": True}, {"scenario": "link loss"},
    ],
)  # fmt: skip
def test_a_record_without_the_scenario_tests_nothing(scenario: dict[str, Any]) -> None:
    result = _judge(_claim(GAIN, **scenario), _in_network(0.97))
    assert result.outcome is Outcome.NOT_TESTED
    (sentence,) = result.missing
    assert sentence.startswith("1.json")
    assert EXIT_CODES[result.outcome] == 3


# Shares of the bound, and two variants.

TUNED = {"compare": "variants", "variant": "ring", "baseline": "default", "at_least": 1.5}


@pytest.mark.parametrize(
    ("share", "outcome"), [(0.97, Outcome.HOLDS), (0.9, Outcome.DOES_NOT_HOLD)]
)
def test_a_share_of_the_bound(share: float, outcome: Outcome) -> None:
    claim = _claim({"compare": "bound", "variant": "ring", "at_least": 0.95})
    record = record_of([Row("all_reduce", 4 * MIB, share, "ring"), Row("all_reduce", 4 * MIB)])
    assert _outcome(claim, record) is outcome
    # Without a fabric there is no bound, and that is said.
    result = _judge(claim, record, fabric=False)
    assert result.outcome is Outcome.NOT_TESTED
    assert "--fabric" in result.missing[0]


def test_faster_than_physics_proves_no_claim() -> None:
    claim = _claim({"compare": "bound", "variant": "ring", "at_least": 0.95})
    record = record_of([Row("all_reduce", 4 * MIB, 1.3, "ring")])
    assert _outcome(claim, record) is Outcome.UNSURE


@pytest.mark.parametrize(("slow", "outcome"), [(0.5, Outcome.HOLDS), (0.8, Outcome.DOES_NOT_HOLD)])
def test_one_variant_over_another(slow: float, outcome: Outcome) -> None:
    rows = [Row("all_reduce", 4 * MIB, slow), Row("all_reduce", 4 * MIB, 0.97, "ring")]
    assert _outcome(_claim(TUNED), record_of(rows)) is outcome
    assert _outcome(_claim(TUNED), record_of(rows[:1])) is Outcome.NOT_TESTED


def test_wrong_data_under_the_claimed_variant_is_the_worst() -> None:
    rows = [Row("all_reduce", 4 * MIB, 0.4), Row("all_reduce", 4 * MIB, 0.97, "ring",
            wrong_elements=1)]  # fmt: skip
    assert _outcome(_claim(TUNED), record_of(rows)) is Outcome.DOES_NOT_HOLD


def test_all_figures_of_a_claim_have_to_be_tested() -> None:
    one = _claim(TUNED)
    both = one.model_copy(
        update={"figure": [*one.figure, *_claim({"compare": "bound", "at_least": 0.9}).figure]}
    )
    rows = [Row("all_reduce", 4 * MIB, 0.5), Row("all_reduce", 4 * MIB, 0.97, "ring")]
    assert _outcome(both, record_of(rows)) is Outcome.DOES_NOT_HOLD  # the default is at 50 %
    assert _outcome(both, record_of(rows), fabric=False) is Outcome.NOT_TESTED


# Two records.

NOISY = {"compare": "records", "at_least": 2.0}


def _noisy(efficiency: float, **overrides: Any) -> RunRecord:
    told = {"background": "all_to_all on the other hosts"} | overrides
    return record_of([Row("all_reduce", 4 * MIB, efficiency)], overrides=told)


@pytest.mark.parametrize(
    ("theirs", "outcome"), [(0.4, Outcome.HOLDS), (0.6, Outcome.DOES_NOT_HOLD)]
)
def test_one_record_over_another(theirs: float, outcome: Outcome) -> None:
    claim = _claim(NOISY, background=True)
    assert claim.records() == 2
    assert _outcome(claim, _noisy(0.97), _noisy(theirs)) is outcome
    assert _outcome(claim, _noisy(0.97), _noisy(theirs, background=None)) is Outcome.NOT_TESTED
    assert _outcome(claim, _noisy(0.97), record_of([Row("all_reduce", KIB)],
                    overrides={"background": "x"})) is Outcome.NOT_TESTED  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(st.floats(1.0, 1e6), min_size=2, max_size=8),
    st.lists(st.floats(1.0, 1e6), min_size=2, max_size=8),
    st.floats(0.1, 10.0),
)
def test_the_ratio_of_two_runs_scales_and_turns_round(
    slow: list[float], fast: list[float], factor: float
) -> None:
    value, ci95 = ratio_of_independent(slow, fast)
    assert ci95 is not None
    low, high = ci95
    assert low <= high
    more, scaled = ratio_of_independent([factor * x for x in slow], fast)
    assert scaled is not None
    assert more == pytest.approx(factor * value)
    assert scaled == pytest.approx((factor * low, factor * high), rel=1e-6)
    _, turned = ratio_of_independent(fast, slow)
    assert turned is not None
    assert turned == pytest.approx((1 / high, 1 / low), rel=1e-6)


def test_one_launch_of_either_run_gives_no_interval() -> None:
    assert ratio_of_independent([2.0, 2.1], [1.0]) == (2.05, None)


# The command.


def _written(record: RunRecord, path: Path) -> str:
    real = record.model_copy(update={"run": record.run.model_copy(update={"fake": False})})
    write_record(real, path)
    return str(path)


CLAIM = """name = "own"
claim = "Trees are fast"
source = "a test"
how = "measure"
[scenario]
operations = ["all_reduce"]
from = "1M"
[[figure]]
compare = "in_network"
baseline = "best"
at_least = 1.4
"""


@pytest.mark.parametrize(("efficiency", "code"), [(0.97, 0), (0.8, 1)])
def test_the_command_says_the_verdict_and_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], efficiency: float, code: int
) -> None:
    (tmp_path / "own.toml").write_text(CLAIM)
    record = _written(_in_network(efficiency), tmp_path / "r.json")
    assert run_command_line(["claims", "check", str(tmp_path / "own.toml"), record]) == code
    said = " ".join(capsys.readouterr().out.split())
    assert "emulated: not real hardware" in said
    assert ("HOLDS own" if code == 0 else "DOES NOT HOLD own") in said


def test_claims_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["claims", "list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in CLAIMS.names())
    assert run_command_line(["claims", "show", "noisy-neighbour-2.2x"]) == 0
    assert "run.background" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["check", "nonsense", "r.json"], "nonsense"),
        (["check", "in-network-1.8x", "a.json", "b.json"], "one record"),
        (["check", "noisy-neighbour-2.2x", "a.json"], "two records"),
        (["check", "in-network-1.8x", "nowhere.json"], "nowhere.json"),
        (["show", "./own.toml"], "own.toml"),
    ],
)
def test_what_cannot_be_used_is_named(
    arguments: list[str], culprit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["claims", *arguments]) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert culprit in sentence
