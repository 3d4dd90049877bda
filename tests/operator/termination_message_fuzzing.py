"""Ten thousand termination messages that no probe would write, in real pods.

There are few Jobs, which finish once. Each round sets new messages in their pods and clears the
list of counted runs, so that the operator processes all of them again. A Job for each message
would load the API server instead of the operator.
"""

import json
import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import jsonschema_rs
import orjson
import yaml

from synthetic.operator.resources import MONITORS, Object
from synthetic.operator.status import MAX_STATUS_BYTES
from tests.operator.factories import totals
from tests.operator.message_fuzzer import VALID, random_message
from tests.operator.namespace import CRD_FILE, Namespace
from tests.operator.operator_process import RECONCILES, OperatorProcess, operator
from tests.support.steps import check, wait_until

MESSAGES = 10_000
MONITOR_COUNT = 20
JOBS_EACH = 50  # every second one has passed
MEMORY_LIMIT_MB = 200.0
ROUND_TIMEOUT_SECONDS = 300.0
CONCURRENCY = 8  # requests
EXIT_CODES = (0, 1, 2, 137)


@dataclass(frozen=True)
class FinishedPod:
    """A pod of a finished Job."""

    pod: Object
    passed: bool


def check_fuzzed_messages(namespace: Namespace, report: Callable[[str], None]) -> str:
    """Set the messages; return the number of counted runs, and the operator's memory."""
    rng = random.Random(7)  # noqa: S311 - the same messages each time
    names = [f"told-{number}" for number in range(MONITOR_COUNT)]
    limits = {"success": JOBS_EACH, "failed": JOBS_EACH}
    owners = [namespace.add_monitor(name, history=limits) for name in names]
    pods = _end_runs(namespace, owners)
    with operator(namespace.name) as process:
        _wait_until_counted(namespace, names, 1)
        megabytes = process.megabytes
        rounds = MESSAGES // len(pods)
        for number in range(1, rounds + 1):
            _set_messages(namespace, pods, rng)
            for name in names:
                _clear_counted(namespace, name)
            _wait_until_counted(namespace, names, number + 1)
            check(process.is_alive, "the liveness check of the operator fails")
            report(f"{number * len(pods)} of {MESSAGES} messages")
        _check_valid_messages(namespace, names[0])
        return _summary(process, rounds * len(pods), megabytes)


def check_status(monitor: Object, rounds: int) -> None:
    """Raise ``StepFailed`` unless all runs are counted, and the status is valid."""
    found, half = totals(monitor), rounds * JOBS_EACH // 2
    counts = (found["passed"], found["failed"] + found["error"], found["disrupted"])
    check(counts == (half, half, 0), f"not {half} passed and {half} not, but {found}")
    schema = yaml.safe_load(CRD_FILE.read_text())["spec"]["versions"][0]["schema"]
    validator = jsonschema_rs.Draft202012Validator(
        schema["openAPIV3Schema"]["properties"]["status"], validate_formats=True
    )
    error = next(validator.iter_errors(monitor["status"]), None)
    check(error is None, f"a status that does not fit the schema: {error}")
    size = len(orjson.dumps(monitor["status"]))
    check(size <= MAX_STATUS_BYTES, f"a status of {size} bytes")


def _end_runs(namespace: Namespace, owners: list[Object]) -> list[FinishedPod]:
    runs = [(owner, bool(number % 2)) for owner in owners for number in range(JOBS_EACH)]
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        pods = pool.map(lambda run: namespace.end_run(run[0], passed=run[1], message="{}"), runs)
        return [FinishedPod(pod, passed) for pod, (_, passed) in zip(pods, runs, strict=True)]


def _set_messages(namespace: Namespace, pods: Iterable[FinishedPod], rng: random.Random) -> None:
    """Set a random message in each pod, and a random exit code unless its Job has passed."""
    values = []
    for each in pods:
        message = random_message(rng)
        # with exit code 0, a probe that says so has passed: another container failed the Job
        codes = EXIT_CODES[1:] if '"passed"' in message else EXIT_CODES
        values.append((each.pod, message, 0 if each.passed else rng.choice(codes)))
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(lambda value: namespace.set_message(*value), values))


def _clear_counted(namespace: Namespace, name: str) -> None:
    monitor = namespace.monitor(name)
    monitor["status"]["counted"] = []
    namespace.replace(MONITORS, monitor, "status")


def _wait_until_counted(namespace: Namespace, names: list[str], rounds: int) -> None:
    """Wait until the runs of all rounds are counted; raises ``StepFailed``."""
    expected = rounds * JOBS_EACH

    def are_counted() -> bool:
        return all(sum(totals(one).values()) >= expected for one in namespace.list_all(MONITORS))

    message = f"not all of {expected} runs are counted for each monitor"
    wait_until(are_counted, ROUND_TIMEOUT_SECONDS, message)
    for name in names:
        check_status(namespace.monitor(name), rounds)


def _check_valid_messages(namespace: Namespace, name: str) -> None:
    """End a failed and a passed run with valid messages: each must be counted by its result."""
    failed = {"result": "failed", "reason": "http_status", "status": 503}
    _check_valid_message(namespace, name, failed, ("createClient", "http_status", 503))
    _check_valid_message(namespace, name, {"result": "passed"}, ("", "", 0))


def _check_valid_message(
    namespace: Namespace, name: str, message: Object, expected: tuple[str, str, int]
) -> None:
    result, before = message["result"], totals(namespace.monitor(name))
    after = {**before, result: before[result] + 1}
    text = json.dumps({**VALID, **message})
    namespace.end_run(namespace.monitor(name), passed=result == "passed", message=text)
    wait_until(
        lambda: totals(namespace.monitor(name)) == after,
        ROUND_TIMEOUT_SECONDS,
        f"there are not {after}",
    )
    last = namespace.monitor(name)["status"]["lastRun"]
    check((last["step"], last["reason"], last["httpStatus"]) == expected, f"reported as {last}")


def _summary(process: OperatorProcess, count: int, before: float) -> str:
    reconciles = process.samples(RECONCILES)
    errors = sum(number for labels, number in reconciles.items() if 'result="error"' in labels)
    page = httpx.get(process.url, timeout=60)
    after = process.megabytes
    summary = (
        f"{count} messages counted by one process, {errors:.0f} reconciliations failed, "
        f"{before:.0f} MB before, {after:.0f} after (of {MEMORY_LIMIT_MB:.0f}); then valid ones"
    )
    check(page.is_success and not errors and after <= MEMORY_LIMIT_MB, summary)
    return summary
