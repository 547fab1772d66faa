"""What is wrong with a simulated network: links of which only a share is left.

It is apart from the fabric file, which says what the network should be, so that a judge holds the
one against the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from busbar.errors import UsageError
from busbar.simulate.description import Flap, Link, PlacedLink, Platform
from busbar.units import parse_time_us

_DIRECTIONS = (".tx", ".rx")
_STALLED = 1.0
"""Bytes per second of a link that carries nothing: at a rate of 0 SimGrid limits nothing."""
_SHARE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_LONGEST_STALL_US = 500e3
"""News of the next start waits for its end, and the engine rests for a second at most."""


@dataclass(frozen=True)
class Period:
    """Again and again: for the first `for_us` of every `every_us` of the simulation."""

    for_us: float
    every_us: float

    def __str__(self) -> str:
        return f"{_time(self.for_us)} of every {_time(self.every_us)}"


@dataclass(frozen=True)
class Fault:
    """A link, or one direction of it, of which only a share is left."""

    link: str
    """Its name as it was given."""
    share: float
    flap: Period | None = None
    """None where it is for ever."""

    def __str__(self) -> str:
        left = f"{self.link} at {100 * self.share:.12g} %"
        return left if self.flap is None else f"{left} for {self.flap}"

    def left_of(self, link: Link) -> Link:
        """The link as it is with this fault."""
        left = self.share * link.bytes_per_s
        if self.flap is None:
            return replace(link, bytes_per_s=left)
        seconds = (self.flap.for_us / 1e6, self.flap.every_us / 1e6)
        return replace(link, flap=Flap(*seconds, max(left, _STALLED)))


def parse_fault(text: str) -> Fault:
    """The fault that `host3.tx=0.8` or `leaf1=0:1ms/10ms` describes.

    Raises UsageError for anything else.
    """
    link, _, rest = text.partition("=")
    share_text, colon, times = rest.partition(":")
    span, slash, period = times.partition("/")
    if not link or not _SHARE.fullmatch(share_text) or bool(colon) != bool(slash):
        raise UsageError(
            f"--link {text}: accepted is NAME=SHARE or NAME=SHARE:FOR/EVERY, such as host3.tx=0.8 "
            "or leaf1=0:1ms/10ms."
        )
    share = float(share_text)
    if share >= 1:
        raise UsageError(f"--link {text}: accepted is a share of the link's rate below 1.")
    if colon:
        return Fault(link, share, _period(text, share, span, period))
    if share == 0:
        raise UsageError(
            f"--link {text}: who waits for a link that never carries anything waits for ever; "
            "accepted is the share of its cables that is left, or fewer --nodes, without the host."
        )
    return Fault(link, share)


def _period(text: str, share: float, span: str, period: str) -> Period:
    try:
        found = Period(parse_time_us(span), parse_time_us(period))
    except UsageError as error:
        raise UsageError(f"--link {text}: {error.message}") from None
    if not 0 < found.for_us < found.every_us:
        raise UsageError(f"--link {text}: accepted is a FOR above 0 and below EVERY.")
    if share == 0 and found.for_us > _LONGEST_STALL_US:
        raise UsageError(
            f"--link {text}: accepted are stalls of at most {_time(_LONGEST_STALL_US)}, as ranks "
            "agree upon each sample through the same links."
        )
    return found


def degraded(platform: Platform, faults: Sequence[Fault]) -> Platform:
    """The platform with these faults.

    Raises UsageError for a link that it has not, and for one that is named twice.
    """
    links = [part for part in platform.parts if isinstance(part, PlacedLink)]
    names = [link.name for link in links if link.name.endswith(_DIRECTIONS)]
    by_name = _by_direction(faults, names)
    return replace(platform, parts=tuple(_with_fault(part, by_name) for part in platform.parts))


def sentence(faults: Sequence[Fault]) -> str | None:
    """What a record says of them; None where nothing is wrong."""
    return "; ".join(map(str, faults)) or None


def _by_direction(faults: Sequence[Fault], names: Sequence[str]) -> dict[str, Fault]:
    """The fault of each direction of a link, by its name."""
    known, found = set(names), dict[str, Fault]()
    for fault in faults:
        meant = {fault.link, *(fault.link + direction for direction in _DIRECTIONS)} & known
        if not meant:
            raise UsageError(
                f"--link {fault.link}: no link is called that here; accepted are "
                f"{_kinds(names)}, alone or with .tx or .rx for one direction."
            )
        if twice := meant & found.keys():
            raise UsageError(f"--link names {min(twice)} twice; accepted is once per direction.")
        found |= dict.fromkeys(meant, fault)
    return found


def _with_fault(part: str | PlacedLink, faults: Mapping[str, Fault]) -> str | PlacedLink:
    if isinstance(part, str) or part.name not in faults:
        return part
    return replace(part, link=faults[part.name].left_of(part.link))


def _time(time_us: float) -> str:
    """With all digits, as it is what a record says of the run."""
    for factor, unit in ((1e6, "s"), (1e3, "ms")):
        if time_us >= factor:
            return f"{time_us / factor:.12g} {unit}"
    return f"{time_us:.12g} us"


def _kinds(names: Sequence[str]) -> str:
    """First and last of the names that differ by their numbers only."""
    kinds: dict[str, list[str]] = {}
    for link in dict.fromkeys(name.rpartition(".")[0] for name in names):
        kinds.setdefault(re.sub(r"\d+", "", link), []).append(link)
    ranges = [one[0] if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in kinds.values()]
    return ", ".join(ranges)
