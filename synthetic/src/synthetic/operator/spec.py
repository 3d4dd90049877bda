"""A monitor's spec with defaults, and validation that the CRD's schema cannot express."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from synthetic.operator.cron import Cron, CronError
from synthetic.operator.resources import Object
from synthetic.operator.target import Target

POD_STARTUP_SECONDS = 60  # to schedule a probe's pod, pull its image and start it
NETWORK_WAIT_SECONDS = 10  # network policies admit a new pod up to some seconds late
JOB_MARGIN_SECONDS = 30  # between the deadlines of a pod and of its Job
INTERVAL_MINUTES = {"1m": 1, "2m": 2, "5m": 5, "10m": 10, "15m": 15, "30m": 30, "1h": 60}
SEVERITIES = ("critical", "warning", "info")
WINDOWS = {"1d": 1, "7d": 7, "30d": 30}
DURATION = re.compile(r"(?:([0-9]{1,3})h)?(?:([0-9]{1,5})m)?")
READ_ERRORS = (AttributeError, KeyError, TypeError, ValueError)  # of a spec without this schema


class SpecError(Exception):
    """An invalid spec, with a machine-readable reason and a message."""

    def __init__(self, reason: str, message: str) -> None:
        """Set the reason and the message."""
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Schedule:
    """A cron expression in a time zone."""

    cron: str
    zone: str
    description: str  # shown by kubectl

    def after(self, moment: datetime) -> datetime:
        """Return the first scheduled time after a moment.

        Raises:
            SpecError: the expression or the zone is invalid, or never fires.

        """
        zone = parse_time_zone(self.zone)
        try:
            return Cron.parse(self.cron).after(moment, zone)
        except CronError as error:
            message = f"spec.schedule {self.cron!r} is invalid: {error}"
            raise SpecError("InvalidSchedule", message) from error

    def expected_runs(self, now: datetime, days: int) -> int:
        """Return the number of runs in a window of days that ends today; 0 if it is invalid."""
        try:
            return Cron.parse(self.cron).count(now.astimezone(parse_time_zone(self.zone)), days)
        except (CronError, SpecError):
            return 0


@dataclass(frozen=True)
class ObjectKey:
    """A key of a ConfigMap or a Secret that is mounted into the probe's pod."""

    name: str
    key: str


@dataclass(frozen=True)
class Receiver:
    """A webhook or a service that gets changes of the health."""

    name: str
    url: str
    url_from: ObjectKey | None
    signing_key: ObjectKey | None
    service: ObjectKey | None  # Apprise's URL of a service; without it the receiver is a webhook
    resend: timedelta | None

    @classmethod
    def parse(cls, entry: Object) -> Self:
        """Parse an entry of ``notify``."""
        webhook = entry.get("webhook", {})
        hours, minutes = parse_duration(entry.get("resendInterval", ""))
        return cls(
            name=entry["name"],
            url=webhook.get("url", ""),
            url_from=_object_key(webhook.get("urlFrom"), "secretKeyRef"),
            signing_key=_object_key(webhook.get("signingKeyFrom"), "secretKeyRef"),
            service=_object_key(entry.get("apprise", {}).get("urlFrom"), "secretKeyRef"),
            resend=timedelta(hours=hours, minutes=minutes) or None,
        )


@dataclass(frozen=True)
class Location:
    """A place that runs start from; the one without a name is any node that ``pod`` admits."""

    name: str = ""
    node_selector: dict[str, str] = field(default_factory=dict)
    tolerations: tuple[Object, ...] = ()

    @classmethod
    def parse(cls, entry: Object) -> Self:
        """Parse an entry of ``locations``."""
        selector, tolerations = entry.get("nodeSelector"), entry.get("tolerations")
        return cls(entry["name"], dict(selector or {}), tuple(tolerations or ()))


ANYWHERE = Location()


