"""Observe a monitor's objects: count its finished runs, and start the requested ones."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.conditions import Condition, location_entry
from synthetic.operator.cronjob import location_of
from synthetic.operator.cronjob_writer import CronJobs, CronJobState, not_ready
from synthetic.operator.history import History
from synthetic.operator.incident_tracker import count_runs
from synthetic.operator.maintenance import Maintenance
from synthetic.operator.monitor_jobs import list_jobs
from synthetic.operator.observation import Observation
from synthetic.operator.quorum import combined_ready
from synthetic.operator.resources import Object
from synthetic.operator.run_collector import collect, finish_held_open
from synthetic.operator.run_requests import RequestedRuns, combine, handle_run_requests
from synthetic.operator.run_result import NOT_STARTED, Run, is_finished
from synthetic.operator.spec import Spec
from synthetic.operator.spec_references import with_fix
from synthetic.operator.start_problems import LATE_START, current_problem, refused_job

CANNOT_START = "ProbeCannotStart"  # a reason of the condition Ready


@dataclass(frozen=True)
class Observed:
    """The counted runs of a monitor, and the state of its objects."""

    listed: list[Object]  # the Jobs
    jobs: list[Object]  # the same; those that only a sidecar keeps open are finished
    history: History
    observation: Observation
    error: ApiError | None  # of a requested run that the API server failed to create

    @property
    def places(self) -> list[Observation]:
        """The state of each location; without any, the one of the monitor."""
        return list(self.observation.locations.values()) or [self.observation]


class Observer:
    """Observes monitors in the cluster of an API client."""

    def __init__(self, api: ApiClient, clock: Callable[[], datetime]) -> None:
        """Use the cluster of ``api``; problems are those at the time of ``clock``."""
        self._api = api
        self._clock = clock

    async def observe(
        self,
        monitor: Object,
        spec: Spec,
        cron_jobs: CronJobs,
        contender: str,
        maintenance: Maintenance,
    ) -> Observed:
        """Count the finished runs, and start the requested ones.

        Raises:
            ApiError: the API server is unavailable or rejected a request; retry later.

        """
        listed = await list_jobs(self._api, monitor, cron_jobs.live)
        jobs = await finish_held_open(self._api, listed)
        history = History.read(monitor["status"])
        history = history.located((each.name for each in spec.locations), spec.quorum)
        runs = [
            maintenance.windows.mark(await collect(self._api, job, self._clock()))
            for job in jobs
            if is_finished(job) and not history.is_counted(job["metadata"]["uid"])
        ]
        uids = [job["metadata"]["uid"] for job in jobs]
        history = count_runs(history, runs, uids, spec, maintenance)
        runnable = {name: state.ready_cron_job for name, state in cron_jobs.states.items()}
        requested = await handle_run_requests(self._api, monitor, spec, runnable, jobs)
        places = {}
        for name, state in cron_jobs.states.items():
            own = [job for job in jobs if location_of(job) == name]
            last = _latest(run for run in runs if run.location == name)
            stored = location_entry(monitor["status"], name) if name else monitor["status"]
            detail = last.detail if last else stored.get("lastRun", {}).get("detail", "")
            ready = await self._ready_condition(state, own, requested[name], detail)
            if ready.reason == CANNOT_START:
                ready = replace(ready, message=with_fix(spec, ready.message))
            places[name] = Observation(
                ready=ready,
                url=cron_jobs.url,
                cron_job=state.live["metadata"]["name"] if state.live else "",
                cron_job_generation=state.generation,
                schedule=state.schedule,
                last=last,
                handled=requested[name].handled,
                contender=contender,
                maintenance=maintenance,
            )
        request = combine(requested, monitor)
        observation = replace(join(places), last=_latest(runs), handled=request.handled)
        error = None if request.is_refused else request.error
        return Observed(listed, jobs, history, observation, error)

    async def _ready_condition(
        self, state: CronJobState, jobs: list[Object], requested: RequestedRuns, last_detail: str
    ) -> Condition:
        """Return the condition Ready, which is also False while runs cannot start."""
        if state.ready.status != "True":
            return state.ready
        if requested.error and requested.is_refused:
            refusal = f"The API server refused a requested run: {requested.error.message}"
            return not_ready("RunRefused", refusal)
        now = self._clock()
        problem = await current_problem(self._api, jobs, now)
        problem = problem or await self._cron_job_problem(state, now)
        if not problem and last_detail.startswith(NOT_STARTED):
            problem = f"The last run did not start: {last_detail}"
        return not_ready(CANNOT_START, problem) if problem else state.ready

    async def _cron_job_problem(self, state: CronJobState, now: datetime) -> str:
        """Return why the CronJob has not created a Job that is due, or an empty string."""
        if state.live is None or state.schedule is None:
            return ""
        last = (state.live.get("status") or {}).get("lastScheduleTime")
        since = last or state.live["metadata"]["creationTimestamp"]
        due = state.schedule.after(datetime.fromisoformat(since))
        if now < due + LATE_START:
            return ""
        problem = await refused_job(self._api, state.live, due)
        return f"The CronJob creates no Job: {problem}" if problem else ""


def join(places: Mapping[str, Observation]) -> Observation:
    """Return the observation of a monitor from those of its locations by name."""
    if "" in places:
        return places[""]
    found = list(places.values())
    return replace(
        found[0],
        ready=combined_ready({name: each.ready for name, each in places.items()}),
        cron_job="",
        cron_job_generation=0,
        schedule=next((each.schedule for each in found if each.schedule), None),
        locations=places,
    )


def _latest(runs: Iterable[Run]) -> Run | None:
    return max(runs, key=lambda run: run.finished_at, default=None)
