"""What one host is and how it is set: facts, without judging. Reads only, changes nothing.

This package needs the standard library of Python 3.8 and nothing else of Busbar: its text is sent
to hosts that have no Busbar. `python -m busbar.doctor.probe` prints the facts as JSON. Paths are
those of the Linux kernel's documentation (ABI/testing/sysfs-bus-pci, sysfs-class-net,
sysfs-class-infiniband; filesystems/proc).
"""
