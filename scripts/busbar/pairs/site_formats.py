"""Site maps out of what a site has already: Slurm's topology.conf, ibnetdiscover, LLDP.

Facts about the formats: slurm.schedmd.com/topology.conf.html, ibnetdiscover(8), lldpctl(8).
A line that is none of the format's is refused with its number: half a map blames the wrong leaf.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from busbar.errors import UsageError
from busbar.pairs.hostlist import expand
from busbar.pairs.sites import Attachment, Sites, of_toml

_SHOWN = 60  # characters of a line worth quoting

_SLURM_KEYS = ("switchname", "nodes", "switches", "linkspeed")

_IB_SWITCH = re.compile(r'Switch\s+\d+\s+"S-([0-9a-fA-F]+)"\s*#\s*"([^"]*)".*')
_IB_CA = re.compile(r'(?:Ca|Rt)\s+\d+\s+"[^"]*".*')
_IB_PORT = re.compile(
    r'\[\d+\](?:\([0-9a-fA-F]+\))?\s+"([HSR])-[0-9a-fA-F]+"\[\d+\](?:\([0-9a-fA-F]+\))?'
    r'(?:\s*#\s*(?:"([^"]*)")?.*)?'
)
_IB_FACT = re.compile(r"(?:vendid|devid|sysimgguid|switchguid|caguid|rtguid)=.*")
_IB_NAME = re.compile(r"[^;]*;([^:]+)(?::.*)?")

_LLDP = re.compile(
    r"lldp\.(.+?)\.(?:via|rid|age|chassis|port|vlan|ppvid|pi|lldp-med|unknown-tlvs)\b.*"
)
_LLDP_SWITCH = re.compile(r"lldp\.(.+?)\.chassis\.name=(.*)")


def load(path: Path) -> Sites:
    """The map in a file of any format, told by its content; a folder has one LLDP file per host.

    Raises UsageError, one sentence that names the file and its line.
    """
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.is_file())
        if not files:
            raise UsageError(
                f"{path} has no files: accepted is one of `lldpctl -f keyvalue` a host."
            )
        maps = [of_lldp(_read(file), file.stem, str(file)) for file in files]
        return Sites(tuple(a for one in maps for a in one.attachments))
    text = _read(path)
    if path.suffix == ".toml":
        return of_toml(text, str(path))
    if re.search(r"^\s*lldp\.", text, re.MULTILINE):
        return of_lldp(text, path.stem, str(path))
    if re.search(r"^\s*SwitchName\s*=", text, re.MULTILINE | re.IGNORECASE):
        return of_slurm(text, str(path))
    if re.search(r'^Switch\s+\d+\s+"S-', text, re.MULTILINE):
        return of_ibnetdiscover(text, str(path))
    raise UsageError(
        f"{path} is no site map: accepted are our own .toml, Slurm's topology.conf, the output of "
        "ibnetdiscover and of lldpctl -f keyvalue."
    )


def of_slurm(text: str, origin: str) -> Sites:
    """Slurm's topology.conf: hosts below the switches that have `Nodes=`."""
    found: dict[str, Attachment] = {}
    for number, line in _joined(text):
        fields = _slurm_fields(line, f"{origin}, line {number}")
        if not fields:
            continue
        leaf = fields.get("switchname", "")
        if not leaf:
            raise UsageError(
                f"{origin}, line {number}: 'SwitchName' is missing, accepted is "
                "SwitchName=leaf1 Nodes=host[1-4]."
            )
        for host in _hosts(fields.get("nodes", ""), f"{origin}, line {number}"):
            if host in found and found[host].leaf != leaf:
                raise UsageError(
                    f"{origin}, line {number}: host '{host}' hangs on two leaves, accepted is one."
                )
            found[host] = Attachment(host, leaf)
    return _known(Sites(tuple(found.values())), origin)


def of_ibnetdiscover(text: str, origin: str) -> Sites:
    """The output of ibnetdiscover: channel adapters at the ports of each switch."""
    named: list[tuple[str, str]] = []
    ports: list[tuple[str, str]] = []
    switch: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#") or _IB_FACT.fullmatch(line):
            continue
        header, port = _IB_SWITCH.fullmatch(line), _IB_PORT.fullmatch(line)
        if header:
            switch = header[1]
            named.append((switch, _switch_name(header[2]) or switch))
        elif _IB_CA.fullmatch(line):
            switch = None
        elif port is None:
            raise _no_line(origin, number, line, "ibnetdiscover")
        elif switch is not None and port[1] == "H" and port[2]:
            ports.append((switch, port[2]))
    often = Counter(name for _, name in named)
    names = {guid: name if often[name] == 1 else f"{name} ({guid})" for guid, name in named}
    return _known(Sites(tuple(_adapter(names[s], text) for s, text in ports)), origin)


def of_lldp(text: str, host: str, origin: str) -> Sites:
    """The output of `lldpctl -f keyvalue` on one host."""
    found: dict[str, Attachment] = {}
    within_description = False  # which may have several lines
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        if _LLDP.fullmatch(line.strip()) and "=" in line:
            within_description = ".descr=" in line
            switch = _LLDP_SWITCH.fullmatch(line.strip())
            if switch and switch[2]:
                found.setdefault(switch[1], Attachment(host, switch[2], nic=switch[1]))
        elif line.startswith("lldp.") or not within_description:
            raise _no_line(origin, number, line, "lldpctl -f keyvalue")
    return _known(Sites(tuple(found.values())), origin)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, those that end in a backslash joined; with their numbers."""
    start, gathered = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.partition("#")[0].rstrip()
        start = start or number
        if line.endswith("\\"):
            gathered += line[:-1] + " "
            continue
        yield start, (gathered + line).strip()
        start, gathered = 0, ""
    if gathered.strip():
        yield start, gathered.strip()


def _slurm_fields(line: str, where: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for word in line.split():
        key, equals, value = word.partition("=")
        if not equals or key.lower() not in _SLURM_KEYS or not value:
            raise UsageError(
                f"{where}: '{_short(word)}' is not understood, accepted are SwitchName=, Nodes=, "
                "Switches= and LinkSpeed=."
            )
        fields[key.lower()] = value
    return fields


def _hosts(text: str, where: str) -> tuple[str, ...]:
    try:
        return expand(text) if text else ()
    except ValueError as error:
        raise UsageError(f"{where}: {error}.") from None


def _switch_name(description: str) -> str:
    """`MF0;leaf1:SX6036/U1` is leaf1; others are taken as they stand."""
    match = _IB_NAME.fullmatch(description)
    return (match[1] if match else description).strip()


def _adapter(leaf: str, description: str) -> Attachment:
    """`node1 mlx5_0` is the host and its adapter, `node1 HCA-1` counts from 1."""
    host, _, nic = description.strip().partition(" ")
    number = re.fullmatch(r"HCA-(\d+)", nic.strip())
    index = int(number[1]) - 1 if number else None
    return Attachment(host, leaf, nic=nic.strip() or None, index=index)


def _known(sites: Sites, origin: str) -> Sites:
    if not sites.attachments:
        raise UsageError(f"{origin} has no host below any switch: accepted is a map with some.")
    return sites


def _no_line(origin: str, number: int, line: str, tool: str) -> UsageError:
    return UsageError(
        f"{origin}, line {number}: '{_short(line)}' is not understood, accepted is the output of "
        f"{tool}."
    )


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text: accepted is UTF-8.") from None
