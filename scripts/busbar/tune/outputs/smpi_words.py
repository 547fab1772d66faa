"""What was found on simulated hosts, as words for SimGrid's smpirun.

SMPI has no rules by size: a run has one algorithm for each operation. So this is a table to take
words from, for a run of the sizes in question, and no file that anything reads.
"""

from __future__ import annotations

from collections.abc import Mapping

from busbar.simulate import DEFAULT_ALGORITHMS, SETTINGS_PREFIX
from busbar.tune.outputs.header import comments, made_for
from busbar.tune.outputs.sayable import sayable
from busbar.tune.ranges import ranges
from busbar.tune.tuned import Choice, Tuned


def says(choice: Choice) -> bool:
    """Whether smpirun has words for all of this choice's settings."""
    return all(name.startswith(SETTINGS_PREFIX) for name in choice.settings)


def smpi_words(tuned: Tuned) -> str | None:
    """The table; None where nothing is kept that it could say, or hosts were real."""
    found = ranges(sayable(tuned.choices, says)) if tuned.made_for.simulated else []
    if not found:
        return None
    head = [
        "For SimGrid's smpirun. No rules by size: SMPI has one algorithm for each operation of a",
        "run, so take the line of the sizes that it is about. All else was measured with",
        _words(DEFAULT_ALGORITHMS),
        *made_for(tuned),
        "",
        "operation,min_bytes,max_bytes,words",
    ]
    rows = (f"{one.op},{one.min_bytes},{one.max_bytes},{_words(one.settings)}\n" for one in found)
    return comments(head) + "".join(rows)


def _words(settings: Mapping[str, str]) -> str:
    return " ".join(f"--cfg={name}:{value}" for name, value in sorted(settings.items()))
