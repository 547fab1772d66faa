"""The search space of a transport, as data: which settings there are, and which may be tried.

One TOML file for each in `spaces/`. A setting of scope `call` can be changed for each
operation and size in a live process; one of scope `process` is read once and needs a fresh one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from busbar.documents import parse
from busbar.errors import UsageError
from busbar.record.base import Model, Name
from busbar.tune.candidate import DEFAULT, Candidate

Scope = Literal["call", "process"]
Safety = Literal["search", "propose", "never"]
"""`search`: a wrong value costs time only. `propose`: it belongs to the site; it is named in the
report and never tried. `never`: for debugging, or it can corrupt or hang, or it would beat what the
search sets; it is not even named."""
RanksNeeded = Literal["any", "2", "even", "power of two"]
NodesNeeded = Literal["any", "one", "several", "one for each rank", "fewer than ranks"]
Hosts = Literal["real", "simulated", "any"]

MOST_CANDIDATES = 10_000
"""More than any search looks at; what would list more of them is searched in parts."""

Version = Annotated[str, Field(pattern=r"^\d+(\.\d+)+$")]

_SPACES = Path(__file__).parent / "spaces"


class Value(Model):
    """One value that a setting takes."""

    value: Name
    label: str = ""
    """What the library's own documentation calls it."""
    ranks: RanksNeeded = "any"
    """Numbers of ranks that it works with; the library does something else, or fails, on others."""
    nodes: NodesNeeded = "any"
    """Numbers of nodes that it works on."""
    most_ranks: int | None = Field(default=None, ge=2)
    """Numbers of ranks above it are not tried, as that takes too long."""
    ops: list[Name] = Field(default_factory=list)
    """Operations that have it; none named: all of the setting's."""
    vectors: int = Field(default=0, ge=0)
    """Of the point's size, that every rank keeps beside its buffers: simulated ones all in this
    machine's memory."""
    since: Version | None = None
    """The first version of the library that takes it."""
    only_with: dict[str, list[str]] = Field(default_factory=dict)
    """As a setting's: what it can be combined with."""
    model: str | None = None
    """The algorithm in `theory.least` whose least time prunes it; None: never pruned."""

    def works_with(self, ranks: int) -> bool:
        """Whether so many ranks can use it."""
        if self.most_ranks is not None and ranks > self.most_ranks:
            return False
        if self.ranks == "any":
            return True
        if self.ranks == "2":
            return ranks == 2
        return ranks % 2 == 0 if self.ranks == "even" else ranks.bit_count() == 1

    def works_on(self, nodes: int, ranks: int) -> bool:
        """Whether so many ranks on so many nodes can use it."""
        if self.nodes == "any":
            return True
        if self.nodes == "one for each rank":
            return nodes == ranks
        if self.nodes == "fewer than ranks":
            return nodes < ranks
        return (nodes == 1) == (self.nodes == "one")


def _spelled_out(value: Any) -> Any:
    return {"value": value} if isinstance(value, str) else value


def _holds(condition: Mapping[str, list[str]], settings: Mapping[str, str]) -> bool:
    return all(
        name in settings and ("*" in accepted or settings[name] in accepted)
        for name, accepted in condition.items()
    )


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
    since: Version | None = None
    """The first version of the library that has it."""
    counts: Literal["ctas"] | None = None
    """What its values count, where a workload may set a limit: a GPU's thread blocks (CTAs), one
    for each channel of NCCL."""

    @model_validator(mode="after")
    def _check(self) -> Setting:
        if (self.safety == "search") != bool(self.values):
            raise ValueError("a setting that is searched has values, and only such a one")
        return self

    def belongs_with(self, settings: Mapping[str, str]) -> bool:
        """Whether it has a meaning beside these."""
        return _holds(self.only_with, settings)

    def values_beside(self, settings: Mapping[str, str]) -> list[str]:
        """The values that can be combined with these."""
        return [v.value for v in self.values if _holds(v.only_with, settings)]


