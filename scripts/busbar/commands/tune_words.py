"""The words that tune one more point in the same place as before."""

from __future__ import annotations

from busbar.errors import UsageError
from busbar.record.models import PointKey
from busbar.tune.measured import Tuning
from busbar.units import format_size

_KEPT = {
    "transport": "--transport",
    "threads": "--threads",
    "rate": "--rate",
    "leaves": "--leaves",
    "uplink": "--uplink",
    "hostfile": "--hostfile",
    "aggregators": "--aggregators",
    "fabric": "--fabric",
    "mpi_args": "--mpi-args",
}
"""What says where and by which library, as `busbar tune` names it and as it is typed."""
_HOSTS = {"emulated": "--hosts", "simulated": "--nodes"}
"""What says how many hosts are made, where hosts are made."""
_DEFAULTS = {"transport": "mpi", "threads": "1", "mpi_args": ""}


def tune_words(tuning: Tuning, key: PointKey, size_bytes: int, ranks: int) -> list[str]:
    """What to type to tune an operation at one size with so many ranks, where `tuning` was made.

    Raises UsageError for ranks that do not fill emulated hosts as they were filled then.
    """
    from busbar.cli import parse_options  # which knows all commands, this one too

    given = parse_options(tuning.searched.command)
    words = ["busbar", "tune", key.op]
    if size_bytes:
        words += ["-b", format_size(size_bytes), "-e", format_size(size_bytes)]
    if key.datatype != "float":
        words += ["-d", key.datatype]
    if key.redop not in (None, "sum"):
        words += ["-o", str(key.redop)]
    words += _place(tuning, ranks)
    for name, flag in _KEPT.items():
        value = given.get(name)
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None and str(one) != _DEFAULTS.get(name):
                words += [flag, str(one)]
    return words


def _place(tuning: Tuning, ranks: int) -> list[str]:
    made_for = tuning.tuned.made_for
    hosts = _HOSTS.get(made_for.on)
    if hosts is None:
        return ["--on", made_for.on, "--ranks", str(ranks)]
    on_each = made_for.ranks // made_for.nodes
    if ranks % on_each != 0:
        raise UsageError(
            f"{ranks} ranks: there were {on_each} on each {made_for.on} host; accepted are "
            "multiples."
        )
    words = ["--on", made_for.on, hosts, str(ranks // on_each)]
    return words if on_each == 1 else [*words, "--ranks", str(ranks)]
