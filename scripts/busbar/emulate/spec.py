"""What an emulated fabric is asked to be: how many hosts, and how fast each one's link is."""

import os
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Direction = Literal["tx", "rx", "both"]

DEFAULT_RATE_BPS = 400_000_000  # four such links keep two cores busy, not saturated

_UNITS = {"kbit": 1_000, "mbit": 1_000_000, "gbit": 1_000_000_000}
_RATE = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>kbit|mbit|gbit)", re.IGNORECASE)
_OVERRIDE = re.compile(r"(?P<host>[^.=]+)(?:\.(?P<direction>tx|rx))?=(?P<rate>.+)")

_RATE_HELP = "a number with the unit kbit, mbit or gbit, such as 400mbit"


class RateOverride(BaseModel):
    """A rate of one host's own: what it sends (`tx`), what it receives (`rx`), or both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    direction: Direction = "both"
    rate_bps: int = Field(gt=0)


class LinkRates(NamedTuple):
    """The rates of one host's link, in bits per second."""

    tx_bps: int
    rx_bps: int


class EmulationSpec(BaseModel):
    """An emulated fabric: hosts of known link rate around one switch that never blocks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hosts: int = Field(default=4, ge=1, le=250)
    rate_bps: int = Field(default=DEFAULT_RATE_BPS, gt=0)
    overrides: tuple[RateOverride, ...] = ()  # the last one that names a host and direction holds

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
    # Waiting ranks give up the core: None means "where ranks outnumber cores".
    yield_when_idle: bool | None = None

    @property
    def host_names(self) -> tuple[str, ...]:
        return tuple(f"host{i}" for i in range(1, self.hosts + 1))

    def rates_of(self, host: str) -> LinkRates:
        """The rates of one host's link, after the overrides."""
        tx = rx = self.rate_bps
        for override in self.overrides:
            if override.host == host:
                tx = override.rate_bps if override.direction != "rx" else tx
                rx = override.rate_bps if override.direction != "tx" else rx
        return LinkRates(tx, rx)

    @model_validator(mode="after")
    def _overrides_name_hosts(self) -> "EmulationSpec":
        for override in self.overrides:
            if override.host not in self.host_names:
                raise ValueError(
                    f"rate for unknown host '{override.host}': the hosts are "
                    f"host1 to host{self.hosts}"
                )
        return self


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
    match = _OVERRIDE.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"rate '{text}' is not HOST=RATE, HOST.tx=RATE or HOST.rx=RATE, such as host2=100mbit"
        )
    direction: Direction = "both"
    if match["direction"] is not None:
        direction = "tx" if match["direction"] == "tx" else "rx"
    return RateOverride(host=match["host"], direction=direction, rate_bps=parse_rate(match["rate"]))


def spec_from_options(hosts: int | None = None, rates: Sequence[str] = ()) -> EmulationSpec:
    """The spec that `--hosts N --rate 400mbit --rate host2=100mbit` asks for.

    Raises ValueError with one sentence that names the culprit.
    """
    common = DEFAULT_RATE_BPS
    overrides: list[RateOverride] = []
    for text in rates:
        if "=" in text:
            overrides.append(parse_rate_override(text))
        else:
            common = parse_rate(text)
    try:
        return EmulationSpec(
            hosts=default_hosts() if hosts is None else hosts,
            rate_bps=common,
            overrides=tuple(overrides),
        )
    except ValidationError as error:
        first = error.errors()[0]
        if first["loc"] == ("hosts",):
            raise ValueError(f"--hosts {hosts} is not a number from 1 to 250") from None
        raise ValueError(first["msg"].removeprefix("Value error, ")) from None


def default_hosts() -> int:
    """How many hosts this machine carries well: two for each core, from 2 to 16."""
    cores = len(os.sched_getaffinity(0))
    return max(2, min(2 * cores, 16))
