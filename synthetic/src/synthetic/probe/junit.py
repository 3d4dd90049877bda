"""Results as JUnit XML, for CI systems."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from synthetic.probe.results import RunResult, StepResult

_INVALID = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if chr(code) not in "\t\n\r"}


def format_junit(runs: Sequence[RunResult]) -> str:
    """Return a document with a test suite for each run and a test case for each step."""
    root = ET.Element("testsuites")
    for run in runs:
        _add_suite(root, run)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _add_suite(root: ET.Element, run: RunResult) -> None:
    steps = [step for step in run.steps if step.attempt in {0, run.attempt}]
    errors = sum(step.reason == "runner" for step in steps)
    failures = sum(bool(step.reason) for step in steps) - errors
    is_unstarted = run.result == "error" and not errors
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": _text(run.journey),
            "tests": str(len(steps) + is_unstarted),
            "failures": str(failures),
            "errors": str(errors + is_unstarted),
            "time": _seconds(run.duration_ms),
            "timestamp": run.started_at.strftime("%Y-%m-%dT%H:%M:%S"),
        },
    )
    properties = ET.SubElement(suite, "properties")
    ET.SubElement(properties, "property", {"name": "traceId", "value": run.trace_id})
    for step in steps:
        _add_case(suite, run, step)
    if is_unstarted:
        case = ET.SubElement(suite, "testcase", {"name": "run", "classname": _text(run.journey)})
        ET.SubElement(case, "error", {"message": _text(run.detail), "type": "runner"})


def _add_case(suite: ET.Element, run: RunResult, step: StepResult) -> None:
    attributes = {
        "name": _text(step.step_id),
        "classname": _text(run.journey),
        "time": _seconds(step.duration_ms),
    }
    case = ET.SubElement(suite, "testcase", attributes)
    if step.reason:
        kind = "error" if step.reason == "runner" else "failure"
        ET.SubElement(case, kind, {"message": _text(step.detail), "type": step.reason})
    if step.warnings:
        ET.SubElement(case, "system-out").text = _text("\n".join(step.warnings))


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}"


def _text(text: str) -> str:
    """Return a text without the characters that XML 1.0 excludes."""
    return text.translate(_INVALID)
