"""Who can have carried a point out: hosts, NVLink's switches with them, or the network's too.

NCCL left to itself takes NVLink's switches where it finds that faster (NVLS on one NVLink domain,
NVLS_TREE between several, where hosts pass on what the switches reduced). The network's it takes
only with NCCL_COLLNET_ENABLE=1, as 2.28.9 has it off by default (src/graph/tuning.cc, src/init.cc).
"""

from __future__ import annotations

from enum import Enum

from busbar.check.requested import Requests
from busbar.fabrics.model import Fabric
from busbar.record.models import Launch, Point
from busbar.theory.operations import OPERATIONS

_SWITCH_OF_SHARP = "NCCL_COLLNET_ENABLE"


class Way(Enum):
    """Who reduces and copies."""

    HOSTS = "hosts"
    NVLINK = "NVLink's switches, and hosts between their domains"
    SWITCHES = "switches, those of the network too"


def ways(point: Point, fabric: Fabric, requests: Requests, launch: Launch) -> tuple[Way, ...]:
    """Those that a point may have taken: the one that was seen, else all that nothing excludes."""
    if OPERATIONS[point.key.op].in_network is None:
        return (Way.HOSTS,)
    seen, algorithm = point.observed.in_network, point.observed.algorithm
    nvlink = (Way.NVLINK,) if _nvlink_reduces(fabric) else ()
    if algorithm == "NVLS_TREE":
        return nvlink or (Way.HOSTS,)
    if seen:
        return (Way.SWITCHES,)
    may_take_nvlink = requests.is_left_to_the_library(point) or requests.leaves_no_bytes(point)
    if seen is False:
        # Bytes between hosts say nothing of what happened inside of them.
        unseen = algorithm is None and point.key.group.nodes != 1 and may_take_nvlink
        return (*nvlink, Way.HOSTS) if unseen else (Way.HOSTS,)
    if may_take_nvlink and not _sharp_is_on(launch):
        return (*nvlink, Way.HOSTS)
    if requests.asks(point) or may_take_nvlink:
        return (Way.SWITCHES, Way.HOSTS)
    return (Way.HOSTS,)


def may_be_sharp(point: Point, requests: Requests) -> bool:
    """Whether nothing excludes that the network's switches reduced, though nothing says so either.

    NCCL's settings are not all known: a file may have them, and other tools do not print them.
    """
    unseen = point.observed.in_network is None and point.observed.algorithm is None
    return unseen and requests.is_left_to_the_library(point)


def _sharp_is_on(launch: Launch) -> bool:
    told = launch.settings | launch.variant_environment
    return told.get(_SWITCH_OF_SHARP, "0") != "0"


def _nvlink_reduces(fabric: Fabric) -> bool:
    scale_up = fabric.cluster.scale_up if fabric.cluster else None
    return scale_up is not None and scale_up.in_network is not None
