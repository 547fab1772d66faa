"""Launching: plans, sets of processes, and the journal that grows while they measure.

options.py   what `busbar run` was asked for     plan.py    the points and variants that follow
binary.py    the engine's program                target.py  how a launch is started, and where
engine.py    a live engine: requests, answers    slots.py   which launches, and what each still owes
runner.py    the whole run                       console.py what the user sees meanwhile
"""
