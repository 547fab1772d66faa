"""The fabric a record was judged against: every figure with its source, and the limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from busbar.fabrics import Fabric, Limit
from busbar.report.rows import Judged
from busbar.report.system import Table


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
        figures=(("figure", "value", "source"), list(_figures("", fabric.model_dump()))),
        limits=(
            ("operation", "variant", "from size", "at least", "reason"),
            [
                (limit.op, limit.variant, limit.from_size, _at_least(limit), limit.reason)
                for limit in fabric.limits
            ],
        ),
    )


def _at_least(limit: Limit) -> str:
    return f"{limit.at_least:.0%} of the {'bound' if limit.of == 'bound' else 'expected time'}"


def _figures(path: str, value: object) -> Iterator[tuple[str, ...]]:
    """Everything below `value` that has a source: numbers, and how switches reduce."""
    if isinstance(value, Mapping):
        if value.keys() == {"value", "source"}:
            yield path, f"{value['value']:,.10g}", str(value["source"])
            return
        if "mechanism" in value:
            yield f"{path}.mechanism", str(value["mechanism"]), str(value["source"])
        for name, inner in value.items():
            yield from _figures(f"{path}.{name}".removeprefix("."), inner)
    elif isinstance(value, list | tuple):
        # A host that differs is told by its name, not by its place in a list.
        for index, inner in enumerate(value):
            name = inner.get("name", index) if isinstance(inner, Mapping) else index
            yield from _figures(f"{path}[{name}]", inner)
