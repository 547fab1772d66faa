"""What blame says, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from busbar.pairs.blame import Blame, Culprit, Suspect
from busbar.pairs.groups import Kind
from busbar.pairs.rounds import Pair

_DOES = {
    Kind.HOST_EGRESS: "{} sends at",
    Kind.HOST_INGRESS: "{} receives at",
    Kind.HOST_BOTH: "{} sends and receives at",
    Kind.NIC_EGRESS: "{} sends at",
    Kind.NIC_INGRESS: "{} receives at",
    Kind.NIC_BOTH: "{} sends and receives at",
    Kind.LEAF_UP: "the uplink of {} carries what leaves it at",
    Kind.LEAF_DOWN: "the uplink of {} carries what enters it at",
    Kind.LEAF_PATH: "the path {} between leaves carries",
    Kind.PATH: "the path {} alone carries",
}
_IS = {
    Kind.HOST_EGRESS: "{}, sending",
    Kind.HOST_INGRESS: "{}, receiving",
    Kind.NIC_EGRESS: "{}, sending",
    Kind.NIC_INGRESS: "{}, receiving",
    Kind.LEAF_UP: "the uplink of {}, towards the spine",
    Kind.LEAF_DOWN: "the uplink of {}, from the spine",
    Kind.LEAF_PATH: "the path {} between leaves",
}
_SHOWN = 3  # pairs in a sentence


def culprit_sentence(culprit: Culprit, blame: Blame) -> str:
    """Who, how slow, how that is known, and what is left open."""
    parts = [f"{_does(culprit.kind, culprit.name)} {culprit.share:.1%} of the healthy rate"]
    if culprit.share_ci95 is not None:
        low, high = culprit.share_ci95
        parts[0] += f" ({low:.1%} to {high:.1%})"
    count = len(culprit.proof)
    alone = "1 pair" if count == 1 else f"{count} pairs"
    launches = "1 launch" if culprit.launches == 1 else f"{culprit.launches} launches"
    parts.append(
        f"{alone} measured alone in {launches}, such as {_pairs(culprit.proof[:1], blame)}"
    )
    parts += rival_texts(culprit, blame)
    parts.append(errors_text(culprit))
    return _capital("; ".join(parts)) + "."


def suspect_sentence(suspect: Suspect, blame: Blame) -> str:
    """Who, how slow, why that is no proof, and what to measure."""
    return _capital(
        f"{_does(suspect.kind, suspect.name)} {suspect.share:.1%} of the healthy rate, but this is "
        f"no proof: {suspect.because}; measure alone {_pairs(suspect.measure, blame)}."
    )


def rival_texts(culprit: Culprit, blame: Blame) -> list[str]:
    """What else it could be, and what would tell."""
    found = []
    for rival in culprit.rivals:
        what = f"it could as well be {_IS[rival.kind].format(rival.name)}"
        if rival.measure:
            found.append(f"{what}, which measuring alone {_pairs(rival.measure, blame)} would tell")
        else:
            found.append(f"{what}, which no pair can tell apart")
    return found


def errors_text(culprit: Culprit) -> str:
    """What error counters say: a block's are both hosts' together, so not of one port."""
    known = {name: count for name, count in (culprit.errors or {}).items() if count is not None}
    seen = [f"{name} {count}" for name, count in known.items() if count]
    if seen:
        return f"errors at either end of these pairs: {', '.join(seen)}, of its ports: not known"
    if known and len(known) == len(culprit.errors or {}):
        return "no error was counted at either end"
    return "errors of its ports: not known"


def _does(kind: Kind, name: str) -> str:
    return _DOES[kind].format(name)


def _capital(sentence: str) -> str:
    """Only a word of ours: names of hosts stay as they are."""
    return f"T{sentence[1:]}" if sentence.startswith("the ") else sentence


def _pairs(pairs: Sequence[Pair], blame: Blame) -> str:
    names = blame.matrix.names()
    shown = [f"{names[p.source]} → {names[p.target]}" for p in pairs[:_SHOWN]]
    more = len(pairs) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
