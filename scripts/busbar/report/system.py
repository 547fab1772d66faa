"""What a run ran on and how it was asked for: the last section of the page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from busbar.record.models import (
    Gpu,
    Host,
    Imported,
    Launch,
    Plan,
    Process,
    RdmaPort,
    RunRecord,
)
from busbar.report.rows import Judged
from busbar.report.text import DASH, duration, elapsed, listed, many, moment

Fact = tuple[str, str]
Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Head and lines."""


@dataclass(frozen=True)
class SystemView:
    """One record's system, ready to be laid out."""

    name: str
    run: tuple[Fact, ...]
    versions: tuple[Fact, ...]
    settings: tuple[Fact, ...]
    hosts: Table
    gpus: Table
    launches: Table
    ranks: Table
    aggregators: Table
    variants: Table
    waived: Table
    nccl_conf: tuple[str, ...]
    emulation: str | None


def system_view(judged: Judged) -> SystemView:
    """The system section of one record."""
    return system_of(judged.name, judged.record)


def system_of(name: str, record: RunRecord) -> SystemView:
    """The same of a record that goes by this name."""
    return SystemView(
        name=name,
        run=tuple(_run_facts(record)),
        versions=_merged(launch.system.versions for launch in record.launches),
        settings=_merged(launch.settings for launch in record.launches),
        hosts=_hosts(record.launches),
        gpus=_gpus(record.launches),
        launches=_launches(record.launches),
        ranks=_ranks(record.launches),
        aggregators=aggregators(record.launches),
        variants=_variants(record),
        waived=_waived(record),
        nccl_conf=tuple(dict.fromkeys(x.nccl_conf for x in record.launches if x.nccl_conf)),
        emulation=_json(record.run.emulation),
    )


def _run_facts(record: RunRecord) -> Iterable[Fact]:
    run = record.run
    yield "Command", shlex.join(run.command)
    yield "Run", f"{run.id}, {run.status}"
    yield "Started", moment(run.started)
    yield "Finished", f"{moment(run.finished)} ({elapsed(run.started, run.finished)})"
    yield "Placed on", run.on
    yield "Fabric asked for", run.fabric or DASH
    for one in run.imported or []:
        yield "Imported", _imported(one)
    yield "Seed", DASH if run.seed is None else str(run.seed)
    yield "Launches planned", f"{run.plan.launches} of every environment"
    yield from _manner(run.plan)
    yield "Scenario", run.scenario or DASH
    yield "Background", run.background or DASH
    yield "Segments", many(len(run.segments), "segment")
    clocks = dict.fromkeys(_clock(launch) for launch in record.launches)
    yield "Clock", "; ".join(clocks) or DASH


def _manner(plan: Plan) -> Iterable[Fact]:
    """How it was measured; nothing of what another tool decided."""
    stop, warmup = plan.stopping, plan.warmup
    if stop is not None:
        yield (
            "A block ends",
            f"when the 95 % interval is within ±{100 * stop.relative_ci:g} %, or after "
            f"{many(stop.max_samples, 'sample')} or {stop.max_seconds:g} s; "
            f"not before {many(stop.min_samples, 'sample')}",
        )
    if warmup is not None:
        least = f"{many(warmup.min_samples, 'execution')} and {warmup.min_seconds:g} s"
        yield "Warm-up", f"{least}, whichever is later"
    if plan.rest_us is not None:
        yield "Rest between samples", duration(plan.rest_us) if plan.rest_us else "none"
    if plan.deadline_seconds is not None:
        yield "Deadline", f"{plan.deadline_seconds:g} s"


def _imported(one: Imported) -> str:
    began = "" if one.started is None else f", begun {one.started} where it ran"
    tool = f"{one.tool} {one.version or 'of unknown version'}"
    return f"{tool}, {one.format}: {one.file}{began}, SHA-256 {one.sha256}"


def _clock(launch: Launch) -> str:
    clock = launch.clock
    if clock is None:
        return DASH
    domains = many(clock.domains, "domain")
    return f"{clock.source}, {domains}, error {duration(clock.error_us)}"


def _merged(maps: Iterable[Mapping[str, str | None]]) -> tuple[Fact, ...]:
    """Names and values over launches; a value that differs between launches says so."""
    every = list(maps)
    names = dict.fromkeys(name for one in every for name in one)
    facts = []
    for name in names:
        values = list(dict.fromkeys(one.get(name) or DASH for one in every))
        text = values[0] if len(values) == 1 else f"differs between launches: {listed(values)}"
        facts.append((name, text))
    return tuple(facts)


