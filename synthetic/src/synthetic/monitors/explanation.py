"""Text of `synthetic explain`: conditions, failed runs and notifications, a log, next runs."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from synthetic.monitors.client import UserClient
from synthetic.monitors.listing import format_table, views
from synthetic.operator.api_client import FORBIDDEN, ApiError
from synthetic.operator.conditions import condition
from synthetic.operator.failures import explain as explain_failure
from synthetic.operator.failures import headline
from synthetic.operator.location_view import LocationView
from synthetic.operator.maintenance import PAUSE
from synthetic.operator.monitor_cache import MonitorView
from synthetic.operator.notification import last_failure
from synthetic.operator.resources import Object
from synthetic.operator.spec import SpecError
from synthetic.operator.status import UPTIME_WINDOWS, percent
from synthetic.operator.status_schema import TIMESTAMP_FORMAT
from synthetic.operator.stored_status import read_status

NEXT_RUNS = 3
INDENT = "  "


async def explain(api: UserClient, namespace: str, name: str, now: datetime) -> str:
    """Return a text about a monitor.

    Raises:
        UserError: it does not exist.

    """
    monitor = await api.get_monitor(namespace, name)
    (view,) = views([monitor], now)
    parts = [_summary(view, now), _conditions(monitor), *_locations(view), _failures(view)]
    if view.history.failures:
        parts.append(await _log(api, namespace, view.history.failures[0]["job"]))
    parts += _failed_notifications(read_status(monitor, now)[0])
    parts.append(_next_runs(monitor, view, now))
    return printable("\n".join(parts))


def printable(text: str) -> str:
    """Return a text without characters that a terminal interprets."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def format_failure(failure: Object) -> str:
    """Return a failure with its evidence, Job and trace."""
    lines = [f"{failure['finishedAt']} {failure['result']}: {headline(failure)}"]
    lines += [f"{INDENT}{text}" for text in (explain_failure(failure),) if text]
    trace = f", trace {failure['traceId']}" if "traceId" in failure else ""
    return "\n".join([*lines, f"{INDENT}Job {failure['job']}{trace}"])


def _summary(view: MonitorView, now: datetime) -> str:
    uptimes = ((window, percent(view.history.uptime(window, now))) for window in UPTIME_WINDOWS)
    rows = [
        ("Monitor:", f"{view.namespace}/{view.name}"),
        ("State:", view.state),
        ("Journey:", view.journey),
        ("Target:", view.target),
        ("Schedule:", view.schedule),
        ("Uptime:", ", ".join(f"{window} {share or 'no data'}" for window, share in uptimes)),
        ("Budget left:", view.slo.get("budgetRemaining", "")),
        ("Certificate until:", view.history.certificate_expiry),
    ]
    return format_table(rows)


def _conditions(monitor: Object) -> str:
    found = (monitor.get("status") or {}).get("conditions") or []
    rows = [
        tuple(str(each.get(name, "")) for name in ("type", "status", "reason", "message"))
        for each in found
    ]
    return _section("Conditions", format_table(rows) if rows else "none: no operator has seen it")


def _problem(location: LocationView) -> Object:
    """Return the condition that explains a location best."""
    return location.ready if location.ready.get("status") == "False" else location.healthy


def _locations(view: MonitorView) -> Iterator[str]:
    """Yield a table of the locations, if there are any."""
    header = ("NAME", "STATE", "REASON", "LAST", "ENDED", "FAILS", "MESSAGE")
    rows = [
        (
            each.name,
            each.state,
            each.healthy.get("reason", ""),
            each.last.get("result", ""),
            each.last.get("finishedAt", ""),
            str(each.history.consecutive_failures),
            (each.ready if each.ready.get("status") == "False" else each.healthy).get(
                "message", ""
            ),
        )
        for each in view.locations
    ]
    if rows:
        title = f"Locations, unhealthy when {view.spec.quorum} of {len(rows)} fail"
        yield _section(title, format_table([header, *rows]))


def _failures(view: MonitorView) -> str:
    found = [format_failure(failure) for failure in view.history.failures]
    return _section("Last failures, the newest first", "\n".join(found) or "none")


async def _log(api: UserClient, namespace: str, job: str) -> str:
    try:
        text = await api.read_log(namespace, job)
    except ApiError as error:
        if error.status != FORBIDDEN:
            raise
        text = f"not readable: {error.message}"
    if text is None:
        text = "gone with its pod; spec.history.failed sets how many Jobs stay"
    return _section(f"Log of {job}", "\n".join(_log_lines(text)) or "empty")


def _log_lines(text: str) -> Iterator[str]:
    """Yield the lines of a log; a result of the probe is a line for each step."""
    for line in text.splitlines():
        try:
            steps = json.loads(line)["steps"]
            rows = [_step_row(step) for step in steps]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            yield line
        else:
            yield from format_table(rows).splitlines()


def _step_row(step: Object) -> tuple[str, ...]:
    cause = f"{step['reason']}: {step['detail']}" if step["reason"] else "passed"
    return str(step["stepId"]), str(step["status"]), f"{step['durationMs']} ms", cause


def _failed_notifications(status: Object) -> Iterator[str]:
    """Yield the last failed delivery of each receiver since it accepted one, if there are any."""
    failed = [
        (moment.strftime(TIMESTAMP_FORMAT), record)
        for record in status.get("notified", [])
        if (moment := last_failure(record))
    ]
    lines = [
        f"{moment} {record['name']}: {record['error']}\n"
        f"{INDENT}attempt {record.get('attempts', 1)}, the next one at {record['retryAt']}"
        for moment, record in sorted(failed, key=lambda each: each[0], reverse=True)
    ]
    if lines:
        yield _section("Failed notifications, the newest first", "\n".join(lines))


def _next_runs(monitor: Object, view: MonitorView, now: datetime) -> str:
    if view.spec.suspend:
        return _section("Next runs", "none: suspended; `synthetic resume` resumes the monitor")
    if condition(monitor.get("status") or {}, "Suspended").get("reason") == "NotScheduled":
        return _section("Next runs", "none: the condition Ready has the cause")
    moments, moment = [], now
    if view.maintenance.get("runs") == PAUSE:
        ended = datetime.fromisoformat(view.maintenance["until"])
        moment = max(now, ended - timedelta(seconds=1))
    try:
        for _ in range(NEXT_RUNS):
            moment = view.spec.schedule.after(moment)
            moments.append(moment.strftime(TIMESTAMP_FORMAT))
    except SpecError as error:
        moments.append(f"none: {error}")
    return _section("Next runs", "\n".join(moments))


def _section(title: str, text: str) -> str:
    lines = "".join(f"{INDENT}{line}\n" for line in text.splitlines())
    return f"{title}:\n{lines}"
