"""Whether an answer is what its step wants."""

from synthetic.probe.expressions import Scope
from synthetic.probe.http import Answer
from synthetic.probe.journey import Step
from synthetic.probe.results import Reason, StepError

REFUSED = frozenset((401, 403))
LOWEST_ERROR = 400


def judge(step: Step, answer: Answer, scope: Scope) -> None:
    """Check the status, then the contract, then all else.

    The status comes first: a 502 of an ingress is in no contract, and is told as what it is.

    Raises:
        StepError: with the reason auth, http_status, schema or assertion.

    """
    _check_status(step, answer, scope)
    step.operation.check(answer)
    for criterion in step.criteria:
        if not criterion.holds(scope):
            raise StepError("assertion", f"it is not so that {criterion.text}")
    for name, expression in step.outputs.items():
        if expression.value(scope) is None:
            raise StepError("assertion", f"the output {name} has no value: {expression.text}")


def _check_status(step: Step, answer: Answer, scope: Scope) -> None:
    texts = [e.text for criterion in step.criteria for e in criterion.expressions]
    wanted = [criterion for criterion in step.criteria if criterion.is_about_status]
    if all(criterion.holds(scope) for criterion in wanted) and (
        "$statusCode" in texts or answer.status < LOWEST_ERROR
    ):
        return
    reason: Reason = "auth" if answer.status in REFUSED else "http_status"
    raise StepError(reason, f"it answered {answer.status}")
