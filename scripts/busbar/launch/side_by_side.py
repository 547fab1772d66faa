"""Launches at the same time: simulations, one a core, as nothing disturbs virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from busbar.launch.slots import Visit


def apart(visits: Iterable[Visit]) -> list[list[Visit]]:
    """The visits of each operation on each group of ranks, the most ranks first.

    However many cores there are, what is measured in one launch, and in which order, is the same,
    and so is every figure to its last digit.
    """
    parts: dict[tuple[str, str], list[Visit]] = {}
    for visit in visits:
        parts.setdefault((visit.key.op, visit.key.group.ranks), []).append(visit)
    return sorted(parts.values(), key=lambda part: -part[0].key.group.size())


def carry_out(tasks: Sequence[Callable[[], None]], at_once: int, stop: Callable[[], None]) -> None:
    """Run all tasks, so many at once, in their order.

    The first error, or an interruption, is raised once `stop` has ended what is under way; what has
    not begun is left.
    """
    with ThreadPoolExecutor(at_once) as pool:
        futures: list[Future[None]] = [pool.submit(task) for task in tasks]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stop()
            raise
