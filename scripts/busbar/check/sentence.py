"""The verdict on a record in one line."""

from __future__ import annotations

from collections import Counter

from busbar.check.result import JUDGED, CheckResult, Verdict
from busbar.errors import ExitCode

OVERALL = {
    ExitCode.HOLDS: "HOLDS",
    ExitCode.NEGATIVE: "DOES NOT HOLD",
    ExitCode.INCOMPLETE: "INCOMPLETE",
    ExitCode.HANG: "HANG",
}
"""The verdict on a whole record, by the exit code that says the same."""


def verdict_sentence(result: CheckResult) -> str:
    """How many of the judged rows pass, and what is no pass: `18 of 20 judged rows pass, 2 FAIL`.

    Waivers, rows that nothing judges and counters are counted apart, never among what passed. It
    says so where it was no real hardware.
    """
    every = [row.verdict for row in (*result.rows, *result.pairs)]
    counts = Counter(every)
    judged = sum(count for verdict, count in counts.items() if verdict in JUDGED)
    parts = [result.nothing_judged.rstrip(".")] if result.nothing_judged else []
    if judged:
        parts.append(f"{counts[Verdict.PASS]} of {judged} judged rows pass")
    parts += [
        f"{counts[verdict]} {verdict.value}"
        for verdict in Verdict
        if verdict in JUDGED and verdict is not Verdict.PASS and counts[verdict]
    ]
    of_counters = Counter(row.verdict for row in result.counters)
    parts += [
        f"{of_counters[verdict]} of {len(result.counters)} counters {verdict.value}"
        for verdict in Verdict
        if verdict is not Verdict.PASS and of_counters[verdict]
    ]
    if counts[Verdict.WAIVED]:
        parts.append(f"{counts[Verdict.WAIVED]} waived, which is no pass")
    if counts[Verdict.UNJUDGED]:
        parts.append(f"{counts[Verdict.UNJUDGED]} measured or optional with nothing to judge by")
    return "; ".join(parts) + "." + result.reminder
