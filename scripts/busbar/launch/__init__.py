"""Launching: plans, sets of processes, and the journal that grows while they measure.

options.py    what `busbar run` was asked for    plan.py       the points that follow
in_network.py reduction in the network, asked    sharp.py      what SHARP needs and is set to
where.py      the target that was named          sharp_log.py  what the output says of SHARP
binary.py     the engine's program               target.py     how a launch is started, and where
engine.py     a live engine: requests, answers   slots.py      which launches, what each still owes
hang.py       who did not arrive                 monitoring.py bytes per peer, from the library
nccl.py       what launches of NCCL are given    nccl_conf.py  what its files set already
nccl_log.py   what its log says of a launch    ucx.py        what launches of UCX are given
runner.py     the whole run                      console.py    what the user sees meanwhile
job.py        a run from its plan to its record
"""
