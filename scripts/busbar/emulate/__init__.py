"""An emulated fabric: hosts with links of known rate on one Linux machine, so the truth is known.

Every host has namespaces of its own (network, name, IPC, PIDs, mounts) and a shaped link to a
switch; Open MPI runs across them over real TCP. One fresh *world* per command, started from
a *login* host beside the switch, that leaves nothing behind however it ends.

    spec.py         what is asked for      plan.py     the commands that furnish every node
    topology.py     the tree of switches   world.py    the inside, which carries them out
    aggregation.py  who reduces in it      agent.py    mpirun's way into a host
    mpirun.py       mpirun's arguments     launch.py   running a command
    requirements.py whether it can work here
"""

from busbar.emulate.aggregation import trees
from busbar.emulate.cli import main
from busbar.emulate.launch import run, wrap
from busbar.emulate.mpirun import aggregator_args, mca_settings, mpirun_args
from busbar.emulate.plan import HOST_DEVICE
from busbar.emulate.requirements import preflight
from busbar.emulate.spec import (
    EmulationSpec,
    LinkRates,
    RateOverride,
    UplinkOverride,
    default_hosts,
    parse_rate,
    parse_rate_override,
    parse_uplink_override,
    spec_from_options,
)

__all__ = [
    "HOST_DEVICE",
    "EmulationSpec",
    "LinkRates",
    "RateOverride",
    "UplinkOverride",
    "aggregator_args",
    "default_hosts",
    "main",
    "mca_settings",
    "mpirun_args",
    "parse_rate",
    "parse_rate_override",
    "parse_uplink_override",
    "preflight",
    "run",
    "spec_from_options",
    "trees",
    "wrap",
]
