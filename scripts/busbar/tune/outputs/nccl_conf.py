"""A configuration file of NCCL, for what is read once per process.

NCCL (2.28.9, src/misc/param.cc) takes one NAME=VALUE a line, everything after `=` as it stands: no
quotes, no comments behind it, no units. `#` is a comment in the first column only; names and values
end at 1023 characters.
"""

from __future__ import annotations

from busbar.errors import UsageError
from busbar.tune.outputs.environment import environment_of
from busbar.tune.outputs.header import comments, made_for
from busbar.tune.tuned import Tuned

_LONGEST = 1023


def nccl_conf(tuned: Tuned) -> str | None:
    """The file; None where no variable of NCCL is set.

    Raises UsageError for a name or value that a line of it cannot hold.
    """
    variables = {k: v for k, v in environment_of(tuned).items() if k.startswith("NCCL_")}
    if not variables:
        return None
    head = [
        "For NCCL: these lines in /etc/nccl.conf or ~/.nccl.conf, or NCCL_CONF_FILE=THIS FILE,",
        "which NCCL reads in place of ~/.nccl.conf.",
        *made_for(tuned),
    ]
    return comments(head) + "".join(f"{_line(k, v)}\n" for k, v in sorted(variables.items()))


def _line(name: str, value: str) -> str:
    plain = name.isidentifier() and value.isprintable() and value == value.strip() and value
    if not plain or max(len(name), len(value)) > _LONGEST:
        raise UsageError(
            f"{name}={value!r} is no line of nccl.conf; accepted is a value of 1 to {_LONGEST} "
            "printable characters without blanks around it"
        )
    return f"{name}={value}"
