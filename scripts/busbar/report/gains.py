"""What reduction in the network gained, sorted into what the report draws and lists.

A study is one operation of one record under one variant that asks for it; its parts are the groups
of ranks on which it was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from busbar.check.gain import Gain, GainRow, Kind
from busbar.fabrics import Fabric
from busbar.record.key import PointKey, parse_ranks
from busbar.record.models import RunRecord
from busbar.report.panels import CurveNames
from busbar.report.rows import Judged, Row, setting_text, varying_settings
from busbar.report.style import Style
from busbar.report.text import many, setting_parts, slug
from busbar.report.wire_shares import Proof, WireChart, proof, wire_chart

# Below this many bursts a link lets much of a message through at once, and the most that theory
# allows grows without limit; from here on a gain below 2 is overstated by at most a sixth.
BURSTS = 4
ALIKE = 0.99
"""Sizes that fit several numbers of ranks exactly differ by some elements: these are one size."""


@dataclass(frozen=True)
class GainAt:
    """A gain over one baseline, at a size or on a number of hosts."""

    at: int
    gain: Gain
    row: GainRow


@dataclass(frozen=True)
class GainCurve:
    """Gains over one baseline. `best` has at each point the best variant of the hosts."""

    name: str
    kind: Kind
    style: Style
    points: tuple[GainAt, ...]


MostLine = tuple[tuple[int, float], ...]
"""The most that theory allows, at sizes or on numbers of hosts."""


@dataclass(frozen=True)
class GainChart:
    """Gains over sizes or numbers of hosts, with the most that theory allows."""

    over: Literal["size", "hosts"]
    curves: tuple[GainCurve, ...]
    most: tuple[MostLine, ...]
    """One line, or one for each curve where theory allows them different gains."""
    most_name: str


@dataclass(frozen=True)
class GroupGains:
    """One group of ranks."""

    id: str
    name: str
    hosts: int
    gain: GainChart | None
    """None where nothing was gained or lost at any size, as of an operation without data."""
    wire: WireChart | None
    """None where no byte was counted."""
    lines: tuple[GainLine, ...]
    proofs: tuple[Proof, ...]

    @property
    def label(self) -> str:
        """Its name, with the number of hosts unless that says it."""
        known = str(self.hosts) in self.name
        return self.name if known else f"{self.name}: {many(self.hosts, 'host')}"


@dataclass(frozen=True)
class GainLine:
    """The gains of one point, beside the baselines of the study."""

    row: GainRow
    gains: tuple[Gain | None, ...]
    most: float | None


@dataclass(frozen=True)
class Study:
    """One operation of one record under one variant that asks for reduction in the network."""

    id: str
    record: str
    op: str
    variant: str
    setting: str
    """Without the group."""
    groups: tuple[GroupGains, ...]
    """Most hosts first."""
    over_hosts: GainChart | None
    """None unless several groups are the first hosts of the largest."""
    over_hosts_size: int
    baselines: tuple[str, ...]
    most_from: int
    """Size in bytes from which the most that theory allows is drawn."""
    aggregators: tuple[tuple[str, str], ...]
    """Processes that reduced, and their host; none where the switches themselves do."""
    told: tuple[tuple[str, str], ...]
    """Where, and what the engine or the library says of how it was reduced there."""


@dataclass(frozen=True)
class _View:
    """How one study is looked at."""

    variant: str
    styles: Mapping[str, Style]
    """Of its variant and all it is compared with, by name, in the order of the plan."""
    baselines: tuple[str, ...]
    most_from: int


def studies(judged: Sequence[Judged], names: CurveNames) -> list[Study]:
    """Every study of all records, in the order of their rows."""
    varying = varying_settings(row for one in judged for row in one.rows) - {"group"}
    return [study for one in judged for study in _of_record(one, names, varying)]


def _of_record(judged: Judged, names: CurveNames, varying: frozenset[str]) -> Iterator[Study]:
    asked: dict[tuple[str, ...], list[Row]] = {}
    for row in judged.rows:
        if row.asks:
            asked.setdefault((row.key.variant, *setting_of(row.key)), []).append(row)
    for index, rows in enumerate(asked.values()):
        setting = setting_text(rows[0].key, varying)
        yield _study(f"gain-{slug(judged.name)}-s{index}", setting, judged, rows, names)


def _study(
    identity: str, setting: str, judged: Judged, rows: Sequence[Row], names: CurveNames
) -> Study:
    key = rows[0].key
    of_study = {row.key for row in rows}
    found = sorted((gain for gain in judged.gains if gain.key in of_study), key=_in_order)
    peers = [row for row in judged.rows if setting_of(row.key) == setting_of(key)]
    styles = {row.key.variant: names.style(row) for row in peers}
    baselines = _baselines(found, styles)
    view = _View(key.variant, styles, baselines, theory_from(judged.fabric))
    nested = _nested(found)
    proofs = sorted((proof(row, judged.record) for row in rows), key=lambda p: _order(p.row.key))
    groups = _groups(identity, found, proofs, peers, view)
    return Study(
        id=identity,
        record=judged.name,
        op=key.op,
        variant=key.variant,
        setting=setting,
        groups=groups,
        over_hosts=_chart("hosts", nested, view) if nested else None,
        over_hosts_size=nested[-1].key.size_bytes if nested else 0,
        baselines=baselines,
        most_from=view.most_from,
        aggregators=_aggregators(judged.record),
        told=_told(proofs),
    )


def theory_from(fabric: Fabric | None) -> int:
    """Size in bytes from which bursts no longer make what theory allows meaningless."""
    ports = [port for cut in fabric.cuts() for port in (cut.egress, cut.ingress)] if fabric else []
    return round(BURSTS * max((port.burst_bytes for port in ports), default=0.0))


def setting_of(key: PointKey) -> tuple[str, ...]:
    """What rows have in common that are compared: all but size, variant and group."""
    parts = {name: text for name, text in setting_parts(key).items() if name != "group"}
    return (key.op, key.transport, *parts.values())


def _order(key: PointKey) -> tuple[int, str, int]:
    """Largest groups first, then by size."""
    return -key.group.size(), key.group.name, key.size_bytes


def _in_order(row: GainRow) -> tuple[int, str, int]:
    return _order(row.key)


def _groups(
    identity: str,
    found: Sequence[GainRow],
    proofs: Sequence[Proof],
    peers: Sequence[Row],
    view: _View,
) -> tuple[GroupGains, ...]:
    # A row that was only planned does not know its nodes: one that was measured speaks for it.
    known_last = sorted((one.row.key for one in proofs), key=lambda key: key.group.nodes or 0)
    keys = sorted({key.group.name: key for key in known_last}.values(), key=_order)
    return tuple(
        _group(
            f"{identity}-g{index}",
            key,
            [gain for gain in found if gain.key.group.name == key.group.name],
            [one for one in proofs if one.row.key.group.name == key.group.name],
            [peer for peer in peers if peer.key.group.name == key.group.name],
            view,
        )
        for index, key in enumerate(keys)
    )


def _group(
    identity: str,
    key: PointKey,
    found: Sequence[GainRow],
    proofs: Sequence[Proof],
    peers: Sequence[Row],
    view: _View,
) -> GroupGains:
    with_size = [gain for gain in found if gain.key.size_bytes]
    return GroupGains(
        id=identity,
        name=key.group.name,
        hosts=key.group.nodes or key.group.size(),
        gain=_chart("size", with_size, view) if with_size else None,
        wire=wire_chart(peers, view.styles),
        lines=_lines(found, view),
        proofs=tuple(proofs),
    )


def _chart(over: Literal["size", "hosts"], rows: Sequence[GainRow], view: _View) -> GainChart:
    placed = [(row.key.size_bytes if over == "size" else row.hosts, row) for row in rows]
    limits = [
        (at, row.most)
        for at, row in placed
        if row.most is not None and row.key.size_bytes >= view.most_from
    ]
    whom = limits[-1][1].baseline if limits else ""
    return GainChart(
        over=over,
        curves=_curves(placed, view),
        most=(tuple((at, most.gain) for at, most in limits),) if limits else (),
        most_name=f"theory over {whom}",
    )


def _curves(rows: Sequence[tuple[int, GainRow]], view: _View) -> tuple[GainCurve, ...]:
    """The best variants first, so that they lie below; then each baseline by its name."""
    every = [GainAt(at, gain, row) for at, row in rows for gain in row.gains]
    curves = []
    for name in view.baselines:
        points = tuple(point for point in every if point.gain.baseline == name)
        if not points:
            continue
        kind: Kind = "bound" if points[0].gain.kind == "bound" else "variant"
        # Hosts at their bound were not measured: what varies is the time in the network.
        style = view.styles[view.variant if kind == "bound" else name]
        curves.append(GainCurve(f"over {name}", kind, style, points))
    if sum(curve.kind == "variant" for curve in curves) > 1:
        best = tuple(point for point in every if point.gain.kind == "best")
        style = view.styles[view.variant]
        curves.insert(0, GainCurve("over the best host variant", "best", style, best))
    return tuple(curves)


def _baselines(rows: Sequence[GainRow], styles: Mapping[str, Style]) -> tuple[str, ...]:
    """Names of all baselines: variants in the order of the plan, then hosts at their bound."""
    gains = [gain for row in rows for gain in row.gains]
    measured = {gain.baseline for gain in gains if gain.kind != "bound"}
    bounds = dict.fromkeys(gain.baseline for gain in gains if gain.kind == "bound")
    return (*(name for name in styles if name in measured), *bounds)


def _lines(found: Sequence[GainRow], view: _View) -> tuple[GainLine, ...]:
    return tuple(
        GainLine(
            row=row,
            gains=tuple(
                next((gain for gain in row.gains if gain.baseline == name), None)
                for name in view.baselines
            ),
            most=row.most.gain if row.most and row.key.size_bytes >= view.most_from else None,
        )
        for row in found
    )


def _nested(found: Sequence[GainRow]) -> list[GainRow]:
    """The largest size on each group that is the first hosts of the largest, fewest hosts first."""
    largest: dict[str, GainRow] = {}
    for row in sorted(found, key=lambda row: row.key.size_bytes):
        if row.hosts and row.key.size_bytes:
            largest[row.key.group.ranks] = row
    if not largest:
        return []
    whole = max(largest.values(), key=lambda row: row.hosts)
    ranks = parse_ranks(whole.key.group.ranks)
    nested = {
        row.hosts: row
        for row in largest.values()
        if ranks[: row.key.group.size()] == parse_ranks(row.key.group.ranks)
        and ALIKE * whole.key.size_bytes <= row.key.size_bytes
    }
    return [nested[hosts] for hosts in sorted(nested)] if len(nested) > 1 else []


def _aggregators(record: RunRecord) -> tuple[tuple[str, str], ...]:
    every = (p for launch in record.launches for p in launch.processes if p.role == "aggregator")
    return tuple(dict.fromkeys((f"Aggregator, process {p.rank}", f"on {p.host}") for p in every))


def _told(proofs: Sequence[Proof]) -> tuple[tuple[str, str], ...]:
    groups = {one.row.key.group.name for one in proofs}
    said: dict[str, list[str]] = {}
    for one in proofs:
        for text in one.told:
            said.setdefault(text, []).append(one.row.key.group.name)
    where = {text: dict.fromkeys(names) for text, names in said.items()}
    return tuple(
        ("Reported" if {*names} == groups else f"Reported of {', '.join(names)}", text)
        for text, names in where.items()
    )
