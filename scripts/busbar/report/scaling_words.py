"""What a study of scaling concludes, in sentences: computed, and never rounded in its favour."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from busbar.check.gain import Gain, GainRow
from busbar.report.scaling import ScaledVariant, Scaling
from busbar.report.scaling_gains import GainFamily
from busbar.report.text import TIMES, count, gain, many, percent, size

_HALF = 50.0
_EXACT = 1e-12  # what arithmetic loses of a round figure is no reason to take a tenth off it
_Figures = Sequence[tuple[int, float]]
"""Number of hosts and share of the bound in percent, for those that have a figure."""


def conclusions(scaling: Scaling) -> Iterator[str]:
    """A sentence for each variant; then what reduction in the network gained."""
    several = len(scaling.variants) > 1
    for variant in scaling.variants:
        who = f"{scaling.op} ({variant.name})" if several else scaling.op
        yield f"{who} {_of_variant(scaling, variant)}."
    for family in _named(scaling.families):
        yield f"{scaling.op} ({family.variant}) {_gained(family)}."


def floored(value: float, digits: int = 1) -> float:
    """Rounded down, so that 96.97 is no 97."""
    factor = 10.0**digits
    return math.floor(value * factor * (1 + _EXACT)) / factor


def _of_variant(scaling: Scaling, variant: ScaledVariant) -> str:
    hosts = scaling.table.hosts
    figures = {s: _figures(scaling, variant, s) for s in scaling.table.telling}
    at = scaling.largest  # the same for all variants, so that they can be compared
    if len(figures[at]) < 2:
        at = max(figures, key=lambda s: (len(figures[s]), s))
    if not figures[at]:
        return "has no figure that theory has a bound for"
    said = [f"keeps {_kept(figures[at], hosts)} at {size(at)}"]
    known = {n for n, _ in figures[at]}
    missing = [n for n in hosts if n not in known]
    if missing:
        said.append(f"no figure {_on(missing)} there")
    below = _below_half(figures, hosts)
    if below:
        said.append(f"below half of it {below}")
    return "; ".join(said)


def _figures(scaling: Scaling, variant: ScaledVariant, size_bytes: int) -> _Figures:
    cells = scaling.cells(variant, size_bytes)
    return [
        (hosts, cell.percent)
        for hosts, cell in zip(scaling.table.hosts, cells, strict=True)
        if cell.percent is not None
    ]


def _kept(figures: _Figures, hosts: Sequence[int]) -> str:
    least = percent(floored(min(share for _, share in figures)))
    return f"{least} of the bound or more {_span([n for n, _ in figures], hosts)}"


def _below_half(figures: dict[int, _Figures], hosts: Sequence[int]) -> str:
    """Where each size is below half: `on all numbers of hosts at 1K, from 128 hosts on at 1M`."""
    sizes_by_words: dict[str, list[int]] = {}
    for size_bytes, known in figures.items():
        below = [n for n, share in known if share < _HALF]
        if below:
            words = _where_below(below, hosts)
            sizes_by_words.setdefault(words, []).append(size_bytes)
    return ", ".join(
        f"{words} at {_sizes(sizes, list(figures))}" for words, sizes in sizes_by_words.items()
    )


def _where_below(below: Sequence[int], hosts: Sequence[int]) -> str:
    if len(below) > 1 and list(below) == list(hosts):
        return "on all numbers of hosts"
    if len(below) > 1 and list(below) == list(hosts[-len(below) :]):
        return f"from {count(below[0])} hosts on"
    return _on(below)


def _span(known: Sequence[int], hosts: Sequence[int]) -> str:
    """`from 4 to 64 hosts`, or each number where one between them is missing."""
    first, last = hosts.index(known[0]), hosts.index(known[-1])
    if len(known) > 2 and list(known) == list(hosts[first : last + 1]):
        return _between(known)
    return _on(known)


def _on(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"on {many(numbers[0], 'host')}"
    return f"on {_and([count(n) for n in numbers])} hosts"


def _sizes(sizes: Sequence[int], every: Sequence[int]) -> str:
    first, last = every.index(sizes[0]), every.index(sizes[-1])
    if len(sizes) > 2 and list(sizes) == every[first : last + 1]:
        return f"{size(sizes[0])} to {size(sizes[-1])}"
    return _and([size(one) for one in sizes])


def _named(families: Sequence[GainFamily]) -> Iterator[GainFamily]:
    """Over each variant that was measured: the best of them is one of these."""
    return (one for one in families if one.at_largest and one.of_variant)


def _gained(family: GainFamily) -> str:
    """On the fewest hosts and on the most, with what the bounds allow there."""
    ends = list(dict.fromkeys((family.at_largest[0], family.at_largest[-1])))
    at = size(ends[0][0].key.size_bytes)
    said = _and([_gain_on(row, found) for row, found in ends])
    sentence = f"is {said} as fast as {family.baseline}, at {at}"
    most = [row.most for row, _ in ends if row.most is not None]
    whom = _and(list(dict.fromkeys(one.baseline for one in most)))
    limits = _and([gain(one.gain) for one in most])
    return f"{sentence}; theory {limits} over {whom}" if len(most) == len(ends) else sentence


def _gain_on(row: GainRow, found: Gain) -> str:
    return f"{floored(found.ratio, 2):.2f}{TIMES} (on {many(row.hosts, 'host')})"


def _and(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def cut_sentences(scaling: Scaling) -> Iterator[str]:
    """What sets the bound at the largest size, and where along the hosts that changes."""
    at = scaling.largest
    by_cuts: dict[tuple[tuple[int, str], ...], list[ScaledVariant]] = {}
    for variant in scaling.variants:
        cuts = tuple(
            (hosts, cell.row.cut)
            for hosts, cell in zip(scaling.table.hosts, scaling.cells(variant, at), strict=True)
            if cell.row is not None and cell.row.cut is not None
        )
        if cuts:
            by_cuts.setdefault(cuts, []).append(variant)
    for cuts, variants in by_cuts.items():
        whose = f" of {_and([one.name for one in variants])}" if len(by_cuts) > 1 else ""
        yield f"The bound{whose} is set by {_cuts(cuts)}, at {size(at)}."


def _cuts(cuts: Sequence[tuple[int, str]]) -> str:
    """`link of host1, egress, up to 8 hosts; uplink of leaf1, egress, from 16 hosts on`."""
    runs: list[tuple[str, list[int]]] = []
    for hosts, cut in cuts:
        if not runs or runs[-1][0] != cut:
            runs.append((cut, []))
        runs[-1][1].append(hosts)
    if len(runs) == 1:
        return f"{runs[0][0]}, {_between(runs[0][1])}"
    first, *others = runs
    said = [f"{first[0]}, up to {many(first[1][-1], 'host')}"]
    said += [f"{cut}, {_between(numbers)}" for cut, numbers in others[:-1]]
    return "; ".join([*said, f"{others[-1][0]}, from {many(others[-1][1][0], 'host')} on"])


def _between(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"on {many(numbers[0], 'host')}"
    return f"from {count(numbers[0])} to {count(numbers[-1])} hosts"
