"""Verify a response against its step: status, contract and criteria."""

from collections.abc import Callable

from synthetic.probe.criteria import MAX_TEXT, failure_text, only_checks_status
from synthetic.probe.http import Response
from synthetic.probe.journey import Step
from synthetic.probe.policy import STRICT, Policy
from synthetic.probe.results import Reason, StepError
from synthetic.probe.runtime_values import Context

AUTH_STATUSES = frozenset((401, 403))
MIN_ERROR_STATUS = 400


def verify(
    step: Step,
    response: Response,
    context: Context,
    policy: Policy = STRICT,
    describe_credentials: Callable[[], str] = str,
) -> list[str]:
    """Check the status, then the contract, then the criteria; return the warnings.

    The status is first because no contract declares the 502 of an ingress. A failure with the
    reason auth says what ``describe_credentials`` returns.

    Raises:
        StepError: with the reason auth, http_status, schema or assertion.

    """
    warnings: list[str] = []
    checks: tuple[Callable[[], None], ...] = (
        lambda: _check_status(step, response, context, describe_credentials),
        lambda: step.operation.check_response(response, assert_formats=policy.assert_formats),
        lambda: verify_criteria(step, context),
    )
    for check in checks:
        try:
            check()
        except StepError as error:
            severity = policy.severity(error.reason)
            if severity == "error":
                raise
            if severity == "warn":
                warnings.append(f"{error.reason}: {error}")
    return warnings


def verify_criteria(step: Step, context: Context) -> None:
    """Check the criteria of a step.

    Raises:
        StepError: with the reason assertion.

    """
    for criterion in step.criteria:
        if not criterion.evaluate(context):
            evidence = criterion.evidence(context)
            text = failure_text(criterion, evidence)
            raise StepError("assertion", f"the criterion is not met: {text}", evidence)


def _check_status(
    step: Step, response: Response, context: Context, describe_credentials: Callable[[], str]
) -> None:
    """Fail on an unmet status criterion, or on 4xx and 5xx if the step names no status."""
    texts = [e.text for criterion in step.criteria for e in criterion.expressions]
    status_criteria = filter(only_checks_status, step.criteria)
    unmet = next((each for each in status_criteria if not each.evaluate(context)), None)
    if unmet is None and ("$statusCode" in texts or response.status < MIN_ERROR_STATUS):
        return
    reason: Reason = "auth" if response.status in AUTH_STATUSES else "http_status"
    expected = f", and the criterion is {unmet.text[:MAX_TEXT]}" if unmet else ""
    detail = f"the response status is {response.status}{expected}"
    evidence = unmet.evidence(context) if unmet else []
    if reason == "auth" and (described := describe_credentials()):
        # the first evidence is the one that a monitor's status shows
        detail, evidence = f"{detail}: {described}", [{"problem": described}, *evidence]
    raise StepError(reason, detail, evidence)
