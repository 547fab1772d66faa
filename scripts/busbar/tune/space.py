"""The search space of a transport, as data: which settings there are, and which may be tried.

One TOML file per transport in `spaces/`. A setting of scope `call` can be changed for each
operation and size in a live process; one of scope `process` is read once and needs a fresh one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from busbar.errors import UsageError
from busbar.record.base import Model, Name
from busbar.tune.candidate import DEFAULT, Candidate
from busbar.validation import describe

Scope = Literal["call", "process"]
Safety = Literal["search", "propose", "never"]
"""`search`: a wrong value costs time only. `propose`: it belongs to the site; it is named in the
report and never tried. `never`: for debugging, or it can corrupt or hang; it is not even named."""
RanksNeeded = Literal["any", "2", "even", "power of two"]

_SPACES = Path(__file__).parent / "spaces"


class Value(Model):
    """One value that a setting takes."""

    value: Name
    label: str = ""
    """What the library's own documentation calls it."""
    ranks: RanksNeeded = "any"
    """Numbers of ranks that it works with; the library does something else, or fails, on others."""
    model: str | None = None
    """The algorithm in `theory.least` whose least time prunes it; None: never pruned."""

    def works_with(self, ranks: int) -> bool:
        """Whether so many ranks can use it."""
        if self.ranks == "any":
            return True
        if self.ranks == "2":
            return ranks == 2
        return ranks % 2 == 0 if self.ranks == "even" else ranks.bit_count() == 1


def _spelled_out(value: Any) -> Any:
    return {"value": value} if isinstance(value, str) else value


class Setting(Model):
    """One thing that can be set."""

    name: Name
    """As the engine takes it of a variant, or as the variable is called."""
    scope: Scope
    safety: Safety
    effect: Name
    """What it trades against what, in one sentence."""
    source: Name
    ops: list[Name] = Field(default_factory=list)
    """Operations that it matters to; none named: all."""
    values: list[Annotated[Value, BeforeValidator(_spelled_out)]] = Field(default_factory=list)
    ordered: bool = False
    """Neighbouring values do nearly the same, so a search may walk along them."""
    only_with: dict[str, list[str]] = Field(default_factory=dict)
    """It has a meaning only where each of these settings has one of these values; `*` is any."""
    short: str = ""
    """What people are shown in its place where the operation is known; empty: its name."""
    required: bool = False
    """Where `only_with` holds it must have a value."""

    @model_validator(mode="after")
    def _check(self) -> Setting:
        if (self.safety == "search") != bool(self.values):
            raise ValueError("a setting that is searched has values, and only such a one")
        return self

    def belongs_with(self, settings: Mapping[str, str]) -> bool:
        """Whether it has a meaning beside these."""
        return all(
            name in settings and ("*" in accepted or settings[name] in accepted)
            for name, accepted in self.only_with.items()
        )


class Space(Model):
    """All settings of one transport. A setting comes after those that it depends on."""

    transport: Name
    library: Name
    """What the settings are those of, with its versions."""
    setting: list[Setting]

    @model_validator(mode="after")
    def _check(self) -> Space:
        seen: set[str] = set()
        for setting in self.setting:
            if missing := set(setting.only_with) - seen:
                raise ValueError(
                    f"{setting.name} depends on {min(missing)}, which is not before it"
                )
            if setting.name in seen:
                raise ValueError(f"{setting.name} is there twice")
            seen.add(setting.name)
        return self

    def named(self, safety: Safety) -> list[Setting]:
        """The settings of that safety, in order."""
        return [setting for setting in self.setting if setting.safety == safety]

    def of_calls(self, op: str, ranks: int) -> PointSpace:
        """What can be tried in a live process for an operation on so many ranks."""
        return PointSpace(
            tuple(
                setting.model_copy(
                    update={"values": [v for v in setting.values if v.works_with(ranks)]}
                )
                for setting in self.named("search")
                if setting.scope == "call" and (not setting.ops or op in setting.ops)
            )
        )

    def of_processes(self) -> PointSpace:
        """What can be tried with fresh processes."""
        return PointSpace(tuple(s for s in self.named("search") if s.scope == "process"))


@dataclass(frozen=True)
class PointSpace:
    """The settings that one search chooses among."""

    settings: tuple[Setting, ...]

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """All there are, the default first."""
        found = [DEFAULT]
        for setting in self.settings:
            found = [longer for shorter in found for longer in _with(setting, shorter)]
        return tuple(found)

    def short_name(self, candidate: Candidate) -> str:
        """`algorithm=4`, where the operation is known; unique among its candidates."""
        shorts = {setting.name: setting.short or setting.name for setting in self.settings}
        words = [f"{shorts[name]}={value}" for name, value in candidate.values]
        return " ".join(words) or candidate.name

    def models(self, candidate: Candidate) -> tuple[str, ...]:
        """The algorithms in `theory.least` that its values are known to be."""
        return tuple(
            value.model
            for setting in self.settings
            for value in setting.values
            if value.model is not None and candidate.settings.get(setting.name) == value.value
        )

    def contains(self, candidate: Candidate) -> bool:
        """Whether it is one of them."""
        return candidate in self._members

    def along(self, candidate: Candidate, setting: Setting) -> tuple[Candidate, ...]:
        """Those that differ from it in an ordered setting by one step, where there are any."""
        values = [value.value for value in setting.values]
        now = candidate.settings.get(setting.name)
        if not setting.ordered or now is None:
            return ()
        at = values.index(now)
        steps = [values[n] for n in (at - 1, at + 1) if 0 <= n < len(values)]
        return tuple(candidate.with_value(setting.name, value) for value in steps)

    def kinds(self) -> dict[tuple[tuple[str, str], ...], list[Candidate]]:
        """Candidates by what they have in settings without an order: one walk is made in each."""
        ordered = {setting.name for setting in self.settings if setting.ordered}
        found: dict[tuple[tuple[str, str], ...], list[Candidate]] = {}
        for candidate in self.candidates:
            kind = tuple((n, "" if n in ordered else v) for n, v in candidate.values)
            found.setdefault(kind, []).append(candidate)
        return found

    @cached_property
    def _members(self) -> frozenset[Candidate]:
        return frozenset(self.candidates)


def _with(setting: Setting, shorter: Candidate) -> Iterator[Candidate]:
    belongs = setting.belongs_with(shorter.settings)
    if not (belongs and setting.required):
        yield shorter
    if belongs:
        for value in setting.values:
            yield shorter.with_value(setting.name, value.value)


def load_space(transport: str) -> Space:
    """The space of a transport. Raises UsageError where there is none."""
    path = _SPACES / f"{transport}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in _SPACES.glob("*.toml")))
        raise UsageError(f"nothing to tune for transport '{transport}'; accepted: {known}")
    return parse_space(path.read_text(encoding="utf-8"), path.name)


def parse_space(text: str, origin: str) -> Space:
    """The space that a TOML document describes. Raises UsageError naming the origin and the key."""
    try:
        return Space.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{origin} is not TOML: {error}.") from None
    except ValidationError as error:
        raise UsageError(f"{origin}: {describe(error, Space)}.") from None
