"""Request a run of a monitor at its locations, and wait for the results."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from synthetic.monitors.client import UserClient, UserError
from synthetic.monitors.explanation import format_failure, printable
from synthetic.operator.conditions import condition, location_entry
from synthetic.operator.cronjob import UID_LABEL, cron_job_name, location_of, requested_job_name
from synthetic.operator.failures import add_failure
from synthetic.operator.resources import GROUP, JOBS, Object
from synthetic.operator.run_requests import RUN_REQUESTED_ANNOTATION
from synthetic.operator.run_result import ERROR, FAILED, PASSED, is_finished, run_from_job
from synthetic.operator.start_problems import event_of_job, list_pods
from synthetic.operator.stored_status import read_status
from synthetic.standard_output import write_output

POLL_SECONDS = 1.0
READY_SECONDS = 15.0  # for the operator to observe a change of the monitor
EXIT_CODES = {PASSED: 0, FAILED: 1}  # of other results 2


@dataclass(frozen=True)
class RequestOptions:
    """What is asked for: a location or all, and the seconds to wait for the results."""

    location: str = ""
    limit: float | None = None


async def run(api: UserClient, namespace: str, name: str, options: RequestOptions) -> int:
    """Request a run; with a limit, wait for its results. Return the exit code.

    Raises:
        UserError: the monitor or the location does not exist, the run cannot start, or there is
            no result in time.

    """
    requested_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    if options.location:
        _check_location(await api.get_monitor(namespace, name), options.location)
        requested_at += f"@{options.location}"
    change: Object = {"metadata": {"annotations": {RUN_REQUESTED_ANNOTATION: requested_at}}}
    monitor = await api.patch_monitor(namespace, name, change)
    if options.limit is None:
        write_output(f"a run of {namespace}/{name} is requested\n")
        return 0
    wanted = [options.location] if options.location else _locations(monitor) or [""]
    requests = [_Request(api, monitor, requested_at, location) for location in wanted]
    waits = [request.wait(options.limit) for request in requests]
    results = await asyncio.gather(*waits, return_exceptions=True)
    errors = [each for each in results if isinstance(each, BaseException)]
    codes = [
        request.report(result)
        for request, result in zip(requests, results, strict=True)
        if not isinstance(result, BaseException)
    ]
    for error in errors:  # the first one, after the results of the other locations
        raise error
    return max(codes)


def _locations(monitor: Object) -> list[str]:
    return [each["name"] for each in monitor["spec"].get("locations") or []]


def _check_location(monitor: Object, location: str) -> None:
    """Raise ``UserError`` if a monitor does not have a location."""
    known = _locations(monitor)
    if location not in known:
        place = f"{monitor['metadata']['namespace']}/{monitor['metadata']['name']}"
        fix = f"choose one of {', '.join(known)}" if known else "leave --location out"
        raise UserError(f"{place} has no location {location!r}: {fix}")


class _Request:
    """A requested run, of which the Job has a name that depends on the request alone."""

    def __init__(self, api: UserClient, monitor: Object, requested_at: str, location: str) -> None:
        self._api = api
        self._namespace, self._name = (monitor["metadata"][n] for n in ("namespace", "name"))
        self._location = location
        self._title = f"{self._namespace}/{self._name}{location and f' at {location}'}"
        # a run that a rollout has requested too has another name, and the cause of both
        self._cause = f"annotation {requested_at}"
        self._selectors = {"labelSelector": f"{UID_LABEL}={monitor['metadata']['uid']}"}
        self._job_name = requested_job_name(cron_job_name(monitor, location), self._cause)
        self._job: Object | None = None

    async def wait(self, limit: float) -> Object:
        """Return the result, once there is one."""
        began = time.monotonic()
        while True:
            status = await self._status()
            found = await self._finished_job() or self._counted_run(status)
            if found is not None:
                return found
            waited = time.monotonic() - began
            if self._job is not None or waited > READY_SECONDS:
                self._check_is_ready(status)
            if waited > limit:
                raise UserError(f"{self._title}: {await self._missing(status, limit)}")
            await asyncio.sleep(POLL_SECONDS)

    async def _finished_job(self) -> Object | None:
        """Return the result of the Job, or None while it runs."""
        jobs = await self._api.list(JOBS, self._namespace, self._selectors)
        job = next(filter(self._is_requested, jobs), None)
        if job is None:
            return None
        self._job, self._job_name = job, job["metadata"]["name"]
        if not is_finished(job):
            return None
        run = run_from_job(job, await list_pods(self._api, job), datetime.now(UTC))
        (*failures,) = add_failure((), run)
        return {"result": run.result, "job": run.job, **(failures[0] if failures else {})}

    def _is_requested(self, job: Object) -> bool:
        cause = job["metadata"].get("annotations", {}).get(f"{GROUP}/cause", "")
        return location_of(job) == self._location and f"{cause} ".startswith(f"{self._cause} ")

    def _counted_run(self, status: Object) -> Object | None:
        """Return the result that the operator has counted: the Job may be gone, or held open."""
        places = (status, location_entry(status, self._location))
        found = [*status.get("failures", []), *(place.get("lastRun", {}) for place in places)]
        return next((each for each in found if each.get("job") == self._job_name), None)

    def _check_is_ready(self, status: Object) -> None:
        """Raise ``UserError`` if the run cannot start."""
        ready = self._ready(status)
        if ready.get("status") != "False":
            return
        if self._job is None:
            raise UserError(f"{self._title} is not ready: {ready['message']}")
        if self._job_name in ready["message"].split():  # not the Job of an earlier run
            raise UserError(f"{self._title}: {_describe(ready)}")

    async def _missing(self, status: Object, limit: float) -> str:
        """Return what is missing after the limit, the condition Ready, and the newest Event."""
        if self._job is None:
            text = f"no Job: is the operator running? after {limit:g} s"
            return f"{text}; {_describe(self._ready(status))}"
        pods = await list_pods(self._api, self._job)
        event = await event_of_job(self._api, self._job, pods)
        parts = [f"no result after {limit:g} s", _describe(self._ready(status))]
        return "; ".join([*parts, *([f"the newest warning is {event}"] if event else [])])

    def _ready(self, status: Object) -> Object:
        return condition(location_entry(status, self._location) or status, "Ready")

    async def _status(self) -> Object:
        monitor = await self._api.get_monitor(self._namespace, self._name)
        return read_status(monitor, datetime.now(UTC))[0]

    def report(self, result: Object) -> int:
        """Print a result, and return its exit code."""
        name = result["result"]
        text = format_failure(result) if name in {FAILED, ERROR} else f"Job {result['job']}"
        write_output(printable(f"{self._title} {name}\n{text}\n"))
        return EXIT_CODES.get(name, 2)


def _describe(ready: Object) -> str:
    """Return the condition Ready as text, with its reason."""
    if not ready:
        return "there is no condition Ready"
    return f"Ready={ready['status']} ({ready['reason']}): {ready['message']}"
