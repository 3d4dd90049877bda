"""Invalid monitors: the schema rejects them, or a condition explains the error."""

from synthetic.operator.cronjob import cron_job_name
from synthetic.operator.resources import CRON_JOBS, Object
from tests.operator.factories import monitor, ready_condition
from tests.operator.namespace import Namespace, wait_until
from tests.operator.operator_process import operator
from tests.support.steps import StepFailed, check

CONDITION_TIMEOUT_SECONDS = 30.0
MAX_NAME_LENGTH = 63  # characters
TOO_LONG = (MAX_NAME_LENGTH + 1, 253)
SCHEMA: list[tuple[Object, str]] = [
    ({"schedule": "@daily", "interval": None}, "a schedule has five fields"),
    ({"schedule": "0 4 * *", "interval": None}, "a schedule has five fields"),
    ({"schedule": "TZ=UTC 4 * * *", "interval": None}, "the time zone goes into timeZone"),
    ({"schedule": "0 4 * * *", "interval": "5m"}, "exactly one of schedule and interval"),
    ({"interval": None}, "exactly one of schedule and interval"),
    ({"interval": "7m"}, 'Unsupported value: "7m"'),
    ({"timeZone": "Europe/Lisbon"}, "timeZone goes with schedule"),
    ({"journey": None}, "spec.journey: Required value"),
    ({"target": None}, "spec.target: Required value"),
    ({"target": {"url": "http://ana@shop.example"}}, "a URL has no user and password"),
    ({"target": {"url": "http://shop.example/?token=x"}}, "a URL has no query"),
    ({"target": {"url": "shop.example"}}, "a URL starts with http:// or https://"),
    ({"target": {"url": "http://shop.example:port/"}}, "a host name or an address"),
    ({"target": {"url": "http://2001:db8::1/"}}, "IPv6 in brackets"),
    ({"target": {"url": "http://[fe80::1%25eth0]:8080"}}, "a URL has no zone"),
    ({"target": {}}, "exactly one of target.url, target.ingress, target.httpRoute"),
    (
        {"target": {"ingress": {"name": "a"}, "httpRoute": {"name": "a"}}},
        "exactly one of target.url, target.ingress",
    ),
    ({"target": {"service": {"name": "shop"}}}, "spec.target.service.port: Required value"),
    ({"target": {"service": {"name": "shop", "port": 80, "path": "a"}}}, "a path starts with /"),
    ({"thresholds": {"failures": 5, "outOf": 3}}, "failures cannot be more than outOf"),
    ({"thresholds": {"failures": 0}}, "spec.thresholds.failures"),
    ({"slo": {"objective": "100"}}, "spec.slo.objective"),
    ({"slo": {"objective": "0.0"}}, "a percentage between 0 and 100"),
    ({"servers": {"a": "shop.example"}}, "a URL starts with http:// or https://"),
    ({"servers": {"a=b": "http://a.example"}}, "the name of a sourceDescription, without ="),
    ({"inputsFrom": [{}]}, "secretRef: Required value"),
    ({"severity": "page"}, 'Unsupported value: "page"'),
    ({"followRedirects": 21}, "spec.followRedirects"),
    ({"proxy": "http://ana:pw@proxy.example"}, "a proxy has no user and password in the spec"),
    ({"proxy": "https://proxy.example"}, "a proxy is like http://proxy.example:3128"),
    (
        {
            "proxy": "http://proxy.example",
            "proxyFrom": {"secretKeyRef": {"name": "a", "key": "b"}},
        },
        "give one of proxy and proxyFrom",
    ),
    (
        {"target": {"url": "http://a.example", "clientCertificateSecretRef": {"name": "a"}}},
        "so target.url starts with https://",
    ),
    ({"timeoutSeconds": 0}, "spec.timeoutSeconds"),
    ({"retries": 99}, "spec.retries"),
    ({"quorum": 1}, "quorum is a number of locations, so give locations too"),
    ({"locations": []}, "spec.locations in body should have at least 1 items"),
    ({"locations": [{"name": "rio"}] * 2}, 'spec.locations[1]: Duplicate value: {"name":"rio"}'),
    ({"locations": [{"name": "Rio"}]}, "spec.locations[0].name in body should match"),
    ({"locations": [{}]}, "spec.locations[0].name: Required value"),
    (
        {"locations": [{"name": "rio"}], "quorum": 2},
        "quorum cannot be more than the number of locations",
    ),
]
WINDOW = {"reason": "x", "start": "2026-03-01T22:00:00Z", "end": "2026-03-01T23:00:00-03:00"}
RECURRING = {"reason": "x", "schedule": "0 2 * * SUN", "duration": "1h30m"}
WINDOWS: list[tuple[Object, str]] = [
    ({**WINDOW, **RECURRING}, "exactly one of start (with end) and schedule (with duration)"),
    ({"reason": "x"}, "exactly one of start (with end) and schedule (with duration)"),
    ({"reason": "x", "start": WINDOW["start"]}, "start and end go together"),
    ({"reason": "x", "schedule": RECURRING["schedule"]}, "schedule and duration go together"),
    ({**WINDOW, "timeZone": "Europe/Lisbon"}, "timeZone goes with schedule"),
    ({**WINDOW, "end": "2026-03-01T19:00:00-03:00"}, "end must be after start"),
    ({**WINDOW, "start": "tomorrow"}, "date-time"),
    ({**WINDOW, "start": "2026-03-01T22:00:00"}, "date-time"),
    ({"start": WINDOW["start"], "end": WINDOW["end"]}, "reason: Required value"),
    ({**WINDOW, "runs": "Stop"}, 'Unsupported value: "Stop"'),
    ({**RECURRING, "schedule": "@daily"}, "a schedule has five fields"),
    ({**RECURRING, "duration": "2d"}, "a duration has hours and minutes"),
    ({**RECURRING, "duration": "0m"}, "a duration has hours and minutes"),
    ({**RECURRING, "duration": "200h"}, "from 1m to 168h"),
]
SCHEMA += [({"maintenance": [window]}, message) for window, message in WINDOWS]
WEBHOOK = {"url": "https://hooks.example/x"}
KEY = {"secretKeyRef": {"name": "a", "key": "b"}}
RECEIVERS: list[tuple[Object, str]] = [
    ({"name": "a"}, "webhook: Required value"),
    ({"name": "A b", "webhook": WEBHOOK}, "notify[0].name in body should match"),
    ({"name": "a", "webhook": {}}, "exactly one of url and urlFrom"),
    ({"name": "a", "webhook": {**WEBHOOK, "urlFrom": KEY}}, "exactly one of url and urlFrom"),
    ({"name": "a", "webhook": {"url": "hooks.example"}}, "a URL starts with https:// or http://"),
    ({"name": "a", "webhook": {"url": "https://a:b@c.example"}}, "put it into a Secret"),
    ({"name": "a", "webhook": WEBHOOK, "resendInterval": "1m"}, "from 5m to 168h"),
    ({"name": "a", "webhook": WEBHOOK, "resendInterval": "1d"}, "from 5m to 168h"),
]
SCHEMA += [({"notify": [receiver]}, message) for receiver, message in RECEIVERS]
CONDITIONS: list[tuple[str, Object, str]] = [
    ("never", {"schedule": "0 0 30 2 *"}, "InvalidSchedule"),
    ("no-cron", {"schedule": "a b c d e"}, "InvalidSchedule"),
    ("no-zone", {"schedule": "0 4 * * *", "timeZone": "Mars/Olympus"}, "UnknownTimeZone"),
    ("no-hour", {"maintenance": [{**RECURRING, "schedule": "0 25 * * *"}]}, "InvalidMaintenance"),
    ("in-window", {"maintenance": [WINDOW, RECURRING]}, "Scheduled"),
    ("no-ingress", {"target": {"ingress": {"name": "nowhere"}}}, "NoIngress"),
    ("no-route", {"target": {"httpRoute": {"name": "nowhere"}}}, "NoHTTPRoute"),
    ("no-quantity", {"resources": {"limits": {"memory": "much"}}}, "Refused"),
    ("no-journey", {"journey": "client-health"}, "NoJourney"),
    ("taken", {}, "NameTaken"),
    ("n" * MAX_NAME_LENGTH, {}, "Scheduled"),
]


