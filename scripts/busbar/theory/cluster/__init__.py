"""Theory of GPU clusters: nodes alike, so that any number of ranks is a handful of parts.

shape.py      how many ranks, how many on a node   in_network.py      the same by switches
layout.py     where they lie, level by level       nccl_constants.py  figures of NCCL's own model
placing.py    the least wherever they lie
rates.py      what a part can exchange             latency.py         an algorithm's time for 0 B
partition.py  parts that together send most        loads.py           what it asks of each link
bounds.py     the shortest time by hosts           expected.py        both, and which can run
gain.py       what switches are held against       table.py           all of it over arrays of sizes

All times are linear in the size: a bound is a number of microseconds per byte, and an expected time
the least of a few straight lines.
"""
