"""Limits that are a share of the expected time, and limits of a site in a file of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from busbar import fabrics
from busbar.check import Verdict
from busbar.errors import ExitCode, UsageError
from busbar.fabrics import Fabric
from busbar.fabrics.figure import Figure
from busbar.fabrics.model import Latency
from busbar.fabrics.site_limits import with_limits as of_site
from busbar.record.models import RunRecord
from busbar.theory.bound import bound
from busbar.theory.constants import from_fabric
from busbar.theory.expected import expected
from factories import IN_NETWORK, MIB, Row
from rated import STAR, check, limit, only, rated, with_limits

ROW = Row("all_reduce", 4 * MIB)


def _with_latency(fabric: Fabric, message_us: float = 50.0) -> Fabric:
    figure = Figure(value=message_us, source="for a test")
    return fabric.model_copy(update={"latency": Latency(message_us=figure)})


def _expected_share(fabric: Fabric) -> float:
    """What the fastest algorithm should reach of the bound."""
    hosts = fabric.placement()
    best = expected(fabric, ROW.op, ROW.size_bytes, hosts, from_fabric(fabric))[0]
    least = bound(fabric, ROW.op, ROW.size_bytes, hosts)
    assert least is not None
    return least.time_us / best.time_us


def test_a_limit_is_of_the_bound_unless_it_says_otherwise() -> None:
    assert limit().of == "bound"
    row = only(check(rated({ROW: [0.9] * 5}), with_limits(limit("all_reduce", 0.8))))
    assert (row.limit_of, row.share, row.share_ci95) == ("bound", row.fraction, row.fraction_ci95)


@pytest.mark.parametrize(
    ("factor", "verdict", "code"),
    [
        (1.01, Verdict.PASS, ExitCode.HOLDS),
        (0.80, Verdict.FAIL, ExitCode.NEGATIVE),
    ],
)
def test_a_limit_of_the_expected_time_is_held_against_the_fastest_algorithm(
    factor: float, verdict: Verdict, code: ExitCode
) -> None:
    fabric = _with_latency(with_limits(limit("all_reduce", 0.95, of="expected")))
    share = _expected_share(fabric) * factor * 0.95
    result = check(rated({ROW: [share * (1 + n / 1000) for n in range(5)]}), fabric)
    row = only(result)
    assert (row.verdict, result.exit_code) == (verdict, code)
    assert row.share == pytest.approx(0.95 * factor, rel=0.01)
    assert "95% of the expected time (" in row.reason


def test_a_library_that_chose_a_slow_algorithm_is_held_against_the_fastest() -> None:
    """A tree moves more bytes than a ring; only a variant may ask for it."""
    for variant, verdict in (("default", Verdict.FAIL), ("tree", Verdict.PASS)):
        fabric = _with_latency(
            with_limits(limit("all_reduce", 0.9, variant=variant, of="expected"))
        )
        row = Row("all_reduce", 4 * MIB, variant=variant)
        shares = [_tree_share(fabric) * (1 + n / 1000) for n in range(5)]
        judged = only(check(_that_ran(rated({row: shares}), "TREE"), fabric))
        assert judged.verdict is verdict
        assert judged.expected is not None
        assert (judged.expected.algorithm == "tree") == (variant == "tree")


def _tree_share(fabric: Fabric) -> float:
    hosts = fabric.placement()
    found = expected(fabric, ROW.op, ROW.size_bytes, hosts, from_fabric(fabric))
    (tree,) = (one for one in found if one.algorithm == "tree")
    least = bound(fabric, ROW.op, ROW.size_bytes, hosts)
    assert least is not None
    return least.time_us / tree.time_us


def _that_ran(record: RunRecord, algorithm: str) -> RunRecord:
    (point,) = record.points
    seen = point.observed.model_copy(update={"algorithm": algorithm})
    return record.model_copy(update={"points": [point.model_copy(update={"observed": seen})]})


def test_what_is_expected_of_nobody_is_unsure() -> None:
    fabric = with_limits(limit("all_reduce", 0.9, of="expected"))
    result = check(rated({ROW: [0.99] * 5}), fabric)
    row = only(result)
    assert row.verdict is Verdict.UNSURE
    assert row.reason.startswith("Its limit is of the expected time, which is unknown: ")
    assert result.exit_code is ExitCode.INCOMPLETE


def test_constants_fitted_to_the_record_do_not_excuse_it() -> None:
    fabric = with_limits(limit("all_reduce", 0.9, of="expected"))
    record = rated({ROW: [0.99] * 5, Row("ping_pong", 256 * 1024): [0.9] * 5})
    assert check(record, fabric).rows[0].verdict is Verdict.UNSURE


def test_reduction_in_the_network_is_expected_of_the_tree() -> None:
    fabric = _with_latency(with_limits(limit("all_reduce", 0.5, variant=IN_NETWORK, of="expected")))
    tree = Row("all_reduce", 4 * MIB, variant=IN_NETWORK, in_network=True)
    row = only(check(rated({tree: [0.6] * 5}), fabric))
    assert row.expected is not None
    assert row.expected.algorithm == "in-network tree"


def test_faster_than_the_bound_is_impossible_whatever_the_limit_is_of() -> None:
    fabric = _with_latency(with_limits(limit("all_reduce", 0.5, of="expected")))
    assert only(check(rated({ROW: [1.2] * 5}), fabric)).verdict is Verdict.IMPOSSIBLE


# Files of a site

SITE = """
[[limits]]
op = "all_reduce"
variant = "ring"
from = "1024K"
at_least = 0.7
of = "expected"
reason = "Agreed with the vendor"

[[limits]]
op = "gather"
from = "4M"
at_least = 0.6
reason = "We need it"

[[counters]]
name = "drops"
at_most = 0
reason = "A lossless fabric loses nothing"
"""


def test_limits_of_a_site_replace_those_of_the_same_row_and_are_added_else(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    found = of_site(STAR, path)
    same = {(x.op, x.variant, x.from_bytes()): x for x in found.limits}
    assert len(found.limits) == len(same) == len(STAR.limits) + 1
    assert (same["all_reduce", "ring", MIB].at_least, same["all_reduce", "ring", MIB].of) == (
        0.7,
        "expected",
    )
    assert [c.name for c in found.counters] == ["drops"]
    assert found.cuts() == STAR.cuts()
    kept = {(x.op, x.variant) for x in STAR.limits} - {("all_reduce", "ring")}
    assert all(x in found.limits for x in STAR.limits if (x.op, x.variant) in kept)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no limits"),
        ("x = 1", "unknown field 'x'"),
        (SITE.replace('reason = "We need it"\n', ""), "field 'limits[1].reason' is missing"),
        (SITE.replace("gather", "gathre"), "operation 'gathre' is unknown"),
        (SITE.replace('"drops"', '"drip"'), "counter 'drip' is unknown, accepted: drops"),
        (SITE.replace('"expected"', '"hope"'), "'limits[0].of' is 'hope'"),
        ("[[limits]", "is not TOML"),
    ],
)
def test_a_bad_file_of_a_site_is_explained(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        of_site(STAR, path)
    assert sentence in error.value.message
    assert str(path) in error.value.message


def test_shared_memory_takes_no_limits(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_text(SITE)
    with pytest.raises(UsageError, match="has no meaning for kind 'shared_memory'"):
        of_site(fabrics.load("local"), path)
