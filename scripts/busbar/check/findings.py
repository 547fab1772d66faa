"""What a reader must know before any figure: said on the first line of run, check and report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from busbar.record.launch import Launch, Process
from busbar.record.models import RunRecord

SOCKETS = "NCCL fell back to sockets"
"""How the sentence begins in `Observed.how`, where the launcher puts it."""


def findings(record: RunRecord) -> tuple[str, ...]:
    """Sentences, each once."""
    told = (how for point in record.points for how in point.observed.how)
    return (
        *dict.fromkeys(how for how in told if how.startswith(SOCKETS)),
        *_oversubscription(record.launches),
    )


def shares_gpus(launch: Launch) -> bool:
    """Whether two ranks ran on one GPU."""
    return next(_shared([launch]), None) is not None


def _oversubscription(launches: Iterable[Launch]) -> Iterator[str]:
    for host, gpu, ranks in _shared(launches):
        where = f"GPU {gpu} of {host}, ranks {', '.join(str(p.rank) for p in ranks[:8])}"
        yield f"Ranks share a GPU ({where}): a functional test, no performance."
        return


def _shared(launches: Iterable[Launch]) -> Iterator[tuple[str, int, list[Process]]]:
    """Host, index and ranks where more ranks have it than there are GPUs.

    Where each rank sees one GPU alone, as under Slurm, all of a host have index 0 and differ.
    """
    for launch in launches:
        gpus = Counter((gpu.host, gpu.index) for gpu in launch.system.gpus)
        by_gpu: dict[tuple[str, int], list[Process]] = {}
        for process in launch.processes:
            if process.role == "worker" and process.gpu is not None:
                by_gpu.setdefault((process.host, process.gpu), []).append(process)
        for (host, index), ranks in by_gpu.items():
            if len(ranks) > max(1, gpus[host, index]):
                yield host, index, ranks
