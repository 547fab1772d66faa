"""Makes a run record of what other tools printed.

Each file's launches are launches of the record, so that the outputs of several launches of one
thing give an interval over launches, and one alone gives none. A block's only sample is the tool's
mean, which is also the estimator of its name; everything the tool does not tell is null.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from busbar.datatypes import ELEMENT_BYTES
from busbar.errors import UsageError
from busbar.importers.nccl_tests import refuse_other_bandwidth
from busbar.importers.placing import GivenPlaces, places_of
from busbar.importers.printout import Place, PrintedRow, Printout, Reading, Source
from busbar.record.fold import fold
from busbar.record.key import Group, PointKey, format_ranks
from busbar.record.lines import (
    BlockLine,
    EndLine,
    JournalLine,
    LaunchLine,
    ProblemLine,
    RunLine,
    SegmentLine,
)
from busbar.record.models import (
    SCHEMA_VERSION,
    BlockBody,
    Estimators,
    Gpu,
    Host,
    Imported,
    Observed,
    Plan,
    PlannedPoint,
    Process,
    Run,
    RunRecord,
    System,
    Variant,
)
from busbar.theory.operations import OPERATIONS

VARIANT = "default"

_TOO_MANY_ALIKE = 6
"""Rows of which two launches never agree in all: times have three digits, and launches differ."""


@dataclass(frozen=True)
class Document:
    """A file that was read."""

    source: Source
    sha256: str
    reading: Reading


@dataclass(frozen=True)
class _Launched:
    """A launch with its number and the places of its ranks."""

    number: int
    document: Document
    printout: Printout
    places: Sequence[Place]
    group: str
    """`all`, or its hosts where launches of as many ranks ran on others."""

    def hosts(self) -> tuple[str, ...]:
        """Of each rank."""
        return tuple(place.host for place in self.places)


def make_record(
    documents: Sequence[Document],
    given: GivenPlaces | None,
    *,
    command: Sequence[str],
    fabric: str | None,
    now: str,
) -> RunRecord:
    """The record of these files; `now` is a UTC timestamp, `given` says where ranks ran.

    Raises UsageError naming the file that does not fit.
    """
    _refuse_twice(documents)
    launches = _told_apart(list(_launches(documents, given)))
    _refuse_alike(launches)
    try:
        return fold(_lines(launches, documents, command, fabric, now))
    except ValueError as error:  # such as a figure beyond what a record can hold
        names = ", ".join(document.source.name for document in documents)
        first = str(error).splitlines()[0]
        raise UsageError(f"{names}: no record can be made of this: {first}.") from None


def _refuse_twice(documents: Sequence[Document]) -> None:
    """One output given twice would pass for two launches that agree perfectly."""
    seen: dict[str, str] = {}
    for document in documents:
        name = document.source.name
        if document.sha256 in seen:
            raise UsageError(
                f"{name} is the same as {seen[document.sha256]}: accepted are outputs of "
                "different launches."
            )
        seen[document.sha256] = name


def _refuse_alike(launches: Sequence[_Launched]) -> None:
    """The same where one file holds an output twice, or two files differ in their banners."""
    seen: dict[tuple[object, ...], str] = {}
    for launch in launches:
        rows = launch.printout.rows
        figures = tuple((row.op, row.size, row.in_place, row.time.value) for row in rows)
        if len(figures) < _TOO_MANY_ALIKE:
            continue
        if figures in seen:
            raise UsageError(
                f"{launch.printout.where}: every time is that of {seen[figures]}; accepted are "
                "outputs of different launches."
            )
        seen[figures] = launch.printout.where


def _launches(documents: Sequence[Document], given: GivenPlaces | None) -> Iterator[_Launched]:
    number = 0
    if given is not None and all(p.places for d in documents for p in d.reading.printouts):
        raise UsageError("--hosts says where ranks ran, but the files given say so themselves.")
    for document in documents:
        for printout in document.reading.printouts:
            places = places_of(document.source, printout, given)
            for row in printout.rows:
                refuse_other_bandwidth(document.source, row, len(places))
                _refuse_no_time(document.source, row)
            yield _Launched(number, document, printout, places, "all")
            number += 1


def _told_apart(launches: Sequence[_Launched]) -> list[_Launched]:
    """The same, in groups of their own where hosts differ: ten nodes are no ten launches of one."""
    others: dict[int, dict[tuple[str, ...], str]] = {}
    for launch in launches:
        names = others.setdefault(len(launch.places), {})
        hosts = list(dict.fromkeys(launch.hosts()))
        name = ", ".join(hosts) if len(hosts) < 4 else f"{hosts[0]} to {hosts[-1]}"
        taken = sum(known.split(" (")[0] == name for known in names.values())
        names.setdefault(launch.hosts(), f"{name} ({taken + 1})" if taken else name)
    return [
        replace(launch, group=names[launch.hosts()]) if len(names) > 1 else launch
        for launch in launches
        for names in [others[len(launch.places)]]
    ]


def _refuse_no_time(source: Source, row: PrintedRow) -> None:
    if not math.isfinite(row.time.value):
        raise source.refuse(f"{row.where}: {row.op} has no finite time.")


def _lines(
    launches: Sequence[_Launched], documents: Sequence[Document], command: Sequence[str],
    fabric: str | None, now: str,
) -> Iterator[JournalLine]:  # fmt: skip
    digest = hashlib.sha256("".join(d.sha256 for d in documents).encode()).hexdigest()[:12]
    run = Run(
        id=f"import-{digest}", started=now, finished=None, command=list(command),
        status="running", plan=_plan(launches), seed=None, on="imported", fabric=fabric,
        emulated=False, simulated=False, fake=False, emulation=None, scenario=None,
        background=None, segments=[], imported=list(_files(launches)),
    )  # fmt: skip
    yield RunLine(schema_version=SCHEMA_VERSION, run=run)
    yield SegmentLine(started=now, fingerprint=digest)
    for launch in launches:
        yield _launch_line(launch)
        yield from _blocks(launch)
        yield from _problems(launch)
    whole = all(not launch.printout.incomplete for launch in launches)
    yield EndLine(finished=now, status="complete" if whole else "interrupted")


def _files(launches: Sequence[_Launched]) -> Iterator[Imported]:
    by_file: dict[str, list[_Launched]] = {}
    for launch in launches:
        by_file.setdefault(launch.document.sha256, []).append(launch)
    for sha256, ones in by_file.items():
        reading = ones[0].document.reading
        yield Imported(
            tool=reading.tool, version=reading.version, format=reading.format,
            file=ones[0].document.source.name.rsplit("/", 1)[-1], sha256=sha256,
            launches=[one.number for one in ones], started=ones[0].printout.started,
        )  # fmt: skip


def _plan(launches: Sequence[_Launched]) -> Plan:
    """Every row that was found is required; those without data are waived."""
    rows: dict[PointKey, PlannedPoint] = {}
    per_key: Counter[PointKey] = Counter()
    for launch in launches:
        here = set()
        for row in launch.printout.rows:
            key = _key(launch, row).planned()
            why = _no_data(launch, row)
            need = "waived" if why else "required"
            planned = {"key": key, "need": need, "evidence": why or None}
            rows[key] = PlannedPoint.model_validate(planned)
            here.add(key)
        per_key.update(here)
    return Plan(
        rows=list(rows.values()),
        variants=[Variant(name=VARIANT, settings={}, environment={})],
        launches=max(per_key.values()),
        stopping=None, warmup=None, rest_us=None, deadline_seconds=None,
    )  # fmt: skip


def _no_data(launch: _Launched, row: PrintedRow) -> str:
    """Why a row is no figure of its operation, in one sentence; empty if it is one."""
    ranks = len(launch.places)
    if row.size == 0 and row.op not in ("ping_pong", "barrier"):
        return f"The tool rounded the size down to no data for {ranks} ranks."
    if row.whole_chunks and row.size % (ranks * ELEMENT_BYTES[row.datatype]):
        return (
            f"{row.size} bytes do not divide among {ranks} ranks: the tool reduced uneven chunks, "
            "or fewer bytes than it prints."
        )
    return ""


def _key(launch: _Launched, row: PrintedRow) -> PointKey:
    printout, ranks = launch.printout, len(launch.places)
    return PointKey(
        transport=printout.transport, op=row.op,
        size_bytes=row.size * ranks if row.per_rank else row.size,
        datatype=row.datatype, redop=row.redop, root=row.root, in_place=row.in_place,
        memory=printout.memory, registration=printout.registration, graph=printout.graph,
        threads=printout.threads, timing=printout.timing, clock_scope="host", variant=VARIANT,
        group=Group(
            name=launch.group, ranks=format_ranks(range(ranks)),
            nodes=len({place.host for place in launch.places}),
        ),
    )  # fmt: skip


def _launch_line(launch: _Launched) -> LaunchLine:
    printout = launch.printout
    return LaunchLine(
        launch=launch.number, slot=launch.number, purpose="measure", variant_environment={},
        protocol=None, transport=printout.transport, started=None, init_us=None,
        processes=[
            Process(
                rank=place.rank, thread=place.thread, host=place.host, role="worker",
                pid=place.pid, cpus=None, gpu=place.gpu, nics=[], clock_domain=None,
            )
            for place in launch.places
        ],
        settings=dict(printout.settings), nccl_conf=None,
        system=_system(launch.places, printout.versions), clock=None, environment={},
    )  # fmt: skip


def _system(places: Sequence[Place], versions: Mapping[str, str | None]) -> System:
    names = dict.fromkeys(place.host for place in places)
    gpus = dict.fromkeys(
        (place.host, place.gpu, place.gpu_name, place.pci_bus_id)
        for place in places
        if place.gpu is not None
    )
    return System(
        hosts=[
            Host(name=name, cpu=None, cores=None, memory_bytes=None, kernel=None, os=None, nics=[])
            for name in names
        ],
        gpus=[
            Gpu(host=host, index=index, name=name, memory_bytes=None, pci_bus_id=pci)
            for host, index, name, pci in gpus
            if index is not None
        ],
        versions=dict(versions),
    )


def _blocks(launch: _Launched) -> Iterator[BlockLine]:
    rounds: Counter[PointKey] = Counter()
    for row in launch.printout.rows:
        if _no_data(launch, row):
            continue
        key = _key(launch, row)
        yield BlockLine(
            launch=launch.number,
            key=key,
            algorithm_bytes=key.size_bytes,
            bus_factor=OPERATIONS[row.op].bus_factor(len(launch.places)),
            block=_body(launch, row, rounds[key]),
        )
        rounds[key] += 1


def _body(launch: _Launched, row: PrintedRow, number: int) -> BlockBody:
    mean = {launch.printout.estimator: row.time.value}
    return BlockBody(
        round=number, t0_s=None, samples_us=[row.time.value], stop_reason="max_samples",
        late_rank=[None], last_rank=[None], ranks=None, clock_error_us=None, first_call_us=None,
        prepare_us=None,
        estimators=Estimators(
            osu_mean=mean.get("osu_mean"), nccltests_pipelined=mean.get("nccltests_pipelined")
        ),
        checked_elements=None, wrong_elements=row.wrong,
        verified="every_block" if row.verified else "waived", executions=row.iterations,
        printed=dict(row.printed), errors={}, spoiled_samples=[], throttled=None, wire=None,
        observed=Observed(
            algorithm=None, protocol=None, channels=None, in_network=None, how=[],
            bytes_per_peer=None,
        ),
    )  # fmt: skip


def _problems(launch: _Launched) -> Iterator[ProblemLine]:
    for row in launch.printout.rows:
        if row.failed:
            key = _key(launch, row)
            yield ProblemLine(launch=launch.number, key=key, status="wrong_data", reason=row.failed)
    for status, reason in (
        ("wrong_data", launch.printout.wrong_somewhere),
        ("not_run", launch.printout.incomplete),
    ):
        if reason:
            problem = {"launch": launch.number, "key": None, "status": status, "reason": reason}
            yield ProblemLine.model_validate(problem)
