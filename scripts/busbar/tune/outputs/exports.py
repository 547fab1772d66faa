"""A shell file to be sourced, after which an unchanged program runs as it was tuned.

It looks before it sets anything: at the version of the library, as far as a shell can, and at the
files beside it. Where a library does not tell its version, nothing is set.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from busbar.errors import UsageError
from busbar.tune.outputs.environment import environment_of
from busbar.tune.outputs.header import comments, made_for
from busbar.tune.outputs.mca_params import PREFIX, rules_parameters
from busbar.tune.outputs.names import EXPORTS, OMPI_RULES, TUNER_TABLE
from busbar.tune.space import version_in
from busbar.tune.tuned import Tuned

if TYPE_CHECKING:
    import jinja2

_PLUGIN = "libnccl-tuner-busbar.so"

_FIRST_VERSION = r"sed -n '1s/[^0-9]*\([0-9][0-9.]*\).*/\1/p'"
_NCCL_VERSION = """python3 -c '
import ctypes, os
code = ctypes.c_int()
library = ctypes.CDLL(os.environ.get("BUSBAR_NCCL_LIBRARY", "libnccl.so.2"))
library.ncclGetVersion(ctypes.byref(code))
print("%d.%d.%d" % (code.value // 10000, code.value // 100 % 100, code.value % 100))
' 2>/dev/null"""
"""Its code is major * 10000 + minor * 100 + patch (nccl.h, from 2.9 on)."""

_ASKING = {
    "mpi": f"mpirun --version 2>/dev/null | {_FIRST_VERSION}",
    "ucx": f"ucx_info -v 2>/dev/null | {_FIRST_VERSION}",
    "nccl": _NCCL_VERSION,
}
"""Per transport: a command that prints the version of the library that is found here."""

_LIBRARY = {
    "mpi": "mpirun is Open MPI",
    "ucx": "ucx_info is UCX",
    "nccl": "libnccl.so.2 (BUSBAR_NCCL_LIBRARY names another file) is NCCL",
}

_HEAD = [
    f"To be sourced: . FOLDER/{EXPORTS}. What runs afterwards runs as it was tuned. It says so",
    "where the library's version is another one, and then sets nothing. It cannot see on how many",
    "ranks and nodes a program will run: on other numbers of ranks, rules and tables do nothing;",
    "rules cannot tell nodes, and variables hold for every program.",
    "mpirun carries OMPI_MCA_* to all hosts, and other variables by -x NAME; srun carries all.",
]


def exports(tuned: Tuned, files: Collection[str], plugin: Path | None = None) -> str | None:
    """The file; None where there is nothing to export.

    `files`: the names of those that are written beside it. `plugin`: where the tuner plugin was
    when this was tuned; one beside the file goes before it. Raises UsageError where the version of
    the library was not recorded, or a name is none of a variable.
    """
    exported = _exported(tuned, files)
    if not exported:
        return None
    transport = tuned.made_for.transport
    return _template().render(
        header=comments([*_HEAD, *made_for(tuned)]),
        name=EXPORTS,
        asking=_ASKING.get(transport),
        library=_LIBRARY.get(transport),
        version=_version(tuned),
        needed=[file for file in (OMPI_RULES, TUNER_TABLE) if file in files],
        with_table=TUNER_TABLE in files,
        plugin_name=_PLUGIN,
        plugin=shlex.quote(str(plugin or "")),
        exported=exported,
    )


def _template() -> jinja2.Template:
    # Only for those who write this file: `busbar run` reads this module's names as well.
    import jinja2

    # A shell's text: what may be anything is quoted for a shell where it is put in.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("busbar.tune.outputs", "."),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template("tuned.sh.j2")


def _version(tuned: Tuned) -> str:
    transport = tuned.made_for.transport
    recorded = tuned.made_for.versions.get(transport)
    if recorded is None or transport not in _ASKING:
        raise UsageError(
            f"the version of '{transport}' that was tuned is not recorded; accepted are versions "
            f"of {', '.join(_ASKING)}"
        )
    return ".".join(map(str, version_in(recorded)))


def _exported(tuned: Tuned, files: Collection[str]) -> list[str]:
    lines = []
    if OMPI_RULES in files:
        rules = rules_parameters(Path("$here") / OMPI_RULES)
        lines += [f'{PREFIX}{name}="{value}"' for name, value in rules.items()]
    if TUNER_TABLE in files:
        lines.append(f'BUSBAR_TUNER_TABLE="$here/{TUNER_TABLE}"')
        lines.append('NCCL_TUNER_PLUGIN="$plugin"')
    for name, value in sorted(environment_of(tuned).items()):
        if not name.isidentifier():
            raise UsageError(f"'{name}' is no name of a variable")
        # Not NCCL_CONF_FILE, which would take the place of the user's ~/.nccl.conf.
        lines.append(f"{name}={shlex.quote(value)}")
    return lines
