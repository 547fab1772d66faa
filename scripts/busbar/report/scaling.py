"""How far each operation keeps what theory allows as hosts are added, sorted for the report.

A study is one operation of one record under one setting, on groups that are the first hosts of the
largest: a table of sizes by numbers of hosts for each variant. It knows rows that are judged
already, and no theory of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from busbar.check import Verdict
from busbar.report import text
from busbar.report.gains import ALIKE, Study, setting_of, theory_from
from busbar.report.nested import nested_groups
from busbar.report.panels import CurveNames
from busbar.report.rows import Judged, Row, setting_text, varying_settings
from busbar.report.scaling_gains import GainFamily, Table, families
from busbar.report.style import Style
from busbar.report.text import slug

LEAST_COUNTS = 3
"""Numbers of hosts below which nothing is said of scaling."""
MOST_CURVES = 5

# A time under such a verdict is no time of what was asked for.
_NO_FIGURE = (
    Verdict.WRONG_DATA,
    Verdict.HANG,
    Verdict.MISSING,
    Verdict.NOT_USED,
    Verdict.IMPOSSIBLE,
    Verdict.WAIVED,
)


@dataclass(frozen=True)
class Cell:
    """One size on one number of hosts."""

    row: Row | None
    """None where nothing was planned or measured."""

    @property
    def percent(self) -> float | None:
        """The bound over the measured time in percent; None where that is no figure."""
        if self.row is None or self.row.verdict in _NO_FIGURE:
            return None
        return self.row.percent

    @property
    def refused(self) -> str:
        """The verdict by which a measured figure does not count; empty where none does."""
        known = self.row is not None and self.percent is None and self.row.percent is not None
        return self.row.word if known and self.row else ""


@dataclass(frozen=True)
class ScaledVariant:
    """The cells of one variant."""

    id: str
    name: str
    style: Style
    cells: tuple[tuple[Cell, ...], ...]
    """By size, then by number of hosts, as the study has them."""


@dataclass(frozen=True)
class Scaling:
    """One operation of one record under one setting."""

    id: str
    record: str
    op: str
    setting: str
    """Without the group."""
    table: Table
    variants: tuple[ScaledVariant, ...]
    families: tuple[GainFamily, ...]
    """What reduction in the network gained; none where no variant asks for it."""
    studies: tuple[str, ...]
    """Ids of the studies of gains whose figures these are."""

    @property
    def largest(self) -> int:
        """The largest size that has a curve, in bytes."""
        return self.table.drawn[-1]

    def cells(self, variant: ScaledVariant, size: int) -> tuple[Cell, ...]:
        """Of one size, by number of hosts."""
        return variant.cells[self.table.sizes.index(size)]

    @property
    def refused(self) -> tuple[str, ...]:
        """Verdicts by which measured figures do not count, each with what it struck."""
        return tuple(
            f"{one.name} {text.size(row.key.size_bytes)} on {text.many(n, 'host')}: {row.word}"
            for one in self.variants
            for line in one.cells
            for n, cell in zip(self.table.hosts, line, strict=True)
            if cell.refused and (row := cell.row) is not None
        )


def spread(places: Sequence[int], most: int) -> list[int]:
    """At most so many of them, evenly, the first and the last among them."""
    if len(places) <= most:
        return list(places)
    step = (len(places) - 1) / (most - 1)
    return [places[round(i * step)] for i in range(most)]


def scalings(
    judged: Sequence[Judged], names: CurveNames, studied: Sequence[Study]
) -> list[Scaling]:
    """Every study of scaling of all records, in the order of their rows."""
    varying = varying_settings(row for one in judged for row in one.rows) - {"group"}
    return [scaling for one in judged for scaling in _of_record(one, names, varying, studied)]


def _of_record(
    judged: Judged, names: CurveNames, varying: frozenset[str], studied: Sequence[Study]
) -> Iterator[Scaling]:
    by_setting: dict[tuple[str, ...], list[Row]] = {}
    for row in judged.rows:
        if row.key.size_bytes:
            by_setting.setdefault(setting_of(row.key), []).append(row)
    for index, rows in enumerate(by_setting.values()):
        hosts_of = nested_groups((row.key.group for row in rows), judged.record)
        table = _table(rows, hosts_of, theory_from(judged.fabric))
        if table is not None:
            identity = f"scaling-{slug(judged.name)}-s{index}"
            setting = setting_text(rows[0].key, varying)
            yield _scaling(identity, setting, judged, rows, table, names, studied)


_At = tuple[str, int, int]
"""A variant, a size and a number of hosts."""


def _table(rows: Sequence[Row], hosts_of: Mapping[str, int], bursts_to: int) -> Table | None:
    """Sizes and numbers of hosts of which something can be said; None for too few.

    Below `bursts_to` bytes a burst leaves a bound next to no meaning: no curve unless all are.
    """
    nested = [row for row in rows if row.key.group.ranks in hosts_of]
    size_of = _size_of(nested)
    with_figure = {_at(row, size_of, hosts_of) for row in nested if Cell(row).percent is not None}
    measured = {hosts_of[row.key.group.ranks] for row in nested if row.median_us is not None}
    counted = {hosts for _, _, hosts in with_figure}
    if len(counted) < LEAST_COUNTS:
        return None
    # A number of hosts at which theory has no bound, such as one, is none that is missing.
    hosts = sorted(n for n in set(hosts_of.values()) if n in counted or n not in measured)
    sizes = sorted(set(size_of.values()))
    shared = [s for s in sizes if len({n for _, size, n in with_figure if size == s}) > 1]
    if not shared:
        return None
    telling = [size for size in shared if size >= bursts_to] or shared
    whole = [size for size in telling if _is_whole(size, hosts, with_figure)]
    return Table(
        sizes=shared,
        telling=telling,
        drawn=spread(whole or telling, MOST_CURVES),
        hosts=hosts,
        hosts_drawn=spread(hosts, MOST_CURVES),
        size_of={own: size for own, size in size_of.items() if size in shared},
        hosts_of={ranks: n for ranks, n in hosts_of.items() if n in hosts},
    )


def _is_whole(size: int, hosts: Sequence[int], with_figure: set[_At]) -> bool:
    """Whether some variant has it on every number of hosts."""
    variants = {variant for variant, own, _ in with_figure if own == size}
    return any(all((v, size, n) in with_figure for n in hosts) for v in variants)


def _at(row: Row, size_of: Mapping[int, int], hosts_of: Mapping[str, int]) -> _At:
    key = row.key
    return key.variant, size_of[key.size_bytes], hosts_of[key.group.ranks]


def _size_of(rows: Sequence[Row]) -> dict[int, int]:
    """For each size the one that stands for it: the least that is alike, on other groups."""
    groups: dict[int, set[str]] = {}
    for row in rows:
        groups.setdefault(row.key.size_bytes, set()).add(row.key.group.ranks)
    found: dict[int, int] = {}
    standing, taken = 0, set[str]()
    for size in sorted(groups):
        if standing < ALIKE * size or groups[size] & taken:
            standing, taken = size, set()
        found[size] = standing
        taken |= groups[size]
    return found


def _scaling(
    identity: str,
    setting: str,
    judged: Judged,
    rows: Sequence[Row],
    table: Table,
    names: CurveNames,
    studied: Sequence[Study],
) -> Scaling:
    placed: dict[_At, Row] = {}
    first: dict[str, Row] = {}
    for row in rows:
        if row.key.size_bytes in table.size_of and row.key.group.ranks in table.hosts_of:
            placed[_at(row, table.size_of, table.hosts_of)] = row
            first.setdefault(row.key.variant, row)
    own = [one for one in studied if _is_of(one, judged.name, rows[0])]
    return Scaling(
        id=identity,
        record=judged.name,
        op=rows[0].key.op,
        setting=setting,
        table=table,
        variants=tuple(
            ScaledVariant(
                id=f"{identity}-v{index}",
                name=names.name(row),
                style=names.style(row),
                cells=tuple(
                    tuple(Cell(placed.get((variant, size, n))) for n in table.hosts)
                    for size in table.sizes
                ),
            )
            for index, (variant, row) in enumerate(first.items())
        ),
        families=tuple(
            family
            for index, study in enumerate(own)
            for family in families(f"{identity}-g{index}-", study, table)
        ),
        studies=tuple(study.id for study in own),
    )


def _is_of(study: Study, record: str, row: Row) -> bool:
    keys = [line.row.key for group in study.groups for line in group.lines]
    return study.record == record and bool(keys) and setting_of(keys[0]) == setting_of(row.key)
