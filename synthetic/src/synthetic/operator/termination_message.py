"""Parser of a probe's termination message, which is untrusted input."""

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from synthetic.operator.status_schema import STEP_NAME, is_moment

REASONS = frozenset(
    {
        *("dns", "connect", "tls", "timeout", "http_status"),
        *("schema", "assertion", "auth", "teardown", "runner"),
    }
)
RESULTS = frozenset({"running", "passed", "failed", "error"})
MAX_LENGTH = 4096  # the limit of the kubelet in bytes
STEP_PATTERN = re.compile(STEP_NAME)
JOURNEY_PATTERN = re.compile(r"[A-Za-z0-9_.-]{1,64}")
TRACE_ID_PATTERN = re.compile(r"[0-9a-f]{32}")
NUMBER_LIMIT = 2**31
NETWORK_REASONS = frozenset(("dns", "connect", "tls", "timeout"))  # their details have no content
EVIDENCE = (
    *("condition", "left", "right", "value", "selected"),
    *("pointer", "keyword", "schema", "problem"),
)
MAX_TEXT = 200  # characters
PHASES = ("dns", "connect", "tls", "first_byte")


@dataclass(frozen=True, slots=True)
class StepTimes:
    """The duration of a step with its retries, and those of its last request by phase."""

    name: str
    duration_us: int
    phases_us: tuple[int, ...]  # as in PHASES; 0 for the phases of an open connection


@dataclass(frozen=True)
class TerminationMessage:
    """The progress of a probe; invalid fields are empty or 0."""

    result: str
    step: str = ""
    reason: str = ""
    http_status: int = 0
    attempt: int = 1
    duration_ms: int = 0
    trace_id: str = ""
    journey: str = ""
    cause: str = ""  # what the network has reported
    evidence: dict[str, str] = field(default_factory=dict)  # of the failed check
    certificate_expiry: str = ""
    steps: tuple[StepTimes, ...] = ()


def parse_message(text: str) -> TerminationMessage | None:
    """Return the parsed message, or None for an invalid one."""
    if len(text) > MAX_LENGTH:
        return None
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict) or document.get("v") != 1:
        return None
    result = document.get("result")
    if not isinstance(result, str) or result not in RESULTS:
        return None
    given = document.get("reason")
    reason = given if isinstance(given, str) and given in REASONS else ""
    return TerminationMessage(
        result=result,
        step=_matching(STEP_PATTERN, document.get("step")),
        reason=reason,
        http_status=_number(document.get("status")),
        attempt=max(1, _number(document.get("attempt"))),
        duration_ms=_number(document.get("durationMs")),
        trace_id=_matching(TRACE_ID_PATTERN, document.get("traceId")),
        journey=_matching(JOURNEY_PATTERN, document.get("journey")),
        cause=_text(document.get("detail")) if reason in NETWORK_REASONS else "",
        evidence=_evidence(document.get("evidence")),
        certificate_expiry=_moment(document.get("certificateExpiry")),
        steps=_steps(document.get("steps")),
    )


def _matching(pattern: re.Pattern[str], value: Any) -> str:  # noqa: ANN401 - any JSON value
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return value[:MAX_TEXT] if isinstance(value, str) and value.isprintable() else ""


def _evidence(value: Any) -> dict[str, str]:  # noqa: ANN401 - any JSON value
    found = {name: _text(value.get(name)) for name in EVIDENCE} if isinstance(value, dict) else {}
    return {name: text for name, text in found.items() if text}


def _steps(value: Any) -> tuple[StepTimes, ...]:  # noqa: ANN401 - any JSON value
    """Return the steps of a message: the name, milliseconds, HTTP status, and those of PHASES."""
    found = []
    for step in value if isinstance(value, list) else ():
        match step:
            case [name, duration, _, *phases] if len(phases) == len(PHASES):
                times = StepTimes(
                    _matching(STEP_PATTERN, name),
                    _microseconds(duration),
                    tuple(map(_microseconds, phases)),
                )
                found += [times] if times.name else []
    return tuple(found)


def _microseconds(value: Any) -> int:  # noqa: ANN401 - any JSON value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(1000 * value) if is_number and 0 <= value < NUMBER_LIMIT else 0


def _moment(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return value if isinstance(value, str) and is_moment(value) else ""


def _number(value: Any) -> int:  # noqa: ANN401 - any JSON value
    is_number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < NUMBER_LIMIT
    return value if is_number else 0
