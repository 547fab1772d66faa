"""The points that a sweep asks for, and the plan that the record keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from busbar.errors import UsageError
from busbar.launch.binary import Described, OperationInfo
from busbar.launch.nccl import REDUCES_IN_NETWORK
from busbar.launch.options import MeasureOptions, SweepOptions
from busbar.record.key import Split, Timing, format_ranks, parse_ranks
from busbar.record.models import Group, Plan, PlannedPoint, PointKey
from busbar.units import sweep

_PLACEMENTS = {"out": [False], "in": [True], "both": [False, True]}
_TIMINGS: dict[str, Timing] = {"isolated": "isolated", "pipelined": "pipelined"}
MEMORY = {"mpi": "host", "nccl": "gpu", "ucx": "host"}
_REGISTRATIONS = ("none", "local", "symmetric")


@dataclass(frozen=True)
class Ranks:
    """The ranks of a launch and where they are."""

    count: int
    placement: Sequence[str] | None = None
    """The host of each; None where only the launch tells."""
    threads: int = 1
    """Ranks of each process."""

    def groups(self, nodes: Sequence[int], splits: Sequence[Split | None]) -> list[Group]:
        """Each group of hosts under each split.

        Raises UsageError where it is not known or not possible.
        """
        named = {None: "{}", "node": "{}, split by node", "index": "{}, split by index"}
        return [
            group.model_copy(update={"name": named[split].format(group.name), "split": split})
            for group in self._of_hosts(nodes)
            for split in splits
        ]

    def ranks_per_part(self, group: Group) -> int:
        """Ranks of one communicator of the group.

        Where only the launch tells, those of the whole group: as parts are of one size, what
        divides by these divides by a part's.
        """
        ranks = parse_ranks(group.ranks)
        if group.parts is not None:
            return len(group.members()[0])
        if group.split is None or self.placement is None:
            return len(ranks)
        hosts = Counter(self.placement[rank] for rank in ranks)
        if len(set(hosts.values())) > 1:
            raise UsageError(
                f"--split {group.split} needs as many ranks on every host; accepted here is none"
            )
        return len(ranks) // len(hosts) if group.split == "node" else len(hosts)

    def _of_hosts(self, nodes: Sequence[int]) -> list[Group]:
        """The ranks of the first k hosts for each k of `nodes`, then all ranks."""
        everyone = Group(name="all", ranks=format_ranks(range(self.count)), nodes=None)
        if not nodes:
            return [everyone]
        if self.placement is None:
            raise UsageError(
                "--nodes needs hosts that are known before the launch; accepted with --on emulated "
                "or simulated"
            )
        hosts = list(dict.fromkeys(self.placement))
        if nodes[-1] > len(hosts):
            raise UsageError(f"--nodes {nodes[-1]}: accepted is 1 to {len(hosts)} hosts here")
        groups = []
        for k in nodes:
            first = [rank for rank, host in enumerate(self.placement) if host in hosts[:k]]
            if len(first) < self.count:
                name = f"first {k} hosts" if k > 1 else "first host"
                groups.append(Group(name=name, ranks=format_ranks(first), nodes=None))
        return [*groups, everyone]


def make_plan(
    what: SweepOptions, how: MeasureOptions, described: Described, ranks: Ranks, transport: str
) -> Plan:
    """Every point of the sweep under every variant, on every group of ranks.

    All are required, but for those that no in-network reduction is made for: these are waived.
    Raises UsageError for what is unknown or does not fit so many ranks.
    """
    described.check_transport(transport)
    in_network = {variant.name for variant in how.variants if variant.in_network != "off"}
    rows = [
        _row(key, described.operation(key.op)) if key.variant in in_network else _required(key)
        for key in dict.fromkeys(planned_keys(what, how, described, ranks, transport))
    ]
    if all(row.need == "waived" for row in rows):
        raise UsageError("nothing to measure: no operation was named that fits these options.")
    return Plan(
        rows=rows,
        variants=how.variants,
        launches=how.launches,
        stopping=how.stopping,
        warmup=how.warmup,
        rest_us=how.rest_us,
        deadline_seconds=how.deadline_seconds,
    )


def _row(key: PointKey, info: OperationInfo) -> PlannedPoint:
    """Of a variant that asks for reduction in the network."""
    evidence = no_algorithm(info, key.transport)
    if not evidence:
        return _required(key)
    return PlannedPoint(key=key, need="waived", evidence=evidence)


def no_algorithm(info: OperationInfo, transport: str) -> str:
    """Why no reduction in the network is made for an operation, in one sentence; else empty."""
    if transport == "nccl" and info.name not in REDUCES_IN_NETWORK:
        return f"NCCL has no algorithm in the network for {info.name}."
    if transport != "nccl" and not info.in_network:
        return f"A reduction tree has nothing to do for {info.name}."
    return ""


def _required(key: PointKey) -> PlannedPoint:
    return PlannedPoint(key=key, need="required", evidence=None)


def planned_keys(
    what: SweepOptions, how: MeasureOptions, described: Described, ranks: Ranks, transport: str
) -> Iterator[PointKey]:
    """One key per point and variant, in the order of the sweep."""
    for operator in what.redops:
        described.check_redop(operator)
    if what.in_place not in _PLACEMENTS:
        raise UsageError(f"unknown placement '{what.in_place}'; accepted: out, in, both")
    _refuse_operators(what, transport)
    _refuse_buffers(what, transport)
    pattern, groups = what.pattern, what.groups
    if groups is None:
        groups = pattern.groups(ranks.count) if pattern else ranks.groups(what.nodes, what.splits)
    for name, datatype, timing in product(what.operations, what.datatypes, what.timings):
        info = described.operation(name)
        if timing not in _TIMINGS:
            raise UsageError(f"unknown timing '{timing}'; accepted: isolated, pipelined")
        redops: list[str | None] = list(what.redops) if info.reduces else [None]
        placements = _PLACEMENTS[what.in_place] if info.in_place else [False]
        for group in groups:
            members = ranks.ranks_per_part(group)
            roots: list[int | None] = [what.root if info.rooted else None]
            if pattern:
                roots = pattern.roots(members, info.rooted)
            _refuse_misfit(info, what, group.name, members)
            sizes = fitting_sizes(info, what, described.element_bytes(datatype), members)
            for registration, redop, root, in_place, size, variant in product(
                what.registrations, redops, roots, placements, sizes, how.variants
            ):
                yield PointKey(
                    transport=transport,
                    op=name,
                    size_bytes=size,
                    datatype=datatype,
                    redop=redop,
                    root=root,
                    in_place=in_place,
                    memory=MEMORY[transport],
                    registration=registration,
                    graph=what.graph,
                    threads=ranks.threads,
                    timing=_TIMINGS[timing],
                    clock_scope="host",
                    variant=variant.name,
                    group=group,
                )


def _refuse_operators(what: SweepOptions, transport: str) -> None:
    """Raises UsageError where the transport has not the operator."""
    if transport != "nccl" and "premulsum" in what.redops:
        raise UsageError(f"--redop premulsum belongs to --transport nccl, not to {transport}.")


def _refuse_buffers(what: SweepOptions, transport: str) -> None:
    """Raises UsageError where GPU memory is asked for what it is not, or this is not about it."""
    for registration in what.registrations:
        if registration not in _REGISTRATIONS:
            raise UsageError(
                f"unknown --registration '{registration}'; accepted: {', '.join(_REGISTRATIONS)}"
            )
    if transport != "nccl" and (what.graph or what.registrations != ["none"]):
        raise UsageError(
            f"--graph and --registration belong to --transport nccl, not to {transport}."
        )


def _refuse_misfit(info: OperationInfo, what: SweepOptions, group: str, size: int) -> None:
    """Raises UsageError where a communicator has too few ranks for the operation or its root."""
    where = "this run" if group == "all" else f"group '{group}'"
    if size < info.min_ranks:
        raise UsageError(f"{info.name} needs at least {info.min_ranks} ranks; {where} has {size}")
    if info.rooted and not 0 <= what.root < size:
        raise UsageError(f"--root {what.root}: accepted in {where} is 0 to {size - 1}")


def fitting_sizes(info: OperationInfo, what: SweepOptions, element: int, ranks: int) -> list[int]:
    """The sizes asked for, each raised to the next that the operation can carry, each once.

    A total over all ranks must give every rank the same whole number of elements, as NCCL and
    MPI ask for.
    """
    if not info.has_data:
        return [0]
    unit = element * (ranks if info.chunked else 1)
    asked = what.sizes or sweep(what.min_bytes, what.max_bytes, what.factor)
    raised = [-(-size // unit) * unit for size in asked]
    return list(dict.fromkeys(raised))
