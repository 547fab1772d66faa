"""Bytes per peer, from Open MPI's monitoring component.

The component counts what every process sends to every other. Its performance variables cannot be
read in Open MPI 4.1: the component is unloaded once it has put itself in front of the real one, and
its variables with it (MPI_T_pvar_get_info answers "invalid index"). What it prints on standard
error when MPI is finalised can be: so one short launch per point and variant counts that point
alone, apart from every launch that is timed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

ENVIRONMENT = {
    "OMPI_MCA_pml_monitoring_enable": "1",  # 1: the library's own messages count like the user's
    "OMPI_MCA_pml_monitoring_enable_output": "2",  # on standard error
}

HOW = "Open MPI monitoring (pml_monitoring_enable_output)"

# Point-to-point bytes from one process to another; "I" lines are the library's own messages.
_LINE = re.compile(r"[EI]\t(\d+)\t(\d+)\t(\d+) bytes\t\d+ msgs sent")


def bytes_per_peer(
    lines: Iterable[str], workers: int, processes: int, executions: int
) -> list[list[float]] | None:
    """The matrix [from][to] of payload bytes per execution, workers first, then aggregators.

    None unless every worker reported, and every aggregator that was sent something (what it takes
    in it gives out; idle ones have nothing to report). Processes print at the same time and may
    tear each other's lines; a torn report is no report. The control plane's few messages (tens of
    bytes each) are in it too.
    """
    matrix = [[0.0] * processes for _ in range(processes)]
    due = set(range(workers))
    reported = set()
    # Joined, because a line of one process may begin in the middle of another's.
    for found in _LINE.finditer("\n".join(lines)):
        source, destination, count = (int(text) for text in found.groups())
        if source >= processes or destination >= processes:
            return None
        matrix[source][destination] += count / executions
        reported.add(source)
        due.add(destination)
    return matrix if due <= reported else None
