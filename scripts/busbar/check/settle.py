"""The measurement that would settle what is unsure or missing, as a `busbar run` command.

It asks for no more than it must of the plan (operations, sizes, variants, groups of hosts) and for
more launches; where and how to measure is taken from the command that made the record. What that
cannot say, such as groups of a plan of its own, is asked for by that command itself with more
launches.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise

from busbar.check.result import RowResult, Verdict
from busbar.record.key import PointKey
from busbar.record.models import RunRecord, Variant
from busbar.units import format_size

_KEPT = (
    "--on", "--transport", "--ranks", "--threads", "--hosts", "--rate", "--leaves", "--uplink",
    "--background", "--link",
    "--hostfile", "--aggregators", "--fabric", "--mpi-args", "--deadline", "--init-deadline",
    "--datatype", "-d", "--redop", "-o", "--root", "-r", "--in-place", "--registration", "--timing",
    "--relative-ci", "--min-samples", "-n", "--max-seconds", "--observe", "--tuned",
)  # fmt: skip
"""Options with a value that say where and how."""
_FLAGS = ("--graph",)
_OF_PATTERNS = ("--pattern", "--isolated")
_NOT_AGAIN = ("--output", "--launches", "--resume")
_DEFAULT_LAUNCHES = 10
"""Where nothing says how many would tell: from six on the interval assumes no distribution, and at
ten one launch may stray without being all of it."""
_HOSTS = re.compile(r"first (?:(\d+) )?hosts?(?:,|$)")
_SPLIT = re.compile(r", split by (node|index)$")


def settled(record: RunRecord, row: RowResult) -> str:
    """The command for one row; empty where nothing is open, or the record is no run of ours."""
    return next(iter(to_settle(record, [row])), "")


def to_settle(record: RunRecord, rows: Sequence[RowResult]) -> tuple[str, ...]:
    """The commands that together measure all that is open: one, but for rows of patterns."""
    run = record.run
    words = run.command[1:]
    if run.imported or words[:1] != ["run"]:
        return ()
    wanted = [row for row in rows if row.verdict in (Verdict.UNSURE, Verdict.MISSING) and row.key]
    if not wanted:
        return ()
    launches = max(_launches(record, row) for row in wanted)
    keys = [row.key for row in wanted if row.key is not None]
    said = _as_options(record, keys)
    if said is None:
        again = list(_without(words[1:], _NOT_AGAIN))
        return (_command([*again, "--launches", str(launches)]),)
    kept = list(_only(words[1:], _KEPT, _FLAGS))
    return (_command([*said, *kept, "--launches", str(launches)]),)


def _command(words: Sequence[str]) -> str:
    return shlex.join(["busbar", "run", *words])


def _launches(record: RunRecord, row: RowResult) -> int:
    planned = record.run.plan.launches
    if row.verdict is Verdict.MISSING:
        return planned
    return row.launches_wanted or max(_DEFAULT_LAUNCHES, 2 * planned)


def _as_options(record: RunRecord, keys: Sequence[PointKey]) -> list[str] | None:
    """Operations, sizes, groups and variants; None where options cannot say them."""
    command = record.run.command
    of_pattern = list(_only(command[2:], _OF_PATTERNS, ()))
    groups = [] if of_pattern else _groups(keys)
    variants = _variants(record, keys)
    if groups is None or variants is None:
        return None
    operations = list(dict.fromkeys(key.op for key in keys))
    return [*operations, *_sizes(record, keys), *of_pattern, *groups, *variants]


def _sizes(record: RunRecord, keys: Sequence[PointKey]) -> list[str]:
    """From the smallest to the largest, in the smallest step of the plan."""
    sizes = sorted({key.size_bytes for key in keys if key.size_bytes})
    if not sizes:
        return []
    words = ["-b", format_size(sizes[0]), "-e", format_size(sizes[-1])]
    planned = sorted({row.key.size_bytes for row in record.run.plan.rows if row.key.size_bytes})
    steps = [large // small for small, large in pairwise(planned) if large % small == 0]
    if len(sizes) > 1:
        words += ["-f", str(max(2, min(steps, default=2)))]
    return words


def _groups(keys: Sequence[PointKey]) -> list[str] | None:
    nodes: set[str] = set()
    splits: list[str] = []
    for group in dict.fromkeys(key.group for key in keys):
        split = _SPLIT.search(group.name)
        name = group.name[: split.start()] if split else group.name
        hosts = _HOSTS.fullmatch(name)
        if name != "all" and not hosts:
            return None
        if hosts:
            nodes.add(hosts[1] or "1")
        splits.append(split[1] if split else "none")
    words = ["--nodes", ",".join(sorted(nodes, key=int))] if nodes else []
    if set(splits) != {"none"}:
        words += ["--split", ",".join(dict.fromkeys(splits))]
    return words


def _variants(record: RunRecord, keys: Sequence[PointKey]) -> list[str] | None:
    known = {variant.name: variant for variant in record.run.plan.variants}
    words: list[str] = []
    for name in dict.fromkeys(key.variant for key in keys):
        if name not in known:
            return None
        if name == "tuned":
            continue  # --tuned brings it
        text = _variant(known[name])
        if text is None:
            return None
        words += ["--variant", text]
    return words


def _variant(variant: Variant) -> str | None:
    """As `--variant` takes it; None where a value holds a comma, which would end it there."""
    pairs = {**variant.settings, **variant.environment}
    if any("," in value for value in pairs.values()):
        return None
    return f"{variant.name}:{','.join(f'{key}={value}' for key, value in pairs.items())}"


def _only(words: Sequence[str], options: Sequence[str], flags: Sequence[str]) -> Iterator[str]:
    """These options of a command line, with their values."""
    for option, text in _options(words):
        if option in options or option in flags:
            yield from text if option not in flags else text[:1]


def _without(words: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """A command line without these options and their values."""
    is_value = False
    for option, text in _options(words):
        if not is_value and option not in options:
            yield text[0]
        is_value = not is_value and option in options and len(text) > 1


def _options(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each word as an option, with the word after it where its value is not in its own."""
    for place, word in enumerate(words):
        if word.startswith("--"):
            name, equals, _ = word.partition("=")
            yield name, [word] if equals else list(words[place : place + 2])
        elif word.startswith("-") and len(word) > 1:
            yield word[:2], [word] if len(word) > 2 else list(words[place : place + 2])
        else:
            yield "", [word]
