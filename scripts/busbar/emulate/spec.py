"""What an emulated fabric is asked to be: hosts, switches, how fast each link is, aggregators."""

import os
import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from busbar.leaves import spread

Direction = Literal["tx", "rx", "both"]

DEFAULT_RATE_BPS = 400_000_000  # four such links keep two cores busy, not saturated

ONE_SWITCH = "switch"
SPINE = "spine"

_UNITS = {"kbit": 1_000, "mbit": 1_000_000, "gbit": 1_000_000_000}
_RATE = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>kbit|mbit|gbit)", re.IGNORECASE)
_OVERRIDE = re.compile(r"(?P<name>[^.=]+)(?:\.(?P<direction>tx|rx))?=(?P<rate>.+)")

_RATE_HELP = "a number with the unit kbit, mbit or gbit, such as 400mbit"


class RateOverride(BaseModel):
    """A rate of one host's own: what it sends (`tx`), what it receives (`rx`), or both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    direction: Direction = "both"
    rate_bps: int = Field(gt=0)


class UplinkOverride(BaseModel):
    """A rate of one leaf's own: what it sends to the spine (`tx`), what it receives, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    leaf: str
    direction: Direction = "both"
    rate_bps: int = Field(gt=0)


class LinkRates(NamedTuple):
    """The rates of one link, in bits per second, as its lower end sees them."""

    tx_bps: int
    rx_bps: int


class EmulationSpec(BaseModel):
    """An emulated fabric: hosts of known link rate around switches that never block.

    One leaf is one switch with all hosts. More are switches of their own, each with a block of
    consecutive hosts, joined by uplinks of known rate to a spine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hosts: int = Field(default=4, ge=1, le=250)
    rate_bps: int = Field(default=DEFAULT_RATE_BPS, gt=0)
    overrides: tuple[RateOverride, ...] = ()  # the last one that names a host and direction holds

    leaves: int = Field(default=1, ge=1)
    uplink_bps: int | None = Field(default=None, gt=0)  # each way; required from 2 leaves on
    uplink_overrides: tuple[UplinkOverride, ...] = ()  # as `overrides`

    # Processes that reduce at each switch, on a host of their own there; one per parallel tree.
    aggregators: int = Field(default=0, ge=0)

    # One TCP segment as the kernel hands it down is up to 64 KiB, so a smaller bucket would chop
    # each one; a larger bucket lets small messages pass faster than the line.
    burst_bytes: int = Field(default=64 * 1024, gt=0)
    # Longer than the capped socket buffers of many connections can fill: the queue never drops.
    # With 2 ms it does, and each drop costs a retransmission time-out of 200 ms.
    queue_ms: int = Field(default=200, gt=0)
    mtu: int = Field(default=9000, ge=1280, le=65535)
    # With the kernel's default of several MiB, connections that share a link fill its queue
    # unevenly and one launch differs from the next by a quarter.
    socket_buffer_bytes: int = Field(default=128 * 1024, ge=4096)
    # Pinned, since a machine's default may pace itself (bbr) and then set the rate in our place.
    # reno is the one that every kernel has and lets an ordinary user's namespace choose.
    congestion_control: str = Field(default="reno", min_length=1)
    # Waiting processes give up the core: None means "where ranks and aggregators outnumber cores".
    yield_when_idle: bool | None = None

    @property
    def host_names(self) -> tuple[str, ...]:
        """The workers' hosts."""
        return tuple(f"host{i}" for i in range(1, self.hosts + 1))

    @property
    def leaf_names(self) -> tuple[str, ...]:
        """The switches below the spine; none where one switch is all there is."""
        return () if self.leaves == 1 else tuple(f"leaf{i}" for i in range(1, self.leaves + 1))

    @property
    def switch_names(self) -> tuple[str, ...]:
        """All switches, from the top."""
        return (SPINE, *self.leaf_names) if self.leaves > 1 else (ONE_SWITCH,)

    @property
    def hosts_below(self) -> dict[str, tuple[str, ...]]:
        """The hosts linked to each switch; only switches that have some."""
        lowest = self.leaf_names or self.switch_names
        return dict(zip(lowest, spread(self.host_names, self.leaves), strict=True))

    @property
    def slowest_bps(self) -> int:
        """The rate of the slowest way of the slowest link."""
        links = [self.rates_of(host) for host in self.host_names]
        links += [self.uplink_rates_of(leaf) for leaf in self.leaf_names]
        return min(min(link) for link in links)

    def rates_of(self, host: str) -> LinkRates:
        """The rates of one host's link, after the overrides."""
        own = [one for one in self.overrides if one.host == host]
        return _rates(self.rate_bps, own)

    def uplink_rates_of(self, leaf: str) -> LinkRates:
        """The rates of one leaf's uplink, after the overrides; tx is from the leaf to the spine."""
        assert self.uplink_bps is not None
        own = [one for one in self.uplink_overrides if one.leaf == leaf]
        return _rates(self.uplink_bps, own)

    @model_validator(mode="after")
    def _overrides_name_hosts(self) -> "EmulationSpec":
        for override in self.overrides:
            if override.host not in self.host_names:
                raise ValueError(
                    f"rate for unknown host '{override.host}': the hosts are "
                    f"host1 to host{self.hosts}"
                )
        return self

    @model_validator(mode="after")
    def _leaves_have_hosts_and_uplinks(self) -> "EmulationSpec":
        if self.leaves > self.hosts:
            raise ValueError(
                f"{self.leaves} leaves for {self.hosts} hosts: each leaf needs a host of its own"
            )
        if self.leaves == 1 and (self.uplink_bps is not None or self.uplink_overrides):
            raise ValueError("uplinks join leaves to a spine: they need 2 leaves or more")
        if self.leaves > 1 and self.uplink_bps is None:
            raise ValueError(
                f"{self.leaves} leaves have no uplink rate: they need one, such as --uplink 800mbit"
            )
        for override in self.uplink_overrides:
            if override.leaf not in self.leaf_names:
                raise ValueError(
                    f"uplink rate for unknown leaf '{override.leaf}': the leaves are "
                    f"leaf1 to leaf{self.leaves}"
                )
        return self


