"""A simulated fabric: the engine on hosts that do not exist, in virtual and so repeatable time.

SimGrid's SMPI runs `busbar-bench-sim` on a platform made of a fabric file: links have a rate and a
latency, flows that share one share it fairly (max-min), and nothing else is in it: no packets,
queues, retransmission, adaptive routing or transport protocol. Computing takes no time, but for
reducing where the fabric says what it costs: hosts by [reduction], switches by [in_network].rate.

    description.py  what a platform is made of    network.py  from a fabric of kind `network`
    cluster.py      from one of kind `cluster`    tiers.py    the switches of that
    manner.py       how points are measured       launch.py   smpirun's command line
    scenario.py     what is wrong with the network
"""

from busbar.simulate.description import Platform
from busbar.simulate.launch import (
    DEFAULT_ALGORITHMS,
    ENVIRONMENT_PREFIX,
    Files,
    command,
    refuse_unknown,
    write_files,
)
from busbar.simulate.manner import (
    FIRST_CALL,
    LAUNCHES,
    NO_WARMUP,
    SETTINGS_PREFIX,
    at_once,
    carries_payload,
    rest_us,
    stopping,
    warmup,
    with_chunks,
)
from busbar.simulate.platform import platform_of
from busbar.simulate.scenario import Fault, degraded, parse_fault, sentence

__all__ = [
    "DEFAULT_ALGORITHMS",
    "ENVIRONMENT_PREFIX",
    "FIRST_CALL",
    "LAUNCHES",
    "NO_WARMUP",
    "SETTINGS_PREFIX",
    "Fault",
    "Files",
    "Platform",
    "at_once",
    "carries_payload",
    "command",
    "degraded",
    "parse_fault",
    "platform_of",
    "refuse_unknown",
    "rest_us",
    "sentence",
    "stopping",
    "warmup",
    "with_chunks",
    "write_files",
]
