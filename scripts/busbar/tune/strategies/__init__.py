"""The strategies by name."""

from __future__ import annotations

from busbar.errors import UsageError
from busbar.tune.ask import Strategy
from busbar.tune.strategies.descent import coordinate_descent
from busbar.tune.strategies.exhaustive import exhaustive
from busbar.tune.strategies.halving import successive_halving
from busbar.tune.strategies.tpe import tpe

STRATEGIES: dict[str, Strategy] = {
    "halving": successive_halving,
    "descent": coordinate_descent,
    "tpe": tpe,
    "exhaustive": exhaustive,
}


def strategy(name: str) -> Strategy:
    """Raises UsageError for an unknown name."""
    if name not in STRATEGIES:
        raise UsageError(f"unknown strategy '{name}'; accepted: {', '.join(STRATEGIES)}")
    return STRATEGIES[name]