def _rates(common_bps: int, own: Iterable[RateOverride | UplinkOverride]) -> LinkRates:
    """The common rate, or what the last override of each direction says."""
    tx = rx = common_bps
    for override in own:
        tx = override.rate_bps if override.direction != "rx" else tx
        rx = override.rate_bps if override.direction != "tx" else rx
    return LinkRates(tx, rx)


def parse_rate(text: str) -> int:
    """Bits per second of a rate such as `100mbit`."""
    match = _RATE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"rate '{text}' is not {_RATE_HELP}")
    rate = round(float(match["number"]) * _UNITS[match["unit"].lower()])
    if rate == 0:
        raise ValueError(f"rate '{text}' is zero: a link needs {_RATE_HELP}")
    return rate


def parse_rate_override(text: str) -> RateOverride:
    """The override that `host2=100mbit`, `host2.tx=100mbit` or `host2.rx=100mbit` asks for."""
    host, direction, rate_bps = _parse_override(text, "HOST", "host2")
    return RateOverride(host=host, direction=direction, rate_bps=rate_bps)


def parse_uplink_override(text: str) -> UplinkOverride:
    """The override that `leaf2=400mbit`, `leaf2.tx=400mbit` or `leaf2.rx=400mbit` asks for."""
    leaf, direction, rate_bps = _parse_override(text, "LEAF", "leaf2")
    return UplinkOverride(leaf=leaf, direction=direction, rate_bps=rate_bps)


def _parse_override(text: str, what: str, example: str) -> tuple[str, Direction, int]:
    match = _OVERRIDE.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"rate '{text}' is not {what}=RATE, {what}.tx=RATE or {what}.rx=RATE, "
            f"such as {example}=100mbit"
        )
    direction: Direction = "both"
    if match["direction"] is not None:
        direction = "tx" if match["direction"] == "tx" else "rx"
    return match["name"], direction, parse_rate(match["rate"])


def spec_from_options(
    hosts: int | None = None,
    rates: Sequence[str] = (),
    *,
    leaves: int = 1,
    uplinks: Sequence[str] = (),
    aggregators: int = 0,
) -> EmulationSpec:
    """The spec that `--hosts N --rate 400mbit --leaves 2 --uplink 800mbit` and so on ask for.

    `rates` and `uplinks` hold one text for each time the option was given: a rate for all links
    or, with a name before it, for one (`host2.tx=100mbit`, `leaf2=400mbit`).
    Raises ValueError with one sentence that names the culprit.
    """
    of_hosts = [parse_rate_override(text) for text in rates if "=" in text]
    of_leaves = [parse_uplink_override(text) for text in uplinks if "=" in text]
    of_all_hosts = [parse_rate(text) for text in rates if "=" not in text]
    of_all_leaves = [parse_rate(text) for text in uplinks if "=" not in text]
    try:
        return EmulationSpec(
            hosts=default_hosts() if hosts is None else hosts,
            rate_bps=of_all_hosts[-1] if of_all_hosts else DEFAULT_RATE_BPS,
            overrides=tuple(of_hosts),
            leaves=leaves,
            uplink_bps=of_all_leaves[-1] if of_all_leaves else None,
            uplink_overrides=tuple(of_leaves),
            aggregators=aggregators,
        )
    except ValidationError as error:
        raise ValueError(_one_sentence(error)) from None


def _one_sentence(error: ValidationError) -> str:
    """What is wrong with the options, in the words of the command line."""
    first = error.errors()[0]
    accepted = {"hosts": "from 1 to 250", "leaves": "from 1 up", "aggregators": "from 0 up"}
    for option, numbers in accepted.items():
        if first["loc"] == (option,):
            return f"--{option} {first['input']} is not a number {numbers}"
    return first["msg"].removeprefix("Value error, ")


def default_hosts() -> int:
    """How many hosts this machine carries well: two for each core, from 2 to 16."""
    cores = len(os.sched_getaffinity(0))
    return max(2, min(2 * cores, 16))