class Space(Model):
    """All settings of one transport. A setting comes after those that it depends on."""

    transport: Name
    library: Name
    """What the settings are those of, with its versions."""
    hosts: Hosts = "real"
    """Where that library runs."""
    setting: list[Setting]

    @model_validator(mode="after")
    def _check(self) -> Space:
        seen: set[str] = set()
        for setting in self.setting:
            needed = set(setting.only_with).union(*(v.only_with for v in setting.values))
            if missing := needed - seen:
                raise ValueError(
                    f"{setting.name} depends on {min(missing)}, which is not before it"
                )
            if setting.name in seen:
                raise ValueError(f"{setting.name} is there twice")
            seen.add(setting.name)
        return self

    def is_for(self, *, simulated: bool) -> bool:
        """Whether its settings have a meaning on simulated hosts, or on real ones."""
        return self.hosts in ("any", "simulated" if simulated else "real")

    def named(self, safety: Safety) -> list[Setting]:
        """The settings of that safety, in order."""
        return [setting for setting in self.setting if setting.safety == safety]

    def of_version(self, version: str) -> Space:
        """What that version of the library has, such as `2.28.9` or `Open MPI v4.1.4`.

        Raises UsageError where the text holds no version.
        """
        has = version_in(version)

        def known(since: str | None) -> bool:
            return since is None or version_in(since) <= has

        kept = [
            _with_values(setting, [v for v in setting.values if known(v.since)])
            for setting in self.setting
            if known(setting.since)
        ]
        return self.model_copy(update={"setting": _still_searched(kept)})

    def capped(self, max_ctas: int) -> Space:
        """What keeps to a workload's limit of CTAs, which are left to its computation.

        Of what can be set for a call, only candidates that name their channels are left: an
        algorithm that leaves them to the library may take more. The default stays what it is, for
        nobody sets it; it keeps to the limit only if the program itself does (`maxCTAs` of its
        communicators, or NCCL_MAX_CTAS). Of what is set for a process, values above the limit go.
        Raises UsageError below 1.
        """
        if max_ctas < 1:
            raise UsageError(f"a limit of {max_ctas} CTAs leaves none; accepted is 1 or more")
        counting = [s for s in self.named("search") if s.counts == "ctas" and s.scope == "call"]
        capped = [
            _with_values(s, [v for v in s.values if int(v.value) <= max_ctas], counting)
            if s.counts == "ctas"
            else _with_values(s, s.values, counting)
            for s in self.setting
        ]
        return self.model_copy(update={"setting": _still_searched(capped)})

    def of_calls(self, op: str, ranks: int, nodes: int | None = None) -> PointSpace:
        """What can be tried in a live process for an operation on so many ranks.

        `nodes`: of these ranks; None where it is not known, which leaves nothing out.
        """

        def fits(value: Value) -> bool:
            here = nodes is None or value.works_on(nodes, ranks)
            return here and value.works_with(ranks) and (not value.ops or op in value.ops)

        found = [
            _with_values(setting, [v for v in setting.values if fits(v)])
            for setting in self.named("search")
            if setting.scope == "call" and (not setting.ops or op in setting.ops)
        ]
        return PointSpace(tuple(setting for setting in found if setting.values))

    def models(self, op: str, candidate: Candidate) -> tuple[str, ...]:
        """The algorithms in `theory.least` that a candidate's values are known to be."""
        return tuple(v.model for v in self._values_of(op, candidate) if v.model is not None)

    def vectors(self, op: str, candidate: Candidate) -> int:
        """Those that every rank keeps for itself under a candidate."""
        return sum(value.vectors for value in self._values_of(op, candidate))

    def _values_of(self, op: str, candidate: Candidate) -> Iterator[Value]:
        for setting in self.named("search"):
            if not setting.ops or op in setting.ops:
                yield from (
                    value
                    for value in setting.values
                    if candidate.settings.get(setting.name) == value.value
                )

    def of_processes(self) -> PointSpace:
        """What can be tried with fresh processes, in every combination."""
        return PointSpace(tuple(s for s in self.named("search") if s.scope == "process"))

    def parts_of_processes(self) -> list[PointSpace]:
        """The same in parts, for a space with too many combinations.

        One part for each setting, with those that depend on it; a search takes the best of a part
        along to the next one.
        """
        parts: list[list[Setting]] = []
        for setting in self.of_processes().settings:
            names = set(setting.only_with)
            home = next((p for p in parts if names & {other.name for other in p}), None)
            if home is None:
                parts.append([setting])
            else:
                home.append(setting)
        return [PointSpace(tuple(part)) for part in parts]


@dataclass(frozen=True)
class PointSpace:
    """The settings that one search chooses among."""

    settings: tuple[Setting, ...]

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """All there are, the default first.

        Raises ValueError beyond MOST_CANDIDATES.
        """
        found = [DEFAULT]
        for setting in self.settings:
            found = [longer for shorter in found for longer in _with(setting, shorter)]
            if len(found) > MOST_CANDIDATES:
                raise ValueError(f"more than {MOST_CANDIDATES} candidates; search them in parts")
        return tuple(found)

    def short_name(self, candidate: Candidate) -> str:
        """`algorithm=4`, where the operation is known; unique among its candidates."""
        shorts = {setting.name: setting.short or setting.name for setting in self.settings}
        words = [f"{shorts[name]}={value}" for name, value in candidate.values]
        return " ".join(words) or candidate.name

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
        for value in setting.values_beside(shorter.settings):
            yield shorter.with_value(setting.name, value)


def _with_values(
    setting: Setting, values: list[Value], counting: Iterable[Setting] = ()
) -> Setting:
    """The setting with these values; `counting` ones must be named wherever they can be.

    Of a setting that they depend on, only the values that they go with are left.
    """
    for other in counting:
        if setting.name == other.name:
            return setting.model_copy(update={"values": values, "required": True})
        accepted = other.only_with.get(setting.name, ["*"])
        if "*" not in accepted:
            values = [v for v in values if v.value in accepted]
    return setting.model_copy(update={"values": values})


def _still_searched(settings: list[Setting]) -> list[Setting]:
    """Less those that were searched and have nothing left to be."""
    return [s for s in settings if s.safety != "search" or s.values]


def version_in(text: str) -> tuple[int, ...]:
    """The first version in a text: (2, 28, 9). Raises UsageError where there is none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    if found is None:
        raise UsageError(f"'{text}' holds no version; accepted is one such as 2.28.9")
    return tuple(int(number) for number in found[0].split("."))


def space_names() -> list[str]:
    """All that `load_space` knows."""
    return sorted(path.stem for path in _SPACES.glob("*.toml"))


def load_space(name: str) -> Space:
    """The space of a transport, `tree` or `simulated`. Raises UsageError where there is none."""
    path = _SPACES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(space_names())
        raise UsageError(f"no search space is called '{name}'; accepted: {known}")
    return parse_space(path.read_text(encoding="utf-8"), path.name)


def parse_space(text: str, origin: str) -> Space:
    """The space that a TOML document describes. Raises UsageError naming the origin and the key."""
    return parse(Space, text, origin)
