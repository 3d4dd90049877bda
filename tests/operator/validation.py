"""Wrong specs and documents: the API server refuses each, or Ready=False explains it.

The list is `tests/support/synthetic/wrong_specs.yaml`. An operator runs already, as it does for
a user, whose words are those that are compared.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from synthetic.operator.conditions import condition
from synthetic.operator.resources import MAINTENANCES, Object
from tests.operator.factories import ready_condition
from tests.operator.namespace import Namespace, installed_crds, wait_until
from tests.operator.operator_process import operator
from tests.support.steps import check
from tests.support.synthetic.wrong_specs import WRONG_SPECS, WrongSpec, resource_of

GATEWAY_API_FILE = Path(__file__).with_name("gateway_api.yaml")
CONDITION_TIMEOUT_SECONDS = 150.0  # a run that does not start is reported after 25 s
RIGHT = "n" * 63  # the longest name
WINDOWS: list[Object] = [
    {"reason": "x", "start": "2026-03-01T22:00:00Z", "end": "2026-03-01T23:00:00-03:00"},
    {"reason": "x", "schedule": "0 2 * * SUN", "duration": "1h30m"},
]


def check_validation(namespace: Namespace, report: Callable[[str], None]) -> str:
    """Run an operator process, and check the list with it."""
    with operator(namespace.name) as process:
        summary = check_wrong_specs(namespace, report)
        check(process.is_alive, "the operator has exited")
    return summary


def check_wrong_specs(namespace: Namespace, report: Callable[[str], None]) -> str:
    """Apply all wrong specs to a namespace with an operator, and return the numbers by verdict."""
    with installed_crds(GATEWAY_API_FILE):
        return _check(namespace, report)


def _check(namespace: Namespace, report: Callable[[str], None]) -> str:
    refused = [each for each in WRONG_SPECS if each.is_refused]
    applied = [each for each in WRONG_SPECS if not each.is_refused]
    complaints = []
    for each in refused:
        message = namespace.rejection(each.item, resource_of(each.item))
        report(f"  refused      {each.name}: {message}")
        complaints.append(each.complaint(each.by, message))
    with _applied(namespace, applied):
        namespace.add_monitor(RIGHT, maintenance=WINDOWS)
        for each in applied:
            _wait_until_explained(namespace, each)
            report(f"  Ready=False  {each.name}: {each.by}: {_ready(namespace, each)[1]}")
        reason = ready_condition(namespace.monitor(RIGHT))[0]
        check(reason == "Scheduled", f"a monitor without a mistake is not ready: {reason}")
    check(not any(complaints), "; ".join(filter(None, complaints)))
    return (
        f"{len(WRONG_SPECS)} wrong specs: {len(refused)} refused, {len(applied)} Ready=False; "
        "each message names the place and the fix"
    )


@contextmanager
def _applied(namespace: Namespace, cases: list[WrongSpec]) -> Iterator[None]:
    """Create the objects; those without a namespace are deleted after the block."""
    try:
        for case in cases:
            for item in (*case.related, case.item):
                made = namespace.create(resource_of(item), item)
                if "status" in item:
                    status = {**made, "status": item["status"]}
                    namespace.replace(resource_of(item), status, "status")
        yield
    finally:
        for case in cases:
            if case.maintenance:
                namespace.delete(MAINTENANCES, case.name)


def _wait_until_explained(namespace: Namespace, wrong: WrongSpec) -> None:
    complaint = partial(_complaint, namespace, wrong)
    wait_until(lambda: not complaint(), CONDITION_TIMEOUT_SECONDS, complaint)


def _complaint(namespace: Namespace, wrong: WrongSpec) -> str:
    return wrong.complaint(*_ready(namespace, wrong))


def _ready(namespace: Namespace, wrong: WrongSpec) -> tuple[str, str]:
    """Return reason and message of the condition Ready, if that is False."""
    item = namespace.get(resource_of(wrong.item), wrong.name) or {}
    if condition(item.get("status") or {}, "Ready").get("status") != "False":
        return "", ""
    return ready_condition(item)
