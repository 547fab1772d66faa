"""The variables of a tuning: those it searched, and those that its kept choices need."""

from __future__ import annotations

from busbar.errors import UsageError
from busbar.tune.tuned import Tuned

_COLLNET = ("collnet", "sharp")
_COLLNET_ENABLE = "NCCL_COLLNET_ENABLE"


def environment_of(tuned: Tuned) -> dict[str, str]:
    """Variables by name, as any program takes them.

    What a search sets for one communicator (CollNet, through its configuration) a program that
    knows nothing of it takes for all of them, from a variable. NCCL may then choose CollNet at
    sizes without a row of the table, too: a proof that holds runs under these variables. Raises
    UsageError where a variable was found best at a value that a choice cannot work with.
    """
    environment = dict(tuned.environment)
    if not any(choice.settings.get("in_network") in _COLLNET for choice in tuned.kept()):
        return environment
    if environment.setdefault(_COLLNET_ENABLE, "1") != "1":
        raise UsageError(
            f"{_COLLNET_ENABLE}={environment[_COLLNET_ENABLE]} beside a choice with CollNet: "
            "accepted is 1"
        )
    return environment
