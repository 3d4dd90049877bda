"""Resilience tests with few monitors: rejected requests, kills, and runs without an operator."""

import random
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import httpx

from synthetic.operator.cronjob import UID_LABEL, location_of
from synthetic.operator.resources import CRON_JOBS, GROUP, JOBS, MONITORS, Object
from synthetic.operator.run_requests import RUN_REQUESTED_ANNOTATION
from tests.operator.api_proxy import ApiProxy, Kill, api_proxy
from tests.operator.factories import places, ready_condition, totals
from tests.operator.message_fuzzer import random_message
from tests.operator.namespace import CRD, Namespace, wait_until
from tests.operator.operator_process import OperatorProcess, operator
from tests.operator.status_fuzzer import random_value
from tests.operator.tampering import tamper_all
from tests.support.steps import StepFailed, check

MONITOR_COUNT = 20
MAX_WRITES = 25  # for one monitor, which needs about ten
REJECT_EVERY = 7  # requests; a reconciliation sends about five
READY_LIMIT_SECONDS = 60.0
CONVERGENCE_LIMIT_SECONDS = 60.0
IDLE_SECONDS = 2.0
PASSED, FAILED = 3, 2  # runs of a monitor before the kill of its operator
FUZZED_MONITORS, FUZZ_ROUNDS = 100, 10  # each round has one status a monitor, and a restart
MISSED = 25  # runs of each result that end without an operator
CAUSE = f"{GROUP}/cause"
KINDS = ("new", "edited", "located")  # of monitors
BEFORE, AFTER = ("a", "b", "c"), ("a", "b", "d")  # locations: one is removed, and one added
HISTORY_LIMITS = {"success": 1, "failed": 1}


def tolerates_rejections(namespace: Namespace) -> str:
    """Reject every seventh request; all monitors must become ready, and changes be repaired."""
    names = [f"refused-{number}" for number in range(MONITOR_COUNT)]
    with api_proxy() as (proxy, _), tempfile.TemporaryDirectory() as folder:
        proxy.reject_every = REJECT_EVERY
        with _operator_behind(namespace, proxy, Path(folder)) as process:
            for name in names:
                namespace.add_monitor(name)
            seconds = wait_until(
                lambda: _are_ready(namespace, names), READY_LIMIT_SECONDS, "not all are ready"
            )
            tamper_all(namespace, names, MONITOR_COUNT)
            check(process.process.poll() is None, "the operator has exited")
        summary = f"{proxy.rejected} of {proxy.requests} requests rejected with 429 or 500"
    ready = f"{MONITOR_COUNT} monitors ready after {seconds:.0f} s"
    return f"{summary}: {ready}, {MONITOR_COUNT} changes repaired"


def survives_kills(namespace: Namespace, report: Callable[[str], None]) -> str:
    """Kill the operator at each of its writes; a new one must converge without duplicates."""
    counts = []
    for kind in KINDS:
        for is_forwarded in (True, False):
            number = 1
            while kill_at_write(namespace, number, kind=kind, is_forwarded=is_forwarded):
                when = "after" if is_forwarded else "before"
                report(f"killed at write {number} of a monitor ({kind}), {when} it")
                number += 1
                check(number <= MAX_WRITES, f"after {MAX_WRITES} writes it is not idle")
            counts.append(number - 1)
    check(all(counts), f"the operator was not killed: {counts}")
    return f"{sum(counts)} kills before and after writes: a CronJob a location, and exact totals"


def kill_at_write(namespace: Namespace, number: int, *, kind: str, is_forwarded: bool) -> bool:
    """Kill an operator at its write ``number``; return False if it has fewer writes."""
    name = f"kill-{kind}-{'heard' if is_forwarded else 'unheard'}-{number}"
    locations = {"locations": places(BEFORE)} if kind == "located" else {}
    owner = namespace.add_monitor(
        name, history=HISTORY_LIMITS, concurrencyPolicy="Allow", **locations
    )
    if kind != "new":
        with operator(namespace.name):
            message = f"{name} is not ready"
            wait_until(lambda: _are_ready(namespace, [name]), READY_LIMIT_SECONDS, message)
    if kind == "edited":
        _edit_cron_job(namespace, owner)
    elif kind == "located":
        found = namespace.monitor(name)
        changed = {**found["spec"], "locations": places(AFTER)}
        namespace.replace(MONITORS, {**found, "spec": changed})
    _create_work(namespace, owner)
    killed = _run_victim(namespace, number, is_forwarded=is_forwarded)
    with operator(namespace.name) as process:
        wait_until(
            lambda: _has_converged(namespace, name),
            CONVERGENCE_LIMIT_SECONDS,
            lambda: f"{name}: {_summary(namespace, name)}",
        )
        process.wait_idle(IDLE_SECONDS)
    check(_has_converged(namespace, name), f"{name}: {_summary(namespace, name)}")
    namespace.delete(MONITORS, name)  # or its pods would cause writes of the next victim
    return killed


def counts_missed_runs(namespace: Namespace) -> str:
    """End runs without an operator; later operators must count each of them once."""
    rng = random.Random(7)  # noqa: S311 - the same messages each time
    with operator(namespace.name) as process:
        owner = namespace.add_monitor("unseen", history={"success": 50, "failed": 50})
        wait_until(lambda: _are_ready(namespace, ["unseen"]), READY_LIMIT_SECONDS, "not ready")
        process.kill()
    for _ in range(MISSED):
        namespace.end_run(owner, passed=True, message=random_message(rng))
        namespace.end_run(owner, passed=False, message=random_message(rng))
    for _ in range(2):  # the second operator must not count them again
        with operator(namespace.name) as process:
            process.wait_idle(IDLE_SECONDS)
            found = totals(namespace.monitor("unseen"))
    failed = found["failed"] + found["error"]
    is_exact = (found["passed"], failed, found["disrupted"]) == (MISSED, MISSED, 0)
    summary = f"{found['passed']} of {MISSED} that passed and {failed} of {MISSED} that did not"
    check(is_exact, f"{summary} are counted: {found}")
    return f"{summary} are counted, with random termination messages"


