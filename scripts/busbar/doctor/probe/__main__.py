"""Prints this host's facts: as JSON, or with `--frames` as lines for a launcher."""

from __future__ import annotations

import json
import os
import socket
import sys

from busbar.doctor.probe.facts import read_facts
from busbar.doctor.probe.frames import frames_of, write_frames
from busbar.doctor.probe.machine import Machine


def main(words: list[str]) -> None:
    """`words`: perhaps `--frames`, perhaps the address HOST:PORT of SHARP's manager."""
    addresses = [word for word in words if word != "--frames"]
    facts = read_facts(Machine(), addresses[0] if addresses else "")
    if "--frames" in words:
        write_frames(frames_of(facts, f"{socket.gethostname()}-{os.getpid()}"))
    else:
        print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
