"""A record's pairs read as matrices: what was measured is there, what was not is missing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from busbar.pairs.groups import Kind
from busbar.pairs.matrix import in_json, matrices, over_launches
from pair_records import record_of
from synthetic_pairs import Fault, World, matrix

WORLD = World(
    6, launches=3, missing=0.2, concurrent=True, collisions=0.3,
    faults=[Fault(Kind.HOST_EGRESS, (1,), 0.5)],
)  # fmt: skip


def test_a_record_gives_back_the_matrix_it_was_made_of() -> None:
    made = matrix(WORLD)
    (found,) = matrices(record_of(made))
    assert found.endpoints == tuple(
        e.__class__(e.host, 0, e.rank, None, ()) for e in made.endpoints
    )
    for layer, expected in ((found.isolated, made.isolated), (found.concurrent, made.concurrent)):
        assert layer.launches == expected.launches
        np.testing.assert_allclose(layer.times_us, expected.times_us)
    missing = np.isnan(found.isolated.time_us())
    assert missing.sum() > 6  # more than the diagonal
    assert not (found.isolated.times_us == 0).any()


def test_directions_are_kept_apart() -> None:
    (found,) = matrices(record_of(matrix(World(4, faults=[Fault(Kind.PATH, (2, 1), 0.25)]))))
    rates = found.rates_gbs(found.isolated)
    assert rates[2, 1] < 0.4 * rates[1, 2]


def test_missing_is_null_in_json_and_never_zero() -> None:
    cells = in_json(matrix(WORLD).rates_gbs(matrix(WORLD).isolated))
    assert json.loads(json.dumps(cells, allow_nan=False))[0][0] is None
    assert 0 not in [value for row in cells for value in row]


def test_spread_needs_two_launches() -> None:
    assert np.isnan(matrix(World(4, launches=1)).isolated.spread()).all()
    spread = matrix(World(4, launches=2)).isolated.spread()
    assert np.isfinite(spread).sum() == 12


def test_endpoints_are_known_by_host_and_index_however_ranks_are_dealt() -> None:
    made = matrix(World(8, per_host=2, launches=2))
    document = record_of(made)
    first, second = document.launches
    swapped = [p.model_copy(update={"rank": p.rank ^ 1}) for p in second.processes]
    turned = second.model_copy(update={"processes": sorted(swapped, key=lambda p: p.rank)})
    (found,) = matrices(document.model_copy(update={"launches": [first, turned]}))
    assert found.endpoints == matrices(document)[0].endpoints
    assert found.names()[:2] == ("host1 rank 0", "host1 rank 1")


def test_wrong_data_has_no_time() -> None:
    document = record_of(matrix(World(4, launches=1)))
    bad = document.points[0].model_copy(update={"wrong_elements": 1})
    (found,) = matrices(document.model_copy(update={"points": [bad, *document.points[1:]]}))
    assert found.isolated.measured() == 11


def test_a_record_without_pairs_has_no_matrix() -> None:
    document = record_of(matrix(World(4, launches=1)))
    assert matrices(document.model_copy(update={"points": []})) == ()


def test_sizes_are_matrices_of_their_own() -> None:
    document = record_of(matrix(World(4, launches=1)))
    small = [
        p.model_copy(update={"key": p.key.model_copy(update={"size_bytes": 8})})
        for p in document.points
    ]
    found = matrices(document.model_copy(update={"points": [*document.points, *small]}))
    assert [m.title for m in found] == ["one_way 4M default", "one_way 8 default"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3.0, 1.0, 2.0], 2.0), ([1.0, np.nan, 3.0], 2.0), ([np.nan, 5.0, np.nan], 5.0), ([7.0], 7.0)],
)
def test_the_median_over_launches_is_of_what_is_there(values: list[float], expected: float) -> None:
    assert over_launches(np.array(values)[:, None, None])[0, 0] == expected
    assert np.isnan(over_launches(np.full((3, 1, 1), np.nan))[0, 0])
