"""JSON Schema of a monitor's status, the same as in the CustomResourceDefinition."""

from datetime import datetime, timedelta
from typing import Any

Schema = dict[str, Any]

MAX_COUNT = 10**15
MAX_FAILURES, MAX_FAILURE_TEXT = 5, 200
MAX_INCIDENTS = 20
DURATION_BUCKETS = 8
MAX_STEPS = 20  # with a histogram
MAX_CLOCK_SKEW = timedelta(minutes=5)  # to the operator that wrote a status
MAX_LOCATIONS = 10
TIMESTAMP_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
DATE = r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
HOUR = rf"{DATE}T([01][0-9]|2[0-3])"
MOMENT = rf"{HOUR}:[0-5][0-9]:[0-5][0-9]Z"

COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_COUNT}
NUMBER: Schema = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
ANY_TIME: Schema = {"type": "string", "format": "date-time", "maxLength": 20}
TIME: Schema = {"type": "string", "format": "date-time", "pattern": f"^{MOMENT}$"}


def _text(length: int) -> Schema:
    return {"type": "string", "maxLength": length}


def _lines(pattern: str, count: int) -> Schema:
    return {"type": "array", "maxItems": count, "items": {"type": "string", "pattern": pattern}}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


CONDITION: Schema = {
    **_object(
        type={"type": "string", "pattern": "^[A-Za-z]{1,64}$"},
        status={"type": "string", "enum": ["True", "False", "Unknown"]},
        reason={"type": "string", "pattern": "^[A-Za-z]{1,64}$"},
        message=_text(1024),
        observedGeneration=COUNT,
        lastTransitionTime=TIME,
    ),
    "required": ["type", "status", "reason", "message", "lastTransitionTime"],
}

LAST_RUN: Schema = {
    **_object(
        job=_text(63),
        location=_text(63),
        maintenance=_text(200),
        result={"type": "string", "enum": ["passed", "failed", "error", "disrupted"]},
        step=_text(64),
        reason=_text(64),
        httpStatus=NUMBER,
        attempt=NUMBER,
        durationMs=NUMBER,
        traceId=_text(32),
        detail=_text(300),
        startedAt=TIME,
        finishedAt=TIME,
    ),
    "required": ["job", "result", "durationMs", "finishedAt"],
}

EVIDENCE: Schema = _object(
    condition=_text(MAX_FAILURE_TEXT),
    left=_text(MAX_FAILURE_TEXT),
    right=_text(MAX_FAILURE_TEXT),
    value=_text(MAX_FAILURE_TEXT),
    selected=_text(MAX_FAILURE_TEXT),
    pointer=_text(MAX_FAILURE_TEXT),
    keyword=_text(MAX_FAILURE_TEXT),
    schema=_text(MAX_FAILURE_TEXT),
    problem=_text(MAX_FAILURE_TEXT),
)

FAILURE: Schema = {
    **_object(
        finishedAt=TIME,
        result={"type": "string", "enum": ["failed", "error"]},
        job=_text(63),
        location=_text(63),
        step=_text(64),
        reason=_text(64),
        httpStatus=NUMBER,
        detail=_text(MAX_FAILURE_TEXT),
        evidence=EVIDENCE,
        traceId=_text(32),
    ),
    "required": ["finishedAt", "result", "job"],
}

NOTIFIED: Schema = {
    **_object(
        name=_text(63),
        health={"type": "string", "enum": ["True", "False"]},
        at=TIME,
        attempts=NUMBER,
        retryAt=ANY_TIME,
        error=_text(300),
    ),
    "required": ["name"],
}

RUN = (
    rf"^{MOMENT} (passed|failed|error|disrupted)(/(maintenance|tolerated|outage))? "
    r"[0-9]{1,10}( .{1,80})?$"
)
STEP_NAME = r"[A-Za-z0-9_./-]{1,64}"  # a step of a called workflow is like call/step
HISTOGRAM = rf"[0-9]{{1,16}}( [0-9]{{1,16}}){{{DURATION_BUCKETS}}}"
CONDITIONS: Schema = {"type": "array", "maxItems": 8, "items": CONDITION}
CRON_JOB: Schema = _object(name=_text(63), generation=COUNT)
TOTALS: Schema = _object(
    passed=COUNT,
    failed=COUNT,
    error=COUNT,
    disrupted=COUNT,
    passedAfterRetry=COUNT,
    maintenance=COUNT,
)
HANDLED: Schema = _object(
    runRequestedAt=_text(200),
    rollouts={"type": "object", "maxProperties": 10, "additionalProperties": _text(200)},
)

LOCATION: Schema = {
    **_object(
        name=_text(63),
        cronJob=CRON_JOB,
        conditions=CONDITIONS,
        lastRun=LAST_RUN,
        lastSuccessTime=TIME,
        consecutiveFailures=COUNT,
        totals=TOTALS,
        runs=_lines(RUN, 60),
        certificateExpiry=ANY_TIME,
        handled=HANDLED,
    ),
    "required": ["name"],
}

STATUS: Schema = _object(
    observedGeneration=COUNT,
    schedule=_text(200),
    target=_text(600),
    cronJob=CRON_JOB,
    conditions=CONDITIONS,
    locations={"type": "array", "maxItems": MAX_LOCATIONS, "items": LOCATION},
    lastRun=LAST_RUN,
    lastSuccessTime=TIME,
    consecutiveFailures=COUNT,
    totals=TOTALS,
    maintenance={
        **_object(
            reason=_text(200),
            until=ANY_TIME,
            runs={"type": "string", "enum": ["Continue", "Pause"]},
        ),
        "required": ["reason", "until", "runs"],
    },
    uptime={"type": "object", "maxProperties": 8, "additionalProperties": _text(16)},
    slo=_object(objective=_text(16), window=_text(16), budgetRemaining=_text(32), failed=COUNT),
    windows=_object(
        hours=_lines(rf"^{HOUR}( [0-9]{{1,9}}){{3}}$", 25),
        days=_lines(rf"^{DATE}( [0-9]{{1,9}}){{3}}$", 31),
    ),
    runs=_lines(RUN, 90),
    incidents=_lines(rf"^{MOMENT} ([0-9]{{1,9}}|-)( .{{1,80}})?$", MAX_INCIDENTS),
    failureReasons={"type": "object", "maxProperties": 16, "additionalProperties": COUNT},
    durations=_object(
        runs={"type": "string", "pattern": rf"^{HISTOGRAM}$"},
        steps=_lines(rf"^{STEP_NAME} {HISTOGRAM}$", MAX_STEPS),
        phases=_lines(rf"^(dns|connect|tls|first_byte) {HISTOGRAM}$", 4),
    ),
    certificateExpiry=ANY_TIME,
    notified={"type": "array", "maxItems": 5, "items": NOTIFIED},
    failures={"type": "array", "maxItems": MAX_FAILURES, "items": FAILURE},
    counted=_lines(r"^[^\s]{1,18}$", 2000),
    handled=HANDLED,
)


def is_moment(text: str) -> bool:
    """Return whether a text is a time as the status has it, in the past or in the future."""
    try:
        return datetime.strptime(text, TIMESTAMP_FORMAT).strftime(TIMESTAMP_FORMAT) == text  # noqa: DTZ007 - UTC
    except ValueError:
        return False
