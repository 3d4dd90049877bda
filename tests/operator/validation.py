"""What people get wrong in a monitor: the schema refuses it, or a condition says what to change."""

from synthetic.operator.api_client import CRON_JOBS, Object
from synthetic.operator.cronjob import cron_job_name
from tests.operator.namespace import MissError, Space, monitor, ready, until
from tests.operator.operator_process import operator

PATIENCE = 30.0  # seconds until a condition says so
LONGEST = 63  # characters of a name
TOO_LONG = (LONGEST + 1, 253)
TARGET = "spec.target.url in body should match"
SCHEMA: list[tuple[Object, str]] = [
    ({"schedule": "@daily", "interval": "5m"}, "spec.schedule in body should match"),
    ({"schedule": "0 4 * * *", "interval": "5m"}, "exactly one of schedule and interval"),
    ({"interval": None}, "exactly one of schedule and interval"),
    ({"interval": "7m"}, 'Unsupported value: "7m"'),
    ({"timeZone": "Europe/Lisbon"}, "timeZone goes with schedule"),
    ({"journey": "client-health"}, "no journey of this name ships"),
    ({"journey": None}, "spec.journey: Required value"),
    ({"target": None}, "spec.target: Required value"),
    ({"target": {"url": "http://ana@shop.example"}}, TARGET),
    ({"target": {"url": "http://shop.example/?token=x"}}, TARGET),
    ({"target": {"url": "shop.example"}}, TARGET),
    ({"target": {}}, "exactly one of target.url and target.ingress"),
    ({"thresholds": {"failures": 5, "outOf": 3}}, "failures cannot be more than outOf"),
    ({"thresholds": {"failures": 0}}, "spec.thresholds.failures"),
    ({"slo": {"objective": "100"}}, "spec.slo.objective"),
    ({"slo": {"objective": "0.0"}}, "a percentage between 0 and 100"),
    ({"timeoutSeconds": 0}, "spec.timeoutSeconds"),
    ({"retries": 99}, "spec.retries"),
]
CONDITIONS: list[tuple[str, Object, str]] = [
    ("never", {"schedule": "0 0 30 2 *"}, "InvalidSchedule"),
    ("no-cron", {"schedule": "a b c d e"}, "InvalidSchedule"),
    ("no-zone", {"schedule": "0 4 * * *", "timeZone": "Mars/Olympus"}, "UnknownTimeZone"),
    ("no-ingress", {"target": {"ingress": {"name": "nowhere"}}}, "NoIngress"),
    ("no-quantity", {"resources": {"limits": {"memory": "much"}}}, "Refused"),
    ("taken", {}, "NameTaken"),
    ("n" * LONGEST, {}, "Scheduled"),
]


def refused(space: Space) -> str:
    """Give all of it; return how many cases were told as they must be."""
    for spec, told in SCHEMA:
        _expect(space.refusal(monitor("bad", **spec)), told, spec)
    for length in TOO_LONG:
        _expect(space.refusal(monitor("n" * length)), "63 characters at most", length)
    made = {name: space.add_monitor(name, **spec) for name, spec, _ in CONDITIONS}
    theirs = space.create(CRON_JOBS, _foreign(cron_job_name(made["taken"])))
    with operator(space.name) as running:
        for name, _, reason in CONDITIONS:
            _see(space, name, reason)
        if not running.is_alive:
            raise MissError("the operator has ended")
    if space.get(CRON_JOBS, theirs["metadata"]["name"]) != theirs:
        raise MissError("somebody else's CronJob was changed")
    return f"{len(SCHEMA) + len(TOO_LONG)} refused by the schema, {len(CONDITIONS)} told by Ready"


def _see(space: Space, name: str, reason: str) -> None:
    def told() -> bool:
        return ready(space.monitor(name))[0] == reason

    try:
        until(told, PATIENCE, f"Ready has not the reason {reason}")
    except MissError as error:
        raise MissError(f"{name}: {error}: {ready(space.monitor(name))}") from None


def _foreign(name: str) -> Object:
    pod = {"restartPolicy": "Never", "containers": [{"name": "theirs", "image": "theirs.invalid"}]}
    job = {"spec": {"template": {"spec": pod}}}
    return {
        "metadata": {"name": name},
        "spec": {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": job},
    }


def _expect(seen: str, told: str, given: object) -> None:
    if told not in seen:
        raise MissError(f"{given}: not {told!r}, but {seen or 'accepted'!r}")
