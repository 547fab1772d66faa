"""The result of a tuning: what was proven, for what, at what cost. Every file is made out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from busbar.errors import UsageError
from busbar.record.base import Count, Interval, Model, Name, NonNegative, Timestamp
from busbar.validation import describe

FILE_NAME = "tuned.json"


class MadeFor(Model):
    """Where it was proven, and so the only place where it is known to hold."""

    transport: Name
    fabric: str | None
    on: Name
    versions: dict[str, str]
    """Of the libraries, as the run record has them."""
    nodes: int = Field(ge=1)
    ranks: int = Field(ge=1)
    fake: bool
    simulated: bool = False
    """The hosts do not exist, so it holds nowhere but in simulations."""
    made: Timestamp


class Choice(Model):
    """What became of one operation at one size."""

    op: Name
    size_bytes: Count
    datatype: Name
    redop: str | None
    weight: NonNegative
    """Executions in the workload."""
    settings: dict[str, str]
    """Of scope `call`; empty where the default stays."""
    tried: dict[str, str]
    """What the search thought best, whether or not it was proven."""
    default_us: NonNegative
    tuned_us: NonNegative
    """Under `tried`, in the launches of the proof."""
    gain: NonNegative
    """Median over launches of the default's time over the other's."""
    gain_interval: Interval | None
    why: Name
    """One sentence: why it is kept, or why the default stays."""


class Cost(Model):
    """What finding it took."""

    search_seconds: NonNegative
    proof_seconds: NonNegative
    candidates_measured: Count
    candidates: Count
    """In the spaces of all points."""
    strategy: Name


class Tuned(Model):
    """`tuned.json`."""

    format: Literal["busbar tuned settings 1"] = "busbar tuned settings 1"
    made_for: MadeFor
    workload: Name
    space: Name | None = None
    """Of the settings that were searched, in `spaces/`; null: that of the transport."""
    environment: dict[str, str]
    """Settings of scope `process`; empty where the default stays."""
    choices: list[Choice]
    total_gain: NonNegative | None
    """Of the whole workload, only what is kept counted; None where nothing is kept."""
    total_gain_interval: Interval | None
    cost: Cost

    def space_name(self) -> str:
        """What `space.load_space` knows the settings by."""
        return self.space or self.made_for.transport

    def kept(self) -> list[Choice]:
        """The choices that are more than the default."""
        return [choice for choice in self.choices if choice.settings]


def load_tuned(path: Path) -> Tuned:
    """From `tuned.json`, or the folder it is in. Raises UsageError where it cannot be used."""
    file = path / FILE_NAME if path.is_dir() else path
    try:
        return Tuned.model_validate_json(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        raise UsageError(f"{file}: {describe(error, Tuned)}.") from None