def check_validation(namespace: Namespace) -> str:
    """Create invalid monitors, and return the number of correct rejections and conditions."""
    for spec, message in SCHEMA:
        _check_rejection(namespace.rejection(monitor("bad", **spec)), message, spec)
    for length in TOO_LONG:
        rejection = namespace.rejection(monitor("n" * length))
        _check_rejection(rejection, "63 characters at most", length)
    made = {name: namespace.add_monitor(name, **spec) for name, spec, _ in CONDITIONS}
    theirs = namespace.create(CRON_JOBS, _foreign(cron_job_name(made["taken"])))
    with operator(namespace.name) as process:
        for name, _, reason in CONDITIONS:
            _check_condition(namespace, name, reason)
        check(process.is_alive, "the operator has exited")
    found = namespace.get(CRON_JOBS, theirs["metadata"]["name"])
    check(found == theirs, "a foreign CronJob was changed")
    rejected = len(SCHEMA) + len(TOO_LONG)
    return f"{rejected} rejected by the schema, {len(CONDITIONS)} explained by Ready"


def _check_condition(namespace: Namespace, name: str, reason: str) -> None:
    wait_until(
        lambda: ready_condition(namespace.monitor(name))[0] == reason,
        CONDITION_TIMEOUT_SECONDS,
        lambda: f"{name}: Ready is not {reason}: {ready_condition(namespace.monitor(name))}",
    )


def _foreign(name: str) -> Object:
    pod = {"restartPolicy": "Never", "containers": [{"name": "theirs", "image": "theirs.invalid"}]}
    job = {"spec": {"template": {"spec": pod}}}
    return {
        "metadata": {"name": name},
        "spec": {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": job},
    }


def _check_rejection(rejection: str, expected: str, given: object) -> None:
    if expected not in rejection:
        raise StepFailed(f"{given}: not {expected!r}, but {rejection or 'accepted'!r}")
