"""The rows of a plan of stages: every point under every variant, with its need and evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from busbar.errors import UsageError
from busbar.fabrics.model import Sweep
from busbar.launch import nccl
from busbar.launch.binary import Described, OperationInfo
from busbar.launch.in_network import with_library, with_mechanisms
from busbar.launch.options import MeasureOptions, SweepOptions
from busbar.launch.plan import planned_keys
from busbar.launch.plans.document import Measure, PlanDocument, Stage
from busbar.launch.plans.groups import Found, Thinning, groups_of
from busbar.launch.plans.layout import Layout
from busbar.launch.plans.mechanisms import Mechanisms
from busbar.record.key import Group, format_ranks
from busbar.record.models import PlannedPoint, PointKey, Variant

DEFAULT = Variant(name="default", settings={}, environment={})
_RISING_NEED = ("waived", "optional", "required")
_STATED = "Stated in the plan, not looked up: "


@dataclass(frozen=True)
class Names:
    """What the variants of a plan are called, by what they ask for."""

    variants: tuple[Variant, ...]
    transport: str

    @classmethod
    def of(cls, document: PlanDocument, mechanisms: Mechanisms) -> Names:
        """Those that some group may need. Raises Incomplete where a library lacks something."""
        asked = any("in_network" in m.variants for stage in document.stage for m in stage.measure)
        possible = mechanisms.possible() if asked else []
        transport = mechanisms.transport
        if not possible:
            return cls((DEFAULT,), transport)
        made = with_mechanisms([DEFAULT], ["off", *possible], transport)
        # MPI's collective library is compared with itself, so that SHARP alone is the difference.
        ready = with_library(made, baseline="sharp" in possible, transport=transport)
        return cls((DEFAULT, *(v for v in ready if v.name != DEFAULT.name)), transport)

    def in_network(self, mechanism: str) -> str:
        """The variant that asks for a mechanism."""
        if self.transport == nccl.TRANSPORT:
            return mechanism
        return "sharp" if mechanism == "sharp" else "in_network"

    def without(self, mechanism: str) -> str:
        """The variant that differs from it in nothing but the reduction in the network."""
        if self.transport == nccl.TRANSPORT:
            return "off" if mechanism == "nvls" else DEFAULT.name
        host = [v.name for v in self.variants if mechanism == "sharp" and v.name.endswith("_host")]
        return host[0] if host else DEFAULT.name


@dataclass(frozen=True)
class Situation:
    """All that decides what a stage consists of here."""

    layout: Layout
    sweep: Sweep
    described: Described
    mechanisms: Mechanisms
    names: Names
    how: MeasureOptions


@dataclass(frozen=True)
class StageRows:
    """A stage as it is measured here."""

    stage: Stage
    groups: tuple[Group, ...]
    rows: tuple[PlannedPoint, ...]


def rows_of(document: PlanDocument, here: Situation, thinning: Thinning) -> list[StageRows]:
    """Every stage; what stages have in common belongs to the one that asks most of it.

    Raises UsageError where nothing at all can be measured.
    """
    ranks = len(here.layout.placement)
    if ranks < 2:
        raise UsageError(f"plan '{document.name}' needs at least 2 ranks; this launch has {ranks}")
    stages = []
    for stage in document.stage:
        found = groups_of(stage, here.layout, here.how.seed, thinning)
        stages.append(StageRows(stage, found.groups, tuple(_rows(stage, found, here))))
    stages = _each_once(stages)
    if all(row.need == "waived" for one in stages for row in one.rows):
        why = next((row.evidence for one in stages for row in one.rows), "it has no row")
        raise UsageError(f"nothing to measure by plan '{document.name}': {why}")
    return stages


def _each_once(stages: Sequence[StageRows]) -> list[StageRows]:
    """Of rows with the same key the strictest, and of those the first."""
    strictest: dict[PointKey, PlannedPoint] = {}
    for row in (row for one in stages for row in one.rows):
        if row.key not in strictest or _strictness(row) > _strictness(strictest[row.key]):
            strictest[row.key] = row
    return [
        replace(one, rows=tuple(row for row in one.rows if strictest[row.key] is row))
        for one in stages
    ]


def _strictness(row: PlannedPoint) -> tuple[int, bool]:
    return _RISING_NEED.index(row.need), row.needs_limit


def used(stages: Sequence[StageRows], variants: Sequence[Variant]) -> list[Variant]:
    """The variants that some row is measured under, in their order."""
    names = {row.key.variant for one in stages for row in one.rows if row.need != "waived"}
    return [variant for variant in variants if variant.name in names]


def _rows(stage: Stage, found: Found, here: Situation) -> Iterator[PlannedPoint]:
    if not found.groups:
        yield from _without_groups(stage, found.missing, here)
        return
    for measure in stage.measure:
        for op in measure.operations:
            info = here.described.operation(op)
            for groups, words in _alike(measure, info, found.groups, here):
                yield from _of_groups(stage, measure, op, found, groups, words, here)


@dataclass(frozen=True)
class _Words:
    """Variants of some groups, and why one of them is waived."""

    measured: tuple[str, ...]
    waived: str = ""
    evidence: str = ""


def _alike(
    measure: Measure, info: OperationInfo, groups: Sequence[Group], here: Situation
) -> Iterator[tuple[list[Group], _Words]]:
    """The groups by the variants that they are measured under."""
    sorted_out: dict[_Words, list[Group]] = {}
    for group in groups:
        sorted_out.setdefault(_words(measure, info, group, here), []).append(group)
    for words, members in sorted_out.items():
        yield members, words


def _words(measure: Measure, info: OperationInfo, group: Group, here: Situation) -> _Words:
    asked = measure.variants
    names = [DEFAULT.name] if "default" in asked else []
    if "in_network" not in asked and "without" not in asked:
        return _Words(tuple(names))
    mechanism = here.mechanisms.of_group(group, here.layout)
    evidence = here.mechanisms.why_waived(info, group, here.layout)
    own = here.names.in_network(mechanism)
    if evidence:
        # With nothing in the network, `without` would measure the default twice.
        return _Words(
            tuple(names) or (DEFAULT.name,), own if "in_network" in asked else "", evidence
        )
    if "without" in asked:
        names.append(here.names.without(mechanism))
    if "in_network" in asked:
        names.append(own)
    return _Words(tuple(dict.fromkeys(names)))


def _of_groups(
    stage: Stage,
    measure: Measure,
    op: str,
    found: Found,
    groups: Sequence[Group],
    words: _Words,
    here: Situation,
) -> Iterator[PlannedPoint]:
    names = [*words.measured, *([words.waived] if words.waived else [])]
    for key in _keys(measure, op, found, groups, names, here):
        if key.variant == words.waived:
            yield PlannedPoint(key=key, need="waived", evidence=words.evidence, stage=stage.name)
        elif stage.evidence is not None:
            stated = _STATED + stage.evidence
            yield PlannedPoint(key=key, need="waived", evidence=stated, stage=stage.name)
        else:
            yield PlannedPoint(
                key=key,
                need=stage.need,
                evidence=None,
                stage=stage.name,
                needs_limit=measure.limited and stage.need == "required",
            )


def _without_groups(stage: Stage, why: str, here: Situation) -> Iterator[PlannedPoint]:
    """What the stage would measure, under the name of the stage."""
    everyone = format_ranks(range(len(here.layout.placement)))
    nowhere = Group(name=stage.name, ranks=everyone, nodes=None)
    for measure in stage.measure:
        for op in measure.operations:
            for key in _keys(measure, op, Found((nowhere,)), [nowhere], [DEFAULT.name], here):
                yield PlannedPoint(key=key, need="waived", evidence=why, stage=stage.name)


def _keys(
    measure: Measure,
    op: str,
    found: Found,
    groups: Sequence[Group],
    names: Sequence[str],
    here: Situation,
) -> Iterator[PointKey]:
    sizes = measure.sizes_on(here.sweep)
    what = SweepOptions(
        operations=[op],
        min_bytes=sizes[0],
        max_bytes=sizes[-1],
        sizes=sizes,
        groups=groups,
        pattern=found.pattern,
    )
    variants = [Variant(name=name, settings={}, environment={}) for name in names]
    how = replace(here.how, variants=variants)
    return planned_keys(what, how, here.described, here.layout.ranks, here.mechanisms.transport)