@dataclass(frozen=True)
class Spec:
    """A monitor's spec with its defaults."""

    journey: str
    target: Target
    ca_from: ObjectKey | None
    certificate: str  # a Secret with the client's certificate
    proxy: str  # its URL
    proxy_from: ObjectKey | None
    redirects: int
    schedule: Schedule
    timeout: int
    cleanup: int
    retries: int
    severity: str
    group: str  # of the status page; may be empty
    suspend: bool
    concurrency: str
    credentials: str
    journey_from: ObjectKey | None
    inputs: dict[str, str]
    inputs_from: tuple[str, ...]  # names of Secrets
    servers: dict[str, str]  # base URLs by source description
    deployments: tuple[str, ...]
    failures: int
    out_of: int
    degraded_ms: int
    objective: float
    window: str
    maintenance: tuple[Object, ...]
    notify: tuple[Receiver, ...]
    history_success: int
    history_failed: int
    resources: Object
    pod: Object  # scheduling and metadata of the probe's pods
    locations: tuple[Location, ...]
    quorum: int  # failing locations that make the monitor unhealthy

    @classmethod
    def from_monitor(cls, monitor: Object) -> Self:
        """Parse a monitor; the CRD's schema has validated its types."""
        spec: Object = monitor["spec"]
        thresholds, slo = spec.get("thresholds", {}), spec.get("slo", {})
        history = spec.get("history", {})
        target = spec.get("target", {})
        locations = tuple(map(Location.parse, spec.get("locations") or ()))
        return cls(
            journey=spec["journey"],
            target=Target.parse(target),
            ca_from=_object_key(target.get("caFrom")),
            certificate=target.get("clientCertificateSecretRef", {}).get("name", ""),
            proxy=spec.get("proxy", ""),
            proxy_from=_object_key(spec.get("proxyFrom"), "secretKeyRef"),
            redirects=spec.get("followRedirects", 0),
            schedule=_parse_schedule(spec, monitor["metadata"]["uid"]),
            timeout=spec.get("timeoutSeconds", 30),
            cleanup=spec.get("cleanupSeconds", 15),
            retries=spec.get("retries", 1),
            severity=spec.get("severity", SEVERITIES[0]),
            group=spec.get("group", ""),
            suspend=spec.get("suspend", False),
            concurrency=spec.get("concurrencyPolicy", "Forbid"),
            credentials=spec.get("credentialsSecretRef", {}).get("name", ""),
            journey_from=_object_key(spec.get("journeyFrom")),
            inputs=dict(spec.get("inputs") or {}),
            inputs_from=tuple(each["secretRef"]["name"] for each in spec.get("inputsFrom") or []),
            servers=dict(spec.get("servers") or {}),
            deployments=tuple(spec.get("runOnRollout", {}).get("deployments", [])),
            failures=thresholds.get("failures", 3),
            out_of=thresholds.get("outOf", 3),
            degraded_ms=thresholds.get("degradedMs", 0),
            objective=float(slo.get("objective", "99.5")) / 100,
            window=slo.get("window", "30d"),
            maintenance=tuple(spec.get("maintenance") or ()),
            notify=tuple(map(Receiver.parse, spec.get("notify") or ())),
            history_success=history.get("success", 1),
            history_failed=history.get("failed", 3),
            resources=spec.get("resources") or {},
            pod=spec.get("pod") or {},
            locations=locations,
            quorum=spec.get("quorum", len(locations) // 2 + 1),
        )

    @property
    def places(self) -> tuple[Location, ...]:
        """The locations, each with a CronJob; without any, the one that is anywhere."""
        return self.locations or (ANYWHERE,)

    @property
    def pod_deadline(self) -> int:
        """Seconds until Kubernetes ends the pod, after the probe's own time limits."""
        return NETWORK_WAIT_SECONDS + self.timeout + self.cleanup + POD_STARTUP_SECONDS

    @property
    def job_deadline(self) -> int:
        """Seconds until Kubernetes fails the Job, after the pod's deadline."""
        return self.pod_deadline + self.cleanup + JOB_MARGIN_SECONDS


def parse_duration(text: str) -> tuple[int, int]:
    """Return hours and minutes of a text like ``1h30m``; zeros if it is something else."""
    matched = DURATION.fullmatch(text)
    hours, minutes = (int(part or 0) for part in matched.groups()) if matched else (0, 0)
    return hours, minutes


def stable_offset(uid: str, among: int) -> int:
    """Return a number below ``among`` that depends on the uid alone."""
    return int.from_bytes(hashlib.sha256(uid.encode()).digest()[:4], "big") % among


def _object_key(source: Object | None, field: str = "configMapKeyRef") -> ObjectKey | None:
    reference = (source or {}).get(field)
    return ObjectKey(reference["name"], reference["key"]) if reference else None


def _parse_schedule(spec: dict[str, Any], uid: str) -> Schedule:
    zone = spec.get("timeZone", "Etc/UTC")
    if "schedule" in spec:
        description = spec["schedule"] + (f" {zone}" if "timeZone" in spec else "")
        return Schedule(spec["schedule"], zone, description)
    interval = spec.get("interval", "5m")
    minutes = INTERVAL_MINUTES[interval]
    offset = stable_offset(uid, minutes)
    if minutes == 1:
        minute = "*"
    elif interval == "1h":
        minute = str(offset)
    else:
        minute = f"{offset}-59/{minutes}"
    return Schedule(f"{minute} * * * *", "Etc/UTC", f"every {interval}")


def parse_time_zone(name: str, path: str = "spec.timeZone") -> tzinfo:
    """Return a time zone.

    Raises:
        SpecError: it is unknown; the message names the field by its ``path``.

    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{path} {name!r} is unknown: use a name like Europe/Lisbon"
        raise SpecError("UnknownTimeZone", message) from None
