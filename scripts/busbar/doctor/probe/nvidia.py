"""Driver, GPUs and NVLinks, as nvidia-smi tells them."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from busbar.doctor.probe.machine import Machine
from busbar.doctor.probe.texts import integer


def read_nvidia(machine: Machine) -> dict[str, Any] | None:
    """Driver and GPUs as `nvidia-smi -q -x` tells them; null where it does not."""
    said = machine.run("nvidia-smi", "-q", "-x")
    if said is None:
        return None
    try:
        # Read from the driver's own program.
        log = ElementTree.fromstring(said[said.index("<") :])
    except (ElementTree.ParseError, ValueError):
        machine.unread["nvidia-smi"] = "its XML cannot be read"
        return None
    links = _nvlinks(machine.run("nvidia-smi", "nvlink", "-s"))
    return {
        "driver": _of(log, "driver_version"),
        "cuda": _of(log, "cuda_version"),
        "gpus": [_gpu(gpu, links) for gpu in log.findall("gpu")],
    }


def _of(node: ElementTree.Element, path: str) -> str | None:
    found = node.findtext(path)
    return found.strip() or None if found else None


def _gpu(gpu: ElementTree.Element, links: dict[str, list[bool]] | None) -> dict[str, Any]:
    uuid = _of(gpu, "uuid")
    reasons = [node for node in gpu if re.fullmatch(r"clocks_(event|throttle)_reasons", node.tag)]
    states = {r.tag.partition("_reason_")[2]: (r.text or "").strip() for n in reasons for r in n}
    slowing = sorted(k for k, v in states.items() if v == "Active" and "slowdown" in k)
    return {
        "uuid": uuid,
        "name": _of(gpu, "product_name"),
        "persistence": _of(gpu, "persistence_mode"),
        "mig": _of(gpu, "mig_mode/current_mig"),
        "fabric_state": _of(gpu, "fabric/state"),
        "fabric_status": _of(gpu, "fabric/status"),
        # Generations without remapping say N/A in one word.
        "remapping_pending": _of(gpu, "remapped_rows/remapped_row_pending")
        or _of(gpu, "remapped_rows"),
        "used_mib": integer((_of(gpu, "fb_memory_usage/used") or "").replace(" MiB", "")),
        "slowing": slowing if states else None,
        "processes": None if gpu.find("processes") is None else
        sum(_of(p, "type") in ("C", "C+G", "M+C") for p in gpu.iter("process_info")),
        "links": None if links is None or uuid is None else links.get(uuid, []),
    }  # fmt: skip


def _nvlinks(said: str | None) -> dict[str, list[bool]] | None:
    """Per GPU's uuid, whether each NVLink is active."""
    if said is None:
        return None
    found: dict[str, list[bool]] = {}
    links: list[bool] = []
    for line in said.splitlines():
        head = re.search(r"UUID: ([^)\s]+)", line)
        if head:
            links = found.setdefault(head.group(1), [])
        elif re.match(r"\s*Link \d+:", line):
            links.append("inactive" not in line.lower())
    return found
