"""The verdicts as JUnit XML, which every CI system reads.

PASS is a plain test case; WAIVED (with its evidence) and UNJUDGED are skipped; FAIL, IMPOSSIBLE,
NOT_USED and WRONG_DATA are failures; HANG, MISSING and UNSURE are errors.
If nothing was judged, one error more says so: a suite without an error would look like a pass.
"""

from __future__ import annotations

from xml.etree import ElementTree as xml

from busbar.check.result import JUDGED, CheckResult, RowResult, Verdict
from busbar.check.table import share_text

_TAGS = {
    Verdict.FAIL: "failure",
    Verdict.IMPOSSIBLE: "failure",
    Verdict.NOT_USED: "failure",
    Verdict.WRONG_DATA: "failure",
    Verdict.HANG: "error",
    Verdict.MISSING: "error",
    Verdict.UNSURE: "error",
    Verdict.WAIVED: "skipped",
    Verdict.UNJUDGED: "skipped",
}


def junit_text(result: CheckResult) -> str:
    """The document: a test case per row, per host where pairs were measured, and per counter."""
    cases = [_case(row) for row in result.rows]
    cases += [_verdict_case(row, "busbar.check.pairs") for row in result.pairs]
    cases += [_verdict_case(row, "busbar.check.counters") for row in result.counters]
    if not any(row.verdict in JUDGED for row in (*result.rows, *result.pairs)):
        cases.append(_nothing_judged())
    suite = xml.Element("testsuite", name=result.title)
    if result.notes:
        properties = xml.SubElement(suite, "properties")
        for note in result.notes:
            xml.SubElement(properties, "property", name="note", value=note)
    suite.extend(cases)
    root = xml.Element("testsuites")
    root.append(suite)
    for element in (suite, root):
        element.set("tests", str(len(cases)))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(name, str(sum(case.find(tag) is not None for case in cases)))
    xml.indent(root)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"
    )


def _case(row: RowResult) -> xml.Element:
    case = _verdict_case(row, "busbar.check")
    xml.SubElement(case, "system-out").text = f"% of bound: {share_text(row)}. {row.reason}"
    return case


def _verdict_case(row: RowResult, classname: str) -> xml.Element:
    case = xml.Element("testcase", classname=classname, name=row.label)
    if row.verdict in _TAGS:
        settle = f" It would be settled by: {row.settle}" if row.settle else ""
        message = f"{row.verdict.value}: {row.reason}{settle}"
        xml.SubElement(case, _TAGS[row.verdict], message=message)
    return case


def _nothing_judged() -> xml.Element:
    case = xml.Element("testcase", classname="busbar.check", name="anything judged at all")
    xml.SubElement(case, "error", message="Nothing was judged, which is not a pass.")
    return case
