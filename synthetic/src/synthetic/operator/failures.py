"""The last runs that did not pass, as the status keeps them: what failed, and where to look."""

from collections.abc import Iterable

from synthetic.operator.resources import Object
from synthetic.operator.run_result import ERROR, FAILED, Run
from synthetic.operator.status_schema import MAX_FAILURE_TEXT, MAX_FAILURES, TIMESTAMP_FORMAT

Failures = tuple[Object, ...]  # the newest first


def add_failure(failures: Iterable[Object], run: Run) -> Failures:
    """Return the failures with a run, if that is one; a disrupted run is none."""
    if run.result not in {FAILED, ERROR}:
        return tuple(failures)
    newest_first = sorted(
        [*failures, _record(run)], key=lambda failure: str(failure["finishedAt"]), reverse=True
    )
    return tuple(newest_first[:MAX_FAILURES])


def explain(failure: Object) -> str:
    """Return in one line both sides of a criterion, the place of a violation, or the detail."""
    evidence: Object = failure.get("evidence", {})
    if "keyword" in evidence:
        place = evidence.get("pointer") or "the value"
        return f"{place} violates {evidence['keyword']} (schema {evidence.get('schema', '')})"
    sides = ", ".join(f"{name} {text}" for name, text in evidence.items() if name != "condition")
    if "condition" in evidence:
        return f"{evidence['condition']} ({sides})"
    return str(evidence.get("problem", "") or failure.get("detail", ""))


def headline(failure: Object) -> str:
    """Return location, step, reason and HTTP status of a failure."""
    words = (failure.get(name, "") for name in ("step", "reason", "httpStatus"))
    text = " ".join(str(word) for word in words if word) or str(failure["result"])
    return f"{failure['location']}: {text}" if "location" in failure else text


def _record(run: Run) -> Object:
    """Return the members of a failure that have a value."""
    found: Object = {
        "finishedAt": run.finished_at.strftime(TIMESTAMP_FORMAT),
        "result": run.result,
        "job": run.job,
        "location": run.location,
        "step": run.step,
        "reason": run.reason,
        "httpStatus": run.http_status,
        "detail": (run.detail or run.cause)[:MAX_FAILURE_TEXT],
        "evidence": run.evidence,
        "traceId": run.trace_id,
    }
    return {name: value for name, value in found.items() if value}
