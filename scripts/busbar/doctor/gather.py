"""Facts of this host, or of all hosts of a launch: one process each, through the launcher.

The hosts need Python 3 and no Busbar: they are sent the text of `probe/`.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from busbar.doctor.facts import HostFacts
from busbar.doctor.probe.facts import read_facts
from busbar.doctor.probe.frames import documents_in
from busbar.doctor.probe.machine import Machine
from busbar.doctor.probe.settings import read_settings
from busbar.errors import BusbarError, ExitCode, Incomplete, UsageError
from busbar.launch.target import Programs
from busbar.launch.where import Where, hosts_of, target_of
from busbar.validation import describe

_PROBE = "busbar.doctor.probe"
_MODULES = (
    *("texts", "machine", "cpu", "pci", "network", "nvidia", "settings", "software"),
    *("frames", "facts", "__main__"),
)
"""Each after those that it imports."""
_ONE_PER_HOST = {
    "hostfile": ["--map-by", "ppr:1:node", "--bind-to", "none"],
    "slurm": ["--ntasks-per-node=1", "--cpu-bind=none"],
}
_OF_MPIRUN = ("OMPI_MCA_rmaps_", "OMPI_MCA_hwloc_base_binding_policy", "OMPI_MCA_mpi_oversubscribe")
"""What mpirun tells its processes of the options above; settings only where the user set them."""
_END_SECONDS = 5.0

# Runs modules out of texts, as if they were installed.
_BOOTSTRAP = """import base64,json,sys,types,zlib
for name,text in json.loads(zlib.decompress(base64.b64decode('{packed}'))):
    module=types.ModuleType(name)
    sys.modules[name]=module
    exec(compile(text,name,'exec'),module.__dict__)
sys.modules['{probe}.__main__'].main(sys.argv[1:])
"""


class NoAnswer(BusbarError):
    """The launch did not end before its deadline."""

    exit_code = ExitCode.HANG


@dataclass(frozen=True)
class Gathered:
    """Facts by host, and why hosts are missing."""

    hosts: list[HostFacts]
    unanswered: list[str]


def gather(where: Where, manager: str, deadline_seconds: float) -> Gathered:
    """The facts. `manager`: HOST:PORT of SHARP's aggregation manager, or nothing.

    Raises UsageError for a target that has no hosts of its own, Incomplete where no host answers,
    NoAnswer after the deadline.
    """
    if where.on == "local":
        return Gathered([_facts_of(read_facts(Machine(), manager))], [])
    if where.on not in _ONE_PER_HOST:
        raise UsageError(
            f"--on {where.on} cannot be examined; accepted: local, hostfile, slurm (emulated hosts "
            "are this machine)"
        )
    expected = hosts_of(where)
    if expected is None and where.on == "slurm":
        raise UsageError(
            "--on slurm examines an allocation's nodes: SLURM_JOB_NUM_NODES is not set"
        )
    extra = [*_ONE_PER_HOST[where.on], *where.extra]
    target = target_of(replace(where, ranks=expected or 1, extra=extra), [])
    words = ["--frames", *([manager] if manager else [])]
    programs = Programs(worker=["python3", "-c", program(), *words], aggregator=[])
    said, complaint = _launch(
        target.command(programs, _travelling(os.environ), lifeline=-1), deadline_seconds
    )
    return read_answers(said, complaint, expected or 1)


def read_answers(said: str, complaint: str, expected: int) -> Gathered:
    """The facts in what a launch wrote; `complaint` is what it wrote on standard error.

    Raises Incomplete where no host answers.
    """
    documents, cut = documents_in(said)
    hosts = {str(d.get("host")): _without_launcher(_facts_of(d), os.environ) for d in documents}
    reason = _reason(complaint)
    if not hosts:
        raise Incomplete(f"no host answered: {reason}")
    unanswered = []
    if len(hosts) < expected:
        parts = f" ({cut} in part only)" if cut else ""
        unanswered.append(f"{len(hosts)} of {expected} hosts answered{parts}: {reason}")
    return Gathered([hosts[name] for name in sorted(hosts)], unanswered)


def _reason(complaint: str) -> str:
    """The first that a launcher said, which frames its words; the end of what Python said."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip(" -\n")]
    if not lines:
        return "the launcher said nothing"
    return lines[-1] if any(line.startswith("Traceback") for line in lines) else lines[0]


def _without_launcher(facts: HostFacts, environment: Mapping[str, str]) -> HostFacts:
    own = {
        name: value
        for name, value in facts.settings.items()
        if not name.startswith(_OF_MPIRUN) or name in environment
    }
    return facts.model_copy(update={"settings": own})


def program() -> str:
    """The probe as one text for `python3 -c`, without quotes or blanks that a shell would see."""
    folder = Path(__file__).parent / "probe"
    texts = [(f"{_PROBE}.{name}", (folder / f"{name}.py").read_text()) for name in _MODULES]
    packed = base64.b64encode(zlib.compress(json.dumps(texts).encode())).decode()
    return _BOOTSTRAP.format(packed=packed, probe=_PROBE)


def _travelling(environment: Mapping[str, str]) -> dict[str, str]:
    """What a launch hands on; mpirun takes MCA parameters from its own environment."""
    settings = read_settings(environment)
    return {k: v for k, v in settings.items() if not k.startswith("OMPI_MCA_")}


def _facts_of(document: dict[str, Any]) -> HostFacts:
    try:
        return HostFacts.model_validate(document)
    except ValidationError as error:
        raise Incomplete(
            f"the facts of {document.get('host')} are not understood: {describe(error, HostFacts)}"
        ) from None


def _launch(command: Iterable[str], deadline_seconds: float) -> tuple[str, str]:
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        return process.communicate(timeout=deadline_seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        raise NoAnswer(f"the hosts did not all answer within {deadline_seconds:g} s") from None
    except KeyboardInterrupt:
        _end(process)
        raise


def _end(process: subprocess.Popen[str]) -> None:
    """Asked first, since mpirun then ends what it started elsewhere."""
    process.terminate()
    try:
        process.communicate(timeout=_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
