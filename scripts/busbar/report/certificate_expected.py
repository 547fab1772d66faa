"""What theory expects of a row's operation: the fastest of the algorithms that are modelled."""

from __future__ import annotations

from collections.abc import Callable

from busbar.errors import UsageError
from busbar.fabrics import Fabric
from busbar.record.evidence import asking_variants
from busbar.record.models import PointKey, RunRecord
from busbar.record.placement import placement
from busbar.theory.constants import fit
from busbar.theory.expected import expected, expected_in_network
from busbar.theory.operations import OPERATIONS


def expected_times(record: RunRecord, fabric: Fabric) -> Callable[[PointKey], float | None]:
    """The expected time in microseconds of a point; None where no model covers it."""
    constants = fit(record, fabric)
    asking = asking_variants(record.run)
    measuring = [launch for launch in record.launches if launch.purpose == "measure"]

    def time_us(key: PointKey) -> float | None:
        if not measuring or key.op not in OPERATIONS or key.group.parts is not None:
            return None
        try:
            hosts = placement(key.group, measuring[0])
            if key.variant in asking:
                one = expected_in_network(fabric, key.op, key.size_bytes, hosts, constants)
                return one.time_us if one else None
            every = expected(fabric, key.op, key.size_bytes, hosts, constants)
        except (KeyError, UsageError):  # the judge says of such a row what is wrong with it
            return None
        return every[0].time_us if every else None

    return time_us