def survives_fuzzed_statuses(namespace: Namespace) -> str:
    """Store random statuses that the schema admits; restarts must leave no trace of them."""
    rng = random.Random(7)  # noqa: S311 - the same statuses each time
    schema = _status_schema(namespace)
    names = [f"fuzzed-{number}" for number in range(FUZZED_MONITORS)]
    for name in (*names, "other"):
        namespace.add_monitor(name)
    namespace.end_run(namespace.monitor("other"), passed=True)
    for _ in range(FUZZ_ROUNDS):
        for name in names:
            stored = {**namespace.monitor(name), "status": random_value(schema, rng)}
            namespace.replace(MONITORS, stored, "status")
        with operator(namespace.name) as process:
            wait_until(
                lambda: _are_ready(namespace, [*names, "other"]),
                READY_LIMIT_SECONDS,
                "not all are ready",
            )
            check(process.is_ready, "the operator is not ready")
            shown = len(process.samples("cadastro_synthetic_monitor_slo_objective_ratio"))
            check(shown == FUZZED_MONITORS + 1, f"metrics of {shown} monitors")
            check(process.page_status == httpx.codes.OK, "the page is broken")
            check(totals(namespace.monitor("other"))["passed"] == 1, "another monitor changed")
    count = FUZZED_MONITORS * FUZZ_ROUNDS
    return f"{count} statuses in {FUZZ_ROUNDS} restarts: all ready, no other monitor affected"


def _status_schema(namespace: Namespace) -> Object:
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{CRD}"
    definition = namespace.http.get(path).json()
    schema: Object = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    status: Object = schema["properties"]["status"]
    return status


def _run_victim(namespace: Namespace, number: int, *, is_forwarded: bool) -> bool:
    """Run an operator that is killed at a write; return whether it was killed."""
    with api_proxy() as (proxy, _), tempfile.TemporaryDirectory() as folder:
        proxy.is_stopped = True  # until the victim is known
        with _operator_behind(namespace, proxy, Path(folder)) as victim:
            proxy.kill = Kill(number, is_forwarded, victim.kill)
            proxy.is_stopped = False
            with suppress(StepFailed):
                victim.wait_idle(IDLE_SECONDS)
            return victim.process.poll() is not None


def _edit_cron_job(namespace: Namespace, owner: Object) -> None:
    (live,) = namespace.cron_jobs(owner)
    live["spec"]["schedule"] = "0 0 1 1 *"
    namespace.replace(CRON_JOBS, live)


def _create_work(namespace: Namespace, owner: Object) -> None:
    """Create more finished runs than the history limits, and request a run."""
    for _ in range(PASSED):
        namespace.end_run(owner, passed=True)
    for _ in range(FAILED):
        namespace.end_run(owner, passed=False)
    annotations = {RUN_REQUESTED_ANNOTATION: str(time.time())}
    namespace.annotate(owner["metadata"]["name"], annotations)


def _has_converged(namespace: Namespace, name: str) -> bool:
    """Return whether there are the right CronJobs, one requested run each, and exact totals."""
    monitor = namespace.monitor(name)
    cron_jobs, jobs = namespace.cron_jobs(monitor), _jobs(namespace, monitor)
    wanted = [place["name"] for place in monitor["spec"].get("locations", [])] or [""]
    counts, entries = totals(monitor), monitor.get("status", {}).get("locations", [])
    requested = [job for job in jobs if CAUSE in job["metadata"].get("annotations", {})]
    return bool(
        sorted(map(location_of, cron_jobs)) == sorted(map(location_of, requested)) == wanted
        and all(job["spec"]["schedule"] != "0 0 1 1 *" for job in cron_jobs)
        and len(jobs) == len(wanted) + sum(HISTORY_LIMITS.values())
        and all(_are_exact(each) for each in (counts, *(e["totals"] for e in entries[:1])))
        and [entry["name"] for entry in entries] == [place for place in wanted if place]
        and ready_condition(monitor)[0] == "Scheduled"
    )


def _are_exact(counts: Object) -> bool:
    not_passed = counts.get("failed", 0) + counts.get("error", 0)
    return bool((counts.get("passed"), not_passed) == (PASSED, FAILED))


def _jobs(namespace: Namespace, owner: Object) -> list[Object]:
    uid = owner["metadata"]["uid"]
    return [
        job
        for job in namespace.list_all(JOBS)
        if job["metadata"].get("labels", {}).get(UID_LABEL) == uid
    ]


def _summary(namespace: Namespace, name: str) -> str:
    monitor = namespace.monitor(name)
    cron_jobs, jobs = namespace.cron_jobs(monitor), _jobs(namespace, monitor)
    counts = f"{len(cron_jobs)} CronJobs, {len(jobs)} Jobs"
    return f"{counts}, {totals(monitor)}, {ready_condition(monitor)}"


def _are_ready(namespace: Namespace, names: list[str]) -> bool:
    return all(ready_condition(namespace.monitor(name))[0] == "Scheduled" for name in names)


def _operator_behind(
    namespace: Namespace, proxy: ApiProxy, folder: Path
) -> AbstractContextManager[OperatorProcess]:
    proxy.write_kubeconfig(folder / "kubeconfig")
    return operator(namespace.name, folder / "kubeconfig")
