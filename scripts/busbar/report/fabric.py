"""The fabric a record was judged against: every figure with its source, and the limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from busbar.fabrics import Fabric, Limit
from busbar.fabrics.facts import facts
from busbar.fabrics.inheritance import Resolved
from busbar.report.rows import Judged
from busbar.report.system import Table
from busbar.report.text import DASH
from busbar.units import percent


@dataclass(frozen=True)
class FabricView:
    """One fabric, ready to be laid out."""

    name: str
    description: str
    figures: Table
    limits: Table


def fabric_views(judged: Iterable[Judged]) -> list[FabricView]:
    """Every fabric that a record was judged against, once."""
    different = {one.fabric.model_dump_json(): one.fabric for one in judged if one.fabric}
    return [fabric_view(fabric) for fabric in different.values()]


def fabric_view(fabric: Fabric) -> FabricView:
    """One fabric."""
    return FabricView(
        name=fabric.name,
        description=fabric.description,
        figures=(("figure", "value", "source"), list(_figures(fabric))),
        limits=(
            ("operation", "variant", "from size", "at least", "reason"),
            [
                (limit.op, limit.variant, limit.from_size, _at_least(limit), limit.reason)
                for limit in fabric.limits
            ],
        ),
    )


def _at_least(limit: Limit) -> str:
    of = "bound" if limit.of == "bound" else "expected time"
    where = {"one": " in one domain", "several": " over several domains", None: ""}
    return f"{percent(limit.at_least)} of the {of}{where[limit.domains]}"


def _figures(fabric: Fabric) -> Iterator[tuple[str, ...]]:
    """Everything that it states, with its source."""
    document = fabric.model_dump(by_alias=True, exclude_none=True)
    resolved = Resolved(document, ((Path(fabric.name), document),))
    for fact in facts(resolved):
        yield fact.key, fact.value, fact.source or DASH
