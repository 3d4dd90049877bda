"""Track the incidents of a monitor run by run (pure functions).

The result depends on the runs alone, however many of them a reconciliation counts at once.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from synthetic.operator.conditions import Condition
from synthetic.operator.health import failed_runs, judge
from synthetic.operator.history import History
from synthetic.operator.incident import Incident, recent
from synthetic.operator.maintenance import Maintenance
from synthetic.operator.run_result import Run
from synthetic.operator.spec import Spec
from synthetic.operator.status_schema import TIMESTAMP_FORMAT

PAUSES = frozenset({"Suspended", "Maintenance"})  # reasons of the condition Healthy


def count_runs(
    history: History,
    runs: Iterable[Run],
    existing: Iterable[str],
    spec: Spec,
    maintenance: Maintenance,
) -> History:
    """Count runs as ``History.count``, and track the incidents after each of them."""
    uids = tuple(existing)
    for run in sorted(runs, key=lambda run: run.finished_at):
        history = _after_run(history.count([run], uids), run, spec, maintenance)
    return _end_in_window(history.count([], uids), maintenance, maintenance.now)


def settle(history: History, spec: Spec, healthy: Condition, ended: str, now: datetime) -> History:
    """Return the history with incidents that agree with the condition Healthy.

    That also depends on the spec. A suspended monitor and one in maintenance have no incident, and
    one that lacks data keeps its own until it passes.
    """
    if healthy.status == "True" or healthy.reason in PAUSES:
        history = _close(history, now)
    elif healthy.status == "False":
        history = _open(history, spec, ended, now)
    return replace(history, incidents=recent(history.incidents, now))


def _after_run(history: History, run: Run, spec: Spec, maintenance: Maintenance) -> History:
    history, ended = _end_in_window(history, maintenance, run.finished_at), maintenance.ended
    if run.maintenance or spec.suspend:
        return history
    since = ended if run.started_at.strftime(TIMESTAMP_FORMAT) >= ended else ""
    status = judge(spec, history, since).status
    if status == "True":
        return _close(history, run.started_at)
    return _open(history, spec, since, run.started_at) if status == "False" else history


def _open(history: History, spec: Spec, since: str, now: datetime) -> History:
    """Start an incident with the first failure that counts, after the last incident."""
    incidents = history.incidents
    if any(each.end is None for each in incidents):
        return history
    failed = failed_runs(spec, history)
    ends = [each.end.strftime(TIMESTAMP_FORMAT) for each in incidents if each.end]
    last_end = max(ends, default="")
    starts = [run.at for run in failed if run.at > last_end and run.at >= since]
    start = datetime.fromisoformat(starts[0]) if starts else now
    opened = Incident(start.astimezone(UTC), None, failed[-1].detail if failed else "")
    return replace(history, incidents=(*incidents, opened))


def _end_in_window(history: History, maintenance: Maintenance, moment: datetime) -> History:
    """End the ongoing incident with the first window after its start, even without a run in it."""
    starts = [each.start for each in history.incidents if each.end is None]
    if not starts:
        return history
    window = maintenance.windows.first_start(max(*starts, maintenance.seen), moment)
    return _close(history, window) if window else history


def _close(history: History, now: datetime) -> History:
    """End the ongoing incident."""
    closed = tuple(
        replace(each, end=max(now, each.start)) if each.end is None else each
        for each in history.incidents
    )
    return replace(history, incidents=closed)
