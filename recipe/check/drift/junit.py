"""Verdicts as JUnit XML, and as annotations of a GitHub workflow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from recipe.io.marks import marked

if TYPE_CHECKING:
    from recipe.check.drift.verdicts import Drift

SHOWN = 10  # GitHub shows at most so many errors of a step
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(drift: Drift, *, strict: bool = False, name: str = "recipe check") -> str:
    """Return verdicts as JUnit XML: one test case a metric, a failure if it moved, skipped if it has no verdict.

    Parameters
    ----------
    drift
        The verdicts.
    strict
        Whether a metric that cannot be measured fails.
    name
        Of the test suite.

    Returns
    -------
    str
        An XML document in ASCII with a line end, the same for the same verdicts.

    Examples
    --------
    >>> from recipe.check.drift import check_drift
    >>> 'failures="1"' in junit(check_drift({"samples": 2}, {"samples": 3}))
    True
    """
    failed = set(drift.failed(strict=strict))
    listed = sorted(drift.verdicts, key=lambda each: each.metric)
    skipped = [each for each in listed if each not in failed and each.verdict != "same"]
    counts = {"tests": len(listed), "failures": len(failed), "errors": 0, "skipped": len(skipped)}
    suite = ET.Element("testsuite", {"name": name} | {key: str(count) for key, count in counts.items()})
    for each in listed:
        case = ET.SubElement(suite, "testcase", classname="recipe.check", name=_xml(each.metric), time="0")
        if each in failed:
            ET.SubElement(case, "failure", type=each.verdict, message=_xml(str(each))).text = _xml(str(each))
        elif each.verdict != "same":
            ET.SubElement(case, "skipped", message=each.verdict)
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return marked(str(ET.tostring(suites, encoding="us-ascii", xml_declaration=True), "ascii") + "\n")


def annotate(drift: Drift, mix: str, *, strict: bool = False) -> list[str]:
    """Return one GitHub annotation for each metric that fails, the farthest first.

    Parameters
    ----------
    drift
        The verdicts.
    mix
        The mix that was checked, as the user named it.
    strict
        Whether a metric that cannot be measured fails.

    Returns
    -------
    list of str
        Lines ``::error title=...::...``; the last one counts the rest if there are more than GitHub shows.

    Examples
    --------
    >>> from recipe.check.drift import check_drift
    >>> annotate(check_drift({"samples": 2}, {"samples": 3}), "mix.json")
    ['::error title=mix.json%3A samples::samples: baseline 2, got 3, exact']
    """
    failed = [(each.metric, str(each)) for each in drift.failed(strict=strict)]
    if len(failed) > SHOWN:
        rest = failed[SHOWN - 1 :]
        failed = [*failed[: SHOWN - 1], (f"{len(rest):,} more", ", ".join(metric for metric, _ in rest))]
    return [f"::error title={_property(f'{mix}: {metric}')}::{_data(message)}" for metric, message in failed]


def _xml(text: str) -> str:
    """Replace characters that XML does not allow."""
    return _NOT_XML.sub("\ufffd", text)


def _data(text: str) -> str:
    """Escape the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property of a workflow command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
