"""Who is blamed: the planted fault and nobody else, and nobody without proof.

Rates over a hundred seeded worlds: the figures asked for are at least 99.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from busbar.pairs.blame import Blame, blame
from busbar.pairs.groups import Kind
from busbar.pairs.matrix import Layer, PairMatrix
from busbar.pairs.rounds import Pair
from busbar.pairs.sentences import culprit_sentence, suspect_sentence
from synthetic_pairs import Fault, World, matrix, sites

TRIALS = 100
NOISES = [(0.01, None), (0.02, None), (0.01, 3.0), (0.02, 3.0)]
Named = Sequence[tuple[Kind, str]]


def _blame(world: World) -> Blame:
    return blame(matrix(world), sites(world))


def _named(found: Blame) -> list[tuple[Kind, str]]:
    return sorted(((c.kind, c.name) for c in found.culprits), key=str)


def _right(world: World, expected: Named, trials: int = TRIALS) -> int:
    """In how many of the trials exactly these are named."""
    wanted = sorted(expected, key=str)
    return sum(_named(_blame(replace(world, seed=seed))) == wanted for seed in range(trials))


@pytest.mark.parametrize(("noise", "freedom"), NOISES)
def test_a_healthy_fabric_blames_nobody(noise: float, freedom: float | None) -> None:
    world = World(
        16, leaves=4, noise=noise, freedom=freedom, concurrent=True, collisions=0.3, missing=0.1
    )
    assert _right(world, []) >= 99


def test_collisions_alone_blame_nobody_and_suspect_nobody() -> None:
    world = World(16, leaves=4, isolated=False, concurrent=True, collisions=0.35)
    found = [_blame(replace(world, seed=seed)) for seed in range(TRIALS)]
    assert not any(one.culprits for one in found)
    assert sum(bool(one.suspects) for one in found) <= 1


@pytest.mark.parametrize(("noise", "freedom"), NOISES)
@pytest.mark.parametrize("kind", [Kind.HOST_EGRESS, Kind.HOST_INGRESS])
def test_one_direction_of_one_of_six_hosts(kind: Kind, noise: float, freedom: float | None) -> None:
    world = World(6, faults=[Fault(kind, (2,), 0.8)], noise=noise, freedom=freedom)
    assert _right(world, [(kind, "host3")]) >= 99


def test_six_slow_hosts_of_sixteen() -> None:
    faults = [Fault(Kind.HOST_EGRESS, (e,)) for e in range(0, 12, 2)]
    named = [(Kind.HOST_EGRESS, f"host{e + 1}") for e in range(0, 12, 2)]
    assert _right(World(16, faults=faults, noise=0.02, freedom=3), named) >= 99


@pytest.mark.parametrize("kind", [Kind.LEAF_UP, Kind.LEAF_DOWN])
def test_an_uplink_at_half_its_rate_is_named_and_not_its_hosts(kind: Kind) -> None:
    world = World(16, leaves=4, faults=[Fault(kind, (1,), 0.5)], noise=0.02, freedom=3)
    assert _right(world, [(kind, "leaf2")]) >= 99


def test_hosts_of_one_leaf_that_are_all_slow_are_named_and_not_their_uplink() -> None:
    world = World(16, leaves=4, faults=[Fault(Kind.HOST_EGRESS, (e,)) for e in range(4)])
    assert _right(world, [(Kind.HOST_EGRESS, f"host{e + 1}") for e in range(4)], 30) == 30


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (World(8, faults=[Fault(Kind.PATH, (1, 4), 0.5)]), [(Kind.PATH, "host2 → host5")]),
        (World(8, faults=[Fault(Kind.HOST_BOTH, (2,))]), [(Kind.HOST_BOTH, "host3")]),
        (
            World(16, leaves=4, faults=[Fault(Kind.LEAF_PATH, (1, 3), 0.5)]),
            [(Kind.LEAF_PATH, "leaf2 → leaf4")],
        ),
        (
            World(16, per_host=4, faults=[Fault(Kind.NIC_EGRESS, (5,))]),
            [(Kind.NIC_EGRESS, "host2 rank 5")],
        ),
        (
            World(16, per_host=4, faults=[Fault(Kind.HOST_EGRESS, (4, 5, 6, 7))]),
            [(Kind.HOST_EGRESS, "host2")],
        ),
        (
            World(8, faults=[Fault(Kind.HOST_EGRESS, (0,)), Fault(Kind.HOST_INGRESS, (3,), 0.6)]),
            [(Kind.HOST_EGRESS, "host1"), (Kind.HOST_INGRESS, "host4")],
        ),
        (
            World(
                16, leaves=4, noise=0.02, missing=0.2,
                faults=[Fault(Kind.HOST_EGRESS, (0,)), Fault(Kind.HOST_INGRESS, (3,), 0.6),
                        Fault(Kind.LEAF_UP, (2,), 0.5)],
            ),
            [(Kind.HOST_EGRESS, "host1"), (Kind.HOST_INGRESS, "host4"), (Kind.LEAF_UP, "leaf3")],
        ),
    ],
    ids=["path", "both ways", "between leaves", "NIC", "host of four", "two", "three"],
)  # fmt: skip
def test_planted_faults_are_named(world: World, expected: Named) -> None:
    assert _right(world, expected, 40) == 40


def test_a_deficit_of_less_than_the_threshold_is_nobodys_fault() -> None:
    world = World(16, faults=[Fault(Kind.HOST_EGRESS, (0,), 0.96)], noise=0.002)
    assert _right(world, [], 30) == 30
    assert _right(replace(world, faults=[Fault(Kind.HOST_EGRESS, (0,), 0.93)]), [
        (Kind.HOST_EGRESS, "host1")
    ], 30) == 30  # fmt: skip


def test_hosts_that_simply_differ_blame_nobody() -> None:
    wrong = 0
    for seed in range(TRIALS):
        chance = np.random.default_rng(seed)
        made = matrix(World(16, noise=0.01, seed=seed))
        own = np.exp(0.03 * chance.standard_normal(16))
        wrong += bool(blame(_scaled(made, own[None, :, None])).culprits)
    assert wrong <= 1


def test_a_rank_on_the_wrong_core_for_one_launch_blames_nobody() -> None:
    wrong = 0
    for seed in range(TRIALS):
        chance = np.random.default_rng(seed)
        made = matrix(World(16, noise=0.01, seed=seed, launches=5))
        slow = np.where(chance.random((5, 16, 1)) < 0.05, 0.6, 1.0)
        wrong += bool(blame(_scaled(made, slow)).culprits)
    assert wrong <= 1


def _scaled(made: PairMatrix, rates: np.ndarray) -> PairMatrix:
    layer = Layer(made.isolated.launches, made.isolated.times_us / rates)
    return replace(made, isolated=layer)


def test_one_launch_gives_suspects_and_says_what_to_measure() -> None:
    found = _blame(World(6, launches=1, faults=[Fault(Kind.HOST_EGRESS, (0,))]))
    assert found.culprits == ()
    (suspect,) = found.suspects
    assert (suspect.kind, suspect.name) == (Kind.HOST_EGRESS, "host1")
    assert "measured in 1 launch" in suspect.because
    assert suspect.measure and all(pair.source == 0 for pair in suspect.measure)
    assert "measure alone host1 →" in suspect_sentence(suspect, found)


@pytest.mark.parametrize("share", [0.8, 1.0])
def test_in_virtual_time_one_launch_is_proof(share: float) -> None:
    fault = Fault(Kind.HOST_INGRESS, (4,), share)
    world = World(16, faults=[fault], launches=1, noise=0.0, shift=0.0)
    found = blame(replace(matrix(world), exact=True))
    assert not found.suspects
    assert _named(found) == ([(Kind.HOST_INGRESS, "host5")] if share < 1 else [])
    for culprit in found.culprits:
        assert culprit.confidence > 0.99
        assert "15 pairs measured alone in 1 launch" in culprit_sentence(culprit, found)


def test_concurrent_rounds_give_suspects_and_never_culprits() -> None:
    world = World(16, isolated=False, concurrent=True, collisions=0.2,
                  faults=[Fault(Kind.HOST_INGRESS, (4,), 0.5)])  # fmt: skip
    found = _blame(world)
    assert found.culprits == ()
    (suspect,) = found.suspects
    assert (suspect.kind, suspect.name) == (Kind.HOST_INGRESS, "host5")
    assert {pair.target for pair in suspect.measure} == {4}


def test_isolated_pairs_acquit_what_concurrent_rounds_suspect() -> None:
    slow = World(16, isolated=False, concurrent=True, faults=[Fault(Kind.HOST_EGRESS, (4,), 0.5)])
    well = matrix(World(16))
    found = blame(replace(well, concurrent=matrix(slow).concurrent))
    assert (found.culprits, found.suspects) == ((), ())


def test_suspects_measured_alone_become_culprits() -> None:
    """A few isolated pairs of everyone are enough: what next() asks for, and controls."""
    world = World(32, concurrent=True, collisions=0.3, faults=[Fault(Kind.HOST_EGRESS, (4,), 0.5)])
    made = matrix(world)
    keep = np.zeros((32, 32), dtype=bool)
    for step in (1, 5, 9, 14):
        keep[np.arange(32), (np.arange(32) + step) % 32] = True
    few = Layer(made.isolated.launches, np.where(keep, made.isolated.times_us, np.nan))
    found = blame(replace(made, isolated=few))
    assert _named(found) == [(Kind.HOST_EGRESS, "host5")]
    assert found.suspects == ()


def test_missing_cells_neither_blame_nor_acquit() -> None:
    made = matrix(World(8, faults=[Fault(Kind.HOST_EGRESS, (0,))]))
    times = made.isolated.times_us.copy()
    times[:, 0, 3:] = np.nan
    times[:, 7, :] = np.nan
    times[:, :6, 7] = np.nan
    found = blame(replace(made, isolated=Layer(made.isolated.launches, times)))
    assert not any(c.name in ("host1", "host8") and c.kind is Kind.HOST_EGRESS
                   for c in found.culprits)  # fmt: skip
    assert "host1" in found.not_enough and "host8" in found.not_enough
    assert "host2" not in found.not_enough


def test_three_hosts_are_too_few_to_tell() -> None:
    found = _blame(World(3, faults=[Fault(Kind.HOST_EGRESS, (0,), 0.5)]))
    assert found.culprits == ()
    assert all("too few other pairs" in suspect.because for suspect in found.suspects)
    assert found.not_enough == ("host1", "host2", "host3")


def test_two_leaves_have_one_path_which_neither_end_is_told_from() -> None:
    found = _blame(World(8, leaves=2, faults=[Fault(Kind.LEAF_UP, (0,), 0.5)]))
    (culprit,) = found.culprits
    assert (culprit.kind, culprit.name) == (Kind.LEAF_PATH, "leaf1 → leaf2")
    assert {(r.kind, r.name) for r in culprit.rivals} == {
        (Kind.LEAF_UP, "leaf1"), (Kind.LEAF_DOWN, "leaf2"),
    }  # fmt: skip
    assert all(rival.measure == () for rival in culprit.rivals)
    assert "no pair can tell" in culprit_sentence(culprit, found)


def test_a_host_alone_on_its_leaf_may_be_its_uplink() -> None:
    found = _blame(World(4, leaves=4, faults=[Fault(Kind.HOST_EGRESS, (0,), 0.5)]))
    (culprit,) = found.culprits
    assert culprit.kind is Kind.HOST_EGRESS
    assert (Kind.LEAF_UP, "leaf1") in {(r.kind, r.name) for r in culprit.rivals}


def test_a_host_of_which_one_nic_was_measured_asks_for_the_others() -> None:
    made = matrix(World(16, per_host=2, faults=[Fault(Kind.HOST_EGRESS, (0, 1), 0.5)]))
    times = made.isolated.times_us.copy()
    times[:, 1, :] = np.nan
    found = blame(replace(made, isolated=Layer(made.isolated.launches, times)))
    (culprit,) = found.culprits
    assert (culprit.kind, culprit.name) == (Kind.NIC_EGRESS, "host1 rank 0")
    (rival,) = culprit.rivals
    assert (rival.kind, rival.name) == (Kind.HOST_EGRESS, "host1")
    assert {pair.source for pair in rival.measure} == {1}


def test_two_hosts_of_four_cannot_tell_the_sender_from_the_receiver() -> None:
    found = _blame(World(16, per_host=8, faults=[Fault(Kind.HOST_EGRESS, tuple(range(8)), 0.5)]))
    (culprit,) = found.culprits
    other = {r.name for r in culprit.rivals if r.hosts != culprit.hosts}
    assert {culprit.name, *other} == {"host1", "host2"}


def test_a_culprit_comes_with_size_proof_and_confidence() -> None:
    found = _blame(World(8, faults=[Fault(Kind.HOST_EGRESS, (2,), 0.8)]))
    (culprit,) = found.culprits
    assert culprit.share == pytest.approx(0.8, rel=0.03)
    assert culprit.share_ci95 is not None
    assert culprit.share_ci95[0] <= culprit.share <= culprit.share_ci95[1]
    assert culprit.confidence >= 0.995
    assert sorted(culprit.proof) == [Pair(2, e) for e in range(8) if e != 2]
    assert culprit.rivals == ()
    sentence = culprit_sentence(culprit, found)
    assert sentence.startswith("host3 sends at ") and "not known" in sentence


def test_simulated_figures_without_noise_are_judged_too() -> None:
    world = World(8, noise=0.0, shift=0.0, launches=2, faults=[Fault(Kind.HOST_EGRESS, (2,))])
    assert _named(_blame(world)) == [(Kind.HOST_EGRESS, "host3")]
    assert _named(_blame(replace(world, faults=()))) == []


def test_many_endpoints() -> None:
    faults = [Fault(Kind.HOST_EGRESS, (5,)), Fault(Kind.HOST_INGRESS, (90,)),
              Fault(Kind.LEAF_UP, (6,), 0.5)]  # fmt: skip
    world = World(128, leaves=8, noise=0.02, launches=3, missing=0.5, concurrent=True,
                  collisions=0.2, faults=faults)  # fmt: skip
    assert _named(_blame(world)) == [
        (Kind.HOST_EGRESS, "host6"), (Kind.HOST_INGRESS, "host91"), (Kind.LEAF_UP, "leaf7"),
    ]  # fmt: skip


def test_a_path_whose_launches_may_as_well_be_healthy_is_a_suspect() -> None:
    healthy = matrix(World(6, launches=3))
    times_us = healthy.isolated.times_us.copy()
    times_us[:, 0, 3] *= np.array([1.08, 1.3, 1.9])  # slow in each, and nobody knows how slow
    found = blame(replace(healthy, isolated=replace(healthy.isolated, times_us=times_us)))
    assert found.culprits == ()
    (suspect,) = found.suspects
    assert (suspect.kind, suspect.name) == (Kind.PATH, "host1 → host4")
    assert "its launches differ so much" in suspect.because
