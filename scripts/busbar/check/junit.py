"""The verdicts as JUnit XML, which every CI system reads.

PASS is a plain test case; WAIVED (with its evidence) and UNJUDGED are skipped; FAIL, IMPOSSIBLE,
NOT_USED and WRONG_DATA are failures; HANG, MISSING and UNSURE are errors.
Each says so where it was no real hardware, as CI systems show them one by one. If nothing was
judged, one error more says so: a suite without an error would look like a pass.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as xml

from busbar.check.result import CheckResult, RowResult, Verdict
from busbar.check.table import share_text

_NO_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")

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
    origin = f" ({result.not_real})" if result.not_real else ""
    cases = [_case(row, origin) for row in result.rows]
    for kind, rows in (("pairs", result.pairs), ("counters", result.counters)):
        cases += [_verdict_case(row, f"busbar.check.{kind}", origin) for row in rows]
    if result.nothing_judged:
        cases.append(_nothing_judged(result.nothing_judged))
    suite = xml.Element("testsuite", name=_printable(result.title))
    if result.notes:
        properties = xml.SubElement(suite, "properties")
        for note in result.notes:
            xml.SubElement(properties, "property", name="note", value=_printable(note))
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


def _case(row: RowResult, origin: str) -> xml.Element:
    case = _verdict_case(row, "busbar.check", origin)
    said = f"% of bound: {share_text(row)}. {row.reason}{origin}"
    xml.SubElement(case, "system-out").text = _printable(said)
    return case


def _verdict_case(row: RowResult, classname: str, origin: str) -> xml.Element:
    case = xml.Element("testcase", classname=classname, name=_printable(row.label))
    if row.verdict in _TAGS:
        settle = f" It would be settled by: {row.settle}" if row.settle else ""
        message = f"{row.verdict.value}: {row.reason}{settle}{origin}"
        xml.SubElement(case, _TAGS[row.verdict], message=_printable(message))
    return case


def _printable(text: str) -> str:
    """Without what XML 1.0 has no way to write, such as the colours of a program's last words."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _nothing_judged(sentence: str) -> xml.Element:
    case = xml.Element("testcase", classname="busbar.check", name="anything judged at all")
    xml.SubElement(case, "error", message=sentence)
    return case