def _hosts(launches: Iterable[Launch]) -> Table:
    hosts: dict[str, Host] = {h.name: h for launch in launches for h in launch.system.hosts}
    head = ("host", "CPU", "cores", "memory", "kernel", "system", "NICs", "RDMA ports")
    return head, [
        (
            host.name,
            host.cpu or DASH,
            _text(host.cores),
            _memory(host.memory_bytes),
            host.kernel or DASH,
            host.os or DASH,
            "; ".join(_nic(nic.name, nic.speed_mbps, nic.mtu, nic.driver) for nic in host.nics)
            or DASH,
            "; ".join(map(_rdma_port, host.rdma_ports or [])) or DASH,
        )
        for host in hosts.values()
    ]


def _nic(name: str, speed_mbps: float | None, mtu: int | None, driver: str | None) -> str:
    speed = "speed not known" if speed_mbps is None else f"{speed_mbps / 1000:g} Gbit/s"
    return ", ".join([name, speed, f"MTU {_text(mtu)}", driver or "driver not known"])


def _rdma_port(port: RdmaPort) -> str:
    name = port.device if port.port == 1 else f"{port.device} port {port.port}"
    kind = port.kind or port.link_layer or "kind not known"
    return ", ".join(
        [name, kind, port.rate or "rate not known", (port.state or "state not known").lower()]
    )


def _gpus(launches: Iterable[Launch]) -> Table:
    # Not by index: where each rank sees one GPU alone, all of a host have index 0.
    gpus: dict[tuple[str, int, str | None], Gpu] = {
        (g.host, g.index, g.uuid): g for launch in launches for g in launch.system.gpus
    }
    return ("host", "GPU", "name", "memory", "PCI", "UUID"), [
        (g.host, str(g.index), g.name or DASH, _memory(g.memory_bytes), g.pci_bus_id or DASH,
         g.uuid or DASH)
        for g in gpus.values()
    ]  # fmt: skip


def _launches(launches: Iterable[Launch]) -> Table:
    head = ("launch", "slot", "purpose", "started", "initialised in", "environment of the variant",
            "what else went on")  # fmt: skip
    return head, [
        (
            str(launch.id),
            str(launch.slot),
            launch.purpose,
            moment(launch.started),
            duration(launch.init_us),
            _pairs(launch.variant_environment),
            _pairs(launch.environment),
        )
        for launch in launches
    ]


def _ranks(launches: Sequence[Launch]) -> Table:
    """Every distinct placement of a rank."""
    return ("rank", "host", "CPUs", "GPU", "NICs"), _placed(launches, "worker")


def aggregators(launches: Iterable[Launch]) -> Table:
    """Every distinct placement of a process that reduces for the ranks and is none itself."""
    return ("process", "host", "CPUs", "GPU", "NICs"), _placed(launches, "aggregator")


def _placed(launches: Iterable[Launch], role: str) -> list[tuple[str, ...]]:
    """Launches that agree need a process only once."""
    every = (p for launch in launches for p in launch.processes if p.role == role)
    return list(dict.fromkeys(map(_placement, every)))


def _placement(p: Process) -> tuple[str, ...]:
    return (str(p.rank), p.host, p.cpus or DASH, _text(p.gpu), ", ".join(p.nics) or DASH)


def _variants(record: RunRecord) -> Table:
    return ("variant", "settings", "environment"), [
        (v.name, _pairs(v.settings), _pairs(v.environment)) for v in record.run.plan.variants
    ]


def _waived(record: RunRecord) -> Table:
    return ("operation", "size", "variant", "evidence"), [
        (row.key.op, str(row.key.size_bytes), row.key.variant, row.evidence or DASH)
        for row in record.run.plan.rows
        if row.need == "waived"
    ]


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{k}={_scalar(v)}" for k, v in values.items()) or DASH


def _scalar(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(value: int | None) -> str:
    return DASH if value is None else str(value)


def _memory(memory_bytes: int | None) -> str:
    return DASH if memory_bytes is None else f"{memory_bytes / 1e9:.4g} GB"


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, indent=2, ensure_ascii=False)
