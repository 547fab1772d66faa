"""Optuna's tree-structured Parzen estimator, for spaces too large to look at everything.

Bergstra, Bardenet, Bengio and Kegl, "Algorithms for Hyper-Parameter Optimization", NIPS 2011. It
sees one median per trial and knows nothing of noise or of neighbours: its best trial takes a walk
along the ordered settings, and the best race at the end.
"""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from busbar.tune.ask import Ask
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.tune.history import History
from busbar.tune.race import race
from busbar.tune.space import PointSpace, Setting
from busbar.tune.strategies.descent import walk

if TYPE_CHECKING:
    import optuna

_SAMPLES = 12
"""Of each candidate of a batch."""
_BATCH = 4
"""Trials asked for at once, so that they share a visit."""
_WALKS = 4
"""Combinations that are walked through from their best trial."""
_LEFT_OUT = "(left to the library)"


def tpe(space: PointSpace, history: History, rng: random.Random) -> Iterator[Ask]:
    """Batches of trials, for as long as they find what was not seen, then a race."""
    # Optuna takes a second to load: only for those who search with it.
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    sampler = optuna.samplers.TPESampler(
        n_startup_trials=_startup(space),
        seed=rng.randrange(2**31),
        multivariate=True,
        group=True,  # settings that belong to some others only are modelled with these
        constant_liar=True,  # trials of a batch keep apart
    )
    study = optuna.create_study(sampler=sampler)
    for members in space.kinds().values():
        study.enqueue_trial(_parameters(rng.choice(members), space))
    yield Ask((DEFAULT,), _SAMPLES)
    for _ in range(_batches(space)):
        trials = [study.ask() for _ in range(_BATCH)]
        proposed = [_propose(trial, space) for trial in trials]
        yield Ask(tuple(dict.fromkeys(proposed)), _SAMPLES)
        for trial, candidate in zip(trials, proposed, strict=True):
            estimate = history.estimate(candidate)
            if estimate is None or math.isinf(estimate.median):
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, math.log(estimate.median))
    for start in _best_of_kinds(space, history):
        yield from walk(start, space, history)
    yield from race(history.contenders(history.samples), history, first_samples=_SAMPLES)


def _best_of_kinds(space: PointSpace, history: History) -> list[Candidate]:
    """The best candidate of each of the best few combinations of settings without an order."""
    best = [found for members in space.kinds().values() if (found := history.best(members))]
    return history.ranked(best)[:_WALKS]


def _batches(space: PointSpace) -> int:
    """Grows with the root of the space: what a model gains over looking everywhere."""
    return math.ceil((_startup(space) + 5 * math.sqrt(len(space.candidates))) / _BATCH)


def _startup(space: PointSpace) -> int:
    """Trials before there is a model: one of every combination, and as many at random."""
    return 2 * len(space.kinds())


def _propose(trial: optuna.Trial, space: PointSpace) -> Candidate:
    candidate = DEFAULT
    for setting in space.settings:
        if setting.belongs_with(candidate.settings):
            candidate = candidate.with_value(setting.name, _value(trial, setting, candidate))
    return candidate


def _parameters(candidate: Candidate, space: PointSpace) -> dict[str, str | int]:
    """What a trial must be given to propose this candidate."""
    given: dict[str, str | int] = {}
    for setting in space.settings:
        if setting.belongs_with(candidate.settings) and setting.values:
            value = candidate.settings.get(setting.name, _LEFT_OUT)
            indexed = setting.ordered and setting.required
            given[setting.name] = (
                [v.value for v in setting.values].index(value) if indexed else value
            )
    return given


def _value(trial: optuna.Trial, setting: Setting, candidate: Candidate) -> str | None:
    values = [value.value for value in setting.values]
    fitting = setting.values_beside(candidate.settings)
    if not fitting:
        return None
    if setting.ordered and setting.required:
        chosen = values[trial.suggest_int(setting.name, 0, len(values) - 1)]
    else:
        choices = values if setting.required else [_LEFT_OUT, *values]
        chosen = str(trial.suggest_categorical(setting.name, choices))
    if chosen == _LEFT_OUT:
        return None
    # A parameter's choices must not change from trial to trial, so what cannot be combined is put
    # right afterwards.
    return chosen if chosen in fitting else fitting[-1]
