"""What a certificate says besides verdicts: versions, error counters, and which run it was."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from busbar.check.verdict_json import fabric_sha256
from busbar.fabrics.model import Fabric
from busbar.record.models import Block, Launch, RunRecord
from busbar.report.system import Fact, Table
from busbar.report.text import DASH, count, elapsed, many, moment


@dataclass(frozen=True)
class Source:
    """The file that a certificate is made from, and how it was judged."""

    file: str
    sha256: str
    command: Sequence[str]
    """Of the judge."""


def identity(record: RunRecord, fabric: Fabric, source: Source) -> tuple[Fact, ...]:
    """What ties the page to one record."""
    run, plan = record.run, record.run.plan
    budget = "" if plan.budget_seconds is None else f", within {plan.budget_seconds:g} s"
    return (
        ("Run", f"{run.id}, {run.status}"),
        ("Record", f"{source.file}, schema {record.schema_version}"),
        ("SHA-256 of the record", source.sha256),
        ("Measured", f"{moment(run.started)}, {elapsed(run.started, run.finished)}"),
        ("Measured by", shlex.join(run.command)),
        ("Judged by", shlex.join(source.command)),
        ("Plan", f"{plan.name or 'a sweep'}: {many(len(plan.rows), 'row')}{budget}"),
        *([("SHA-256 of the plan", plan.sha256)] if plan.sha256 is not None else []),
        ("Launches", f"{plan.launches} of every environment"),
        ("Seed", DASH if run.seed is None else str(run.seed)),
        ("Fabric", f"{fabric.name}: {fabric.description}"),
        ("SHA-256 of the fabric, with its limits", fabric_sha256(fabric)),
        ("Scenario", run.scenario or DASH),
        ("Background", run.background or DASH),
    )


def versions(record: RunRecord) -> Table:
    """What ran, and on how many hosts; what no launch tells stands there as not recorded."""
    hosts = {host.name: host for launch in record.launches for host in launch.system.hosts}
    gpus = {
        (gpu.host, gpu.index, gpu.uuid): gpu
        for launch in record.launches
        for gpu in launch.system.gpus
    }
    ports = [port for host in hosts.values() for port in host.rdma_ports or []]
    lines = list(_told("GPU", (gpu.name for gpu in gpus.values()), "GPU"))
    lines += _libraries(record.launches)
    lines += _told("kernel", (host.kernel for host in hosts.values()), "host")
    lines += _told("operating system", (host.os for host in hosts.values()), "host")
    lines += _told("CPU", (host.cpu for host in hosts.values()), "host")
    named = (f"{p.model or 'model not known'}, firmware {p.firmware or 'not known'}" for p in ports)
    lines += _told("RDMA adapter", named, "port")
    nics = [nic for host in hosts.values() for nic in host.nics]
    lines += _told("network driver", (nic.driver for nic in nics), "interface")
    return ("what", "version", "seen on"), lines


def _told(what: str, values: Iterable[str | None], where: str) -> Iterator[tuple[str, ...]]:
    counted = Counter(value or "not recorded" for value in values)
    for value, number in counted.most_common():
        yield what, value, many(number, where)


def _libraries(launches: Sequence[Launch]) -> Iterator[tuple[str, ...]]:
    """Versions that launches tell: driver, CUDA, NCCL, MPI, UCX, Busbar."""
    names = dict.fromkeys(name for launch in launches for name in launch.system.versions)
    for name in names:
        values = (launch.system.versions.get(name) for launch in launches)
        counted = Counter(value or "not recorded" for value in values)
        for value, number in counted.most_common():
            yield name, value, many(number, "launch", "launches")


def counters(record: RunRecord) -> Table:
    """Each error counter over all blocks that were timed; a sign of congestion is no error."""
    measuring = {launch.id for launch in record.launches if launch.purpose == "measure"}
    blocks = [b for p in record.points for b in p.blocks if b.launch in measuring]
    lines = [_counted("error", name, values) for name, values in _by_name(b.errors for b in blocks)]
    lines += [_counted("NVLink", name, values) for name, values in _nvlink(blocks)]
    lines += [
        _counted("congestion", name, values)
        for name, values in _by_name(b.congestion or {} for b in blocks)
    ]
    slowed = [b.throttled for b in blocks]
    if any(state is not None for state in slowed):
        values = [None if state is None else int(state) for state in slowed]
        lines.append(_counted("clocks", "blocks with slowed GPUs", values))
    spoiled = sum(len(b.spoiled_samples) for b in blocks)
    total = sum(len(b.samples_us) for b in blocks)
    lines.append(("samples", "spoiled", f"{count(spoiled)} of {count(total)}", "", ""))
    return (
        "kind",
        "counter",
        "total",
        "blocks that counted",
        "blocks it was not readable in",
    ), lines


def _by_name(
    each: Iterable[Mapping[str, int | None]],
) -> Iterator[tuple[str, list[int | None]]]:
    found: dict[str, list[int | None]] = {}
    for values in each:
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    yield from found.items()


def _nvlink(blocks: Iterable[Block]) -> Iterator[tuple[str, list[int | None]]]:
    seen = [traffic for block in blocks for traffic in block.nvlink or [] if traffic is not None]
    for name in ("crc_errors", "replays", "recoveries"):
        if seen:
            yield name, [getattr(traffic, name) for traffic in seen]


def _counted(kind: str, name: str, values: Sequence[int | None]) -> tuple[str, ...]:
    known = [value for value in values if value is not None]
    total = count(sum(known)) if known else DASH
    return kind, name, total, count(len(known)), count(len(values) - len(known))
