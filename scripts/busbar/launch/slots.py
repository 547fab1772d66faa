"""Which launches a run makes, and what each of them still owes.

A slot is a place in the plan: the k-th launch of one environment. A run that was killed fills what
a slot still misses with a new launch of the same slot, so nothing is measured twice.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from busbar.launch import sharp
from busbar.record.launch import Purpose
from busbar.record.models import Plan, PointKey, RunRecord, Variant

Observe = Literal["none", "widest", "largest", "all"]
"""`widest`: what `largest` visits, but on all ranks only, since plans have hundreds of groups; what
asks for reduction in the network has to be shown, so that is looked at on every group."""


@dataclass(frozen=True)
class Slot:
    """One launch of the plan."""

    index: int
    round: int
    """Slots of one round are compared with each other: the k-th launch of every environment."""
    purpose: Purpose
    environment: dict[str, str]
    variants: list[Variant]
    observe: Observe = "none"
    """Which of an operation's sizes and groups an observing slot visits."""


@dataclass(frozen=True)
class Visit:
    """One request: a point, under those variants that it still lacks."""

    key: PointKey
    """Of the first variant; the others differ in nothing else."""
    variants: list[Variant]


@dataclass
class Done:
    """What a journal says has been measured, and what cannot be."""

    blocks: set[tuple[int, PointKey]] = field(default_factory=set)
    hopeless: set[PointKey] = field(default_factory=set)
    """Points that hung: they are not tried again, the others are."""

    @classmethod
    def of(cls, record: RunRecord) -> Done:
        """From a journal's blocks and problems."""
        slot_of = {launch.id: launch.slot for launch in record.launches}
        done = cls()
        for point in record.points:
            planned = point.key.planned()
            done.blocks |= {(slot_of[block.launch], planned) for block in point.blocks}
        done.hopeless = {
            p.key.planned() for p in record.problems if p.key is not None and p.status == "hang"
        }
        return done


def make_slots(plan: Plan, seed: int, observe: Observe, observing: dict[str, str]) -> list[Slot]:
    """The launches in the order they are made.

    Environments are interleaved, each launch of them in another order, so that drift hits them
    alike. The observing launch comes last: it costs time, and no figure rests on it.
    """
    environments = _by_environment(plan.variants)
    order = random.Random(seed)
    slots: list[Slot] = []
    for k in range(plan.launches):
        shuffled = list(environments)
        order.shuffle(shuffled)
        for environment, variants in shuffled:
            slots.append(Slot(len(slots), k, "measure", dict(environment), variants))
    if observe != "none":
        for environment, variants in environments:
            # One slot per variant, since a launch's bytes are counted as a whole.
            for variant in variants:
                together, which = dict(environment) | observing, observe
                if variant.in_network == "sharp" and plan.rows[0].key.transport == "mpi":
                    # Which sizes the library gives to SHARP, it alone knows.
                    together, which = together | sharp.OBSERVING, "all"
                slots.append(Slot(len(slots), plan.launches, "observe", together, [variant], which))
    return slots


def visits_of(slot: Slot, plan: Plan, done: Done, seed: int) -> list[Visit]:
    """What a slot still owes, in shuffled order: the same order whenever it is asked."""
    by_point: dict[PointKey, Visit] = {}
    names = {variant.name: variant for variant in slot.variants}
    largest = _largest_sizes(plan)
    for row in plan.rows:
        key = row.key
        if row.need == "waived" or key.variant not in names or not _belongs(key, slot, largest):
            continue
        point = key.model_copy(update={"variant": ""})
        visit = by_point.setdefault(point, Visit(key, []))
        if (slot.index, key) not in done.blocks and key not in done.hopeless:
            visit.variants.append(names[key.variant])
    visits = list(by_point.values())
    random.Random(f"{seed} {slot.index}").shuffle(visits)
    return [visit for visit in visits if visit.variants]


def _belongs(key: PointKey, slot: Slot, largest: dict[PointKey, int]) -> bool:
    if slot.purpose == "measure" or slot.observe == "all":
        return True
    asks = any(variant.in_network != "off" for variant in slot.variants)
    if slot.observe == "widest" and key.group.name != "all" and not asks:
        return False
    return key.size_bytes == largest[_sizeless(key)] and key.timing == "isolated"


def _largest_sizes(plan: Plan) -> dict[PointKey, int]:
    """Per point but for its size: the largest size that is planned."""
    largest: dict[PointKey, int] = {}
    for row in plan.rows:
        point = _sizeless(row.key)
        largest[point] = max(largest.get(point, 0), row.key.size_bytes)
    return largest


def _sizeless(key: PointKey) -> PointKey:
    return key.model_copy(update={"size_bytes": 0})


def _by_environment(variants: Iterable[Variant]) -> list[tuple[dict[str, str], list[Variant]]]:
    groups: list[tuple[dict[str, str], list[Variant]]] = []
    for variant in variants:
        for environment, members in groups:
            if environment == variant.environment:
                members.append(variant)
                break
        else:
            groups.append((variant.environment, [variant]))
    return groups
