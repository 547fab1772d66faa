"""What hosts have to reduce, where a fabric says at which rate a rank combines two vectors.

Of n vectors of S bytes each element of the result takes n-1 combinations, whoever makes them and
in whatever order: (n-1)S in all for an all_reduce, a reduce and, S being all chunks together, a
reduce_scatter. If all n ranks share that evenly each combines (n-1)/n S; some rank combines no
less. A ring does just that; doubling, which combines everywhere what one rank could, takes more.
"""

from __future__ import annotations

from busbar.fabrics.model import Fabric
from busbar.theory.operations import Operation

ON_HOSTS = "reduction on the hosts"


def least_share(what: Operation, ranks: int) -> float:
    """Bytes over S that the busiest rank must combine; 0 where nothing is reduced."""
    return (ranks - 1) / ranks if what.reduces else 0.0


def bytes_per_us(fabric: Fabric) -> float | None:
    """Of one of two vectors that a rank combines; None where that costs nothing."""
    return None if fabric.reduction is None else fabric.reduction.gbs.value * 1e3
