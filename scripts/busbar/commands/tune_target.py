"""What the target of a tuning decides: how sure figures are, what can be searched, what is asked in
vain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from busbar.errors import UsageError
from busbar.launch.target import Simulated, Target
from busbar.tune.certainty import LEAST_LAUNCHES, OVER_LAUNCHES, Certainty, InVirtualTime
from busbar.tune.space import Space, load_space, space_names

_SIMULATED = "simulated"
_IN_VAIN = {
    "launches": ("--launches", "another launch would give the same figures"),
    "max_seconds": ("--max-seconds", "every block is one sample"),
    "processes": ("--processes", "all algorithms are tried in one launch"),
    "max_ctas": ("--max-ctas", "there are no thread blocks"),
}
"""Options that simulated hosts make meaningless, by parameter, and why."""


def refuse_in_vain(given: Mapping[str, Any]) -> None:
    """Raises UsageError for an option that changes nothing on this target."""
    on = given["on"]
    if on != _SIMULATED and given["nodes"] is not None:
        raise UsageError(f"--nodes belongs to --on simulated, not to --on {on}.")
    for name, (option, why) in _IN_VAIN.items() if on == _SIMULATED else ():
        if given[name] is not None:
            raise UsageError(
                f"{option} has no meaning with --on simulated, where {why}; accepted is none."
            )
    launches = given["launches"]
    if launches is not None and launches < LEAST_LAUNCHES:
        raise UsageError(f"--launches {launches}: accepted is {LEAST_LAUNCHES} or more.")


def certainty_of(target: Target) -> Certainty:
    """How figures are got there."""
    if not isinstance(target, Simulated):
        return OVER_LAUNCHES
    return InVirtualTime(several_on_a_host=len(set(target.placement())) < target.ranks)


def space_name_of(given: Mapping[str, Any]) -> str | None:
    """The space by its name; None for that of the transport."""
    asked: str | None = given["space"]
    return asked or (_SIMULATED if given["on"] == _SIMULATED else None)


def space_of(given: Mapping[str, Any]) -> Space:
    """What may be searched. Raises UsageError where it is not of this transport and target."""
    transport, on = given["transport"], given["on"]
    name = space_name_of(given) or transport
    space = load_space(name)
    if space.transport != transport:
        raise UsageError(f"--space {name} belongs to --transport {space.transport}.")
    simulated = on == _SIMULATED
    if not space.is_for(simulated=simulated):
        fitting = [
            other
            for other in space_names()
            for one in [load_space(other)]
            if one.transport == transport and one.is_for(simulated=simulated)
        ]
        raise UsageError(
            f"--space {name} has no meaning with --on {on}; accepted: {', '.join(fitting)}."
        )
    return space
