"""The table of libnccl-tuner-busbar.so, which is NVIDIA's example tuner's CSV as well.

One file serves both. Its ten columns, their order and their words are those of NVIDIA's example
(plugins/tuner/example of NCCL 2.30.7), whose reader shaped the rest: it takes a line of column
names for a row, so that line is a comment; it cuts lines at 256 characters; it knows no end but a
number. It also forces one channel where a row leaves channels to NCCL, and crashes in 2.28 and
2.29, so the file says which plugin it is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from busbar.errors import UsageError
from busbar.tune.outputs.header import comments, made_for
from busbar.tune.outputs.sayable import sayable
from busbar.tune.ranges import SizeRange, ranges
from busbar.tune.tuned import Choice, Tuned

_FUNCTIONS = {
    "all_reduce": "allreduce",
    "all_gather": "allgather",
    "reduce_scatter": "reducescatter",
    "broadcast": "broadcast",
    "reduce": "reduce",
}
"""NCCL asks a tuner about these only; its bytes are our size (reference: ncclTunerPlugin_v5)."""

_ALGORITHMS = ("tree", "ring", "collnet_direct", "collnet_chain", "nvls", "nvls_tree", "pat")
_PROTOCOLS = ("ll", "ll128", "simple")
_COLLNET = ("collnet", "sharp")
"""`in_network` that is a communicator's CollNet, which `environment_of` puts in its place."""

_COLUMNS = (
    "collective_type,min_bytes,max_bytes,algorithm,protocol,channels,nNodes,nRanks,"
    "numPipeOps,regBuff"
)

NO_END = 4294967295
"""The largest number that NVIDIA's README gives, which readers take for no end at all."""


def says(choice: Choice) -> bool:
    """Whether a row can hold this choice's settings, all of them."""
    return choice.op in _FUNCTIONS and _fits(choice.settings)


def _fits(settings: Mapping[str, str]) -> bool:
    named = {"algorithm", "protocol"} <= set(settings)
    known = set(settings) <= {"algorithm", "protocol", "channels", "in_network"}
    return named and known and settings.get("in_network", "collnet") in _COLLNET


def tuner_table(tuned: Tuned) -> str | None:
    """The table; None where nothing is kept that it could say.

    Sizes outside of what was proven have no row, so they stay NCCL's. Raises UsageError for a
    value that is no algorithm, protocol or number of channels.
    """
    rows = list(_rows(tuned))
    if not rows:
        return None
    head = [
        "busbar tuner table, for libnccl-tuner-busbar.so: NCCL_TUNER_PLUGIN=busbar and",
        "BUSBAR_TUNER_TABLE=THIS FILE, on every node the same. NVIDIA's example tuner reads it,",
        "too, but that of NCCL 2.28 and 2.29 crashes, and it takes channels -1 for one channel.",
        *made_for(tuned),
        "",
        "A table cannot tell datatypes apart. Sizes without a row are NCCL's to decide.",
        _COLUMNS,
    ]
    return comments(head) + "".join(f"{row}\n" for row in rows)


def _rows(tuned: Tuned) -> Iterator[str]:
    if tuned.made_for.transport != "nccl":
        return
    where = f"{tuned.made_for.nodes},{tuned.made_for.ranks},-1,-1"
    for found in ranges(sayable(tuned.choices, says)):
        yield f"{_FUNCTIONS[found.op]},{_sizes(found)},{_what(found)},{where}"


def _sizes(found: SizeRange) -> str:
    # One size less is the library's again; the other way every larger one would be ours.
    return f"{found.min_bytes},{found.max_bytes - (found.max_bytes == NO_END)}"


def _what(found: SizeRange) -> str:
    settings = found.settings
    algorithm = _one_of(settings, "algorithm", _ALGORITHMS)
    protocol = _one_of(settings, "protocol", _PROTOCOLS)
    channels = settings.get("channels", "-1")
    if "channels" in settings and not (channels.isdecimal() and 1 <= int(channels) <= 64):
        raise UsageError(f"channels={channels} of {found.op}: accepted is 1 to 64")
    return f"{algorithm},{protocol},{channels}"


def _one_of(settings: Mapping[str, str], name: str, accepted: tuple[str, ...]) -> str:
    if settings[name] not in accepted:
        raise UsageError(f"{name}={settings[name]}: accepted are {', '.join(accepted)}")
    return settings[name]
