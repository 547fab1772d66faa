"""Limits of a site in a file of their own, in place of the fabric's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError

from busbar.errors import UsageError
from busbar.fabrics.counters import CounterLimit
from busbar.fabrics.figure import Part
from busbar.fabrics.load import read
from busbar.fabrics.model import Fabric, Limit
from busbar.units import percent
from busbar.validation import describe


class _SiteLimits(Part):
    """What such a file may hold: each with a reason, as in a fabric file."""

    limits: list[Limit] = Field(default_factory=list)
    counters: list[CounterLimit] = Field(default_factory=list)


def with_limits(fabric: Fabric, path: Path) -> Fabric:
    """The fabric with the limits of a file: of the same operation, variant and size, or of the same
    counter, the file's hold; others are added.

    Raises UsageError, one sentence that names the file and the key, for what cannot be used.
    """
    try:
        site = _SiteLimits.model_validate(read(path))
    except ValidationError as error:
        raise UsageError(f"{path}: {describe(error, _SiteLimits)}.") from None
    if not site.limits and not site.counters:
        raise UsageError(f"{path} has no limits: accepted are [[limits]] and [[counters]].")
    document = {
        **fabric.model_dump(by_alias=True),
        "limits": _replaced(fabric.limits, site.limits, _holds_for),
        "counters": _replaced(fabric.counters, site.counters, _of_counter),
    }
    try:
        return Fabric.model_validate(document)  # so that what is refused there is refused here
    except ValidationError as error:
        raise UsageError(f"{path}: {describe(error, Fabric)}.") from None


_Part = TypeVar("_Part", bound=Part)


def _replaced(
    own: Sequence[_Part], of_site: Sequence[_Part], names: Callable[[_Part], set[object]]
) -> list[dict[str, object]]:
    instead = {name for one in of_site for name in names(one)}
    kept = [*(one for one in own if not names(one) <= instead), *of_site]
    return [one.model_dump(by_alias=True) for one in kept]


def _holds_for(limit: Limit) -> set[object]:
    where = ("one", "several") if limit.domains is None else (limit.domains,)
    return {(limit.op, limit.variant, limit.from_bytes(), domains) for domains in where}


def changes(own: Fabric, with_site: Fabric) -> Iterator[str]:
    """What limits of a site change, a sentence each; `own` is the fabric without them."""
    before = {limit.subject(): _accepted(limit) for limit in own.limits}
    before |= {f"counter {one.name}": _at_most(one) for one in own.counters}
    after = {limit.subject(): _accepted(limit) for limit in with_site.limits}
    after |= {f"counter {one.name}": _at_most(one) for one in with_site.counters}
    for subject, accepted in after.items():
        was = before.get(subject, "no limit")
        if was != accepted:
            yield f"Limit of {subject}: {accepted} in place of {was}."
    for subject, was in before.items():
        if subject not in after:
            yield f"Limit of {subject}: another in place of {was}."


def _accepted(limit: Limit) -> str:
    of = "bound" if limit.of == "bound" else "expected time"
    return f"at least {percent(limit.at_least)} of the {of}"


def _at_most(counter: CounterLimit) -> str:
    waived = "" if counter.waived is None else f", waived: {counter.waived}"
    return f"at most {counter.at_most:g} per {counter.per}{waived}"


def _of_counter(counter: CounterLimit) -> set[object]:
    return {counter.name}
