"""Whether an answer is what its step wants."""

from synthetic.probe.expressions import Context
from synthetic.probe.http import Response
from synthetic.probe.journey import Step
from synthetic.probe.results import Reason, StepError

AUTH_STATUSES = frozenset((401, 403))
MIN_ERROR_STATUS = 400


def verify(step: Step, answer: Response, scope: Context) -> None:
    """Check the status, then the contract, then all else.

    The status comes first: a 502 of an ingress is in no contract, and is told as what it is.

    Raises:
        StepError: with the reason auth, http_status, schema or assertion.

    """
    _check_status(step, answer, scope)
    step.operation.check_response(answer)
    for criterion in step.criteria:
        if not criterion.evaluate(scope):
            raise StepError("assertion", f"it is not so that {criterion.text}")
    for name, expression in step.outputs.items():
        if expression.evaluate(scope) is None:
            raise StepError("assertion", f"the output {name} has no value: {expression.text}")


def _check_status(step: Step, answer: Response, scope: Context) -> None:
    texts = [e.text for criterion in step.criteria for e in criterion.expressions]
    wanted = [criterion for criterion in step.criteria if criterion.only_checks_status]
    if all(criterion.evaluate(scope) for criterion in wanted) and (
        "$statusCode" in texts or answer.status < MIN_ERROR_STATUS
    ):
        return
    reason: Reason = "auth" if answer.status in AUTH_STATUSES else "http_status"
    raise StepError(reason, f"it answered {answer.status}")
