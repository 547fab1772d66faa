"""A parameter file of Open MPI, for a site or a user that sets nothing in the environment.

One `name = value` a line, `#` comments (mca_base_parse_paramfile.c, Open MPI 4.1). A relative path
in it would count from wherever a process happens to run, so the rules file is named by its whole
path. `mpirun --tune FILE` takes it and leaves the site's files in force; `--am` of 4.1.4 does not
hand it on to processes, and `mca_base_param_files` takes the place of the site's.
"""

from __future__ import annotations

from pathlib import Path

from busbar.errors import UsageError
from busbar.tune.outputs.environment import environment_of
from busbar.tune.outputs.header import comments, made_for
from busbar.tune.tuned import Tuned

PREFIX = "OMPI_MCA_"


def rules_parameters(rules: Path) -> dict[str, str]:
    """What makes Open MPI read a rules file. Where it cannot, it says nothing and goes on."""
    return {
        "coll_tuned_use_dynamic_rules": "1",
        "coll_tuned_dynamic_rules_filename": str(rules),
    }


def mca_params(tuned: Tuned, rules: Path | None) -> str | None:
    """The file; None where no parameter is set. `rules`: the rules file, if there is one.

    Raises UsageError for a value that a line of it cannot hold.
    """
    parameters = rules_parameters(rules) if rules else {}
    for name, value in sorted(environment_of(tuned).items()):
        if name.startswith(PREFIX):
            parameters[name.removeprefix(PREFIX)] = value
    if not parameters:
        return None
    head = [
        "For Open MPI: mpirun --tune THIS FILE, or these lines in ~/.openmpi/mca-params.conf.",
        *made_for(tuned),
    ]
    return comments(head) + "".join(f"{_line(k, v)}\n" for k, v in parameters.items())


def _line(name: str, value: str) -> str:
    # Quotes and `#` mean something there.
    if not value or value != value.strip() or not value.isprintable() or set(value) & set("\"'#"):
        raise UsageError(
            f"{name} = {value!r} is no line of {PREFIX}* parameters; accepted is printable text "
            "without quotes, `#`, or blanks around it"
        )
    return f"{name} = {value}"
