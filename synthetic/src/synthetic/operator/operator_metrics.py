"""Metrics of the operator itself."""

import platform

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, ProcessCollector

from synthetic import __version__

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

BUILD = Info(
    "cadastro_synthetic_operator_build",
    "Version of the operator, and of Python",
    registry=REGISTRY,
)
BUILD.info({"version": __version__, "python": platform.python_version()})

API_REQUESTS = Counter(
    "cadastro_synthetic_operator_api_requests",
    "Requests to the API server by method and status code",
    ("method", "code"),
    registry=REGISTRY,
)
RECONCILES = Counter(
    "cadastro_synthetic_operator_reconciles",
    "Reconciliations by result",
    ("result",),
    registry=REGISTRY,
)
NOTIFICATIONS = Counter(
    "cadastro_synthetic_notifications",
    "Attempts to notify a receiver of a monitor by result",
    ("result",),
    registry=REGISTRY,
)
QUEUE_DEPTH = Gauge(
    "cadastro_synthetic_operator_workqueue_depth",
    "Monitors waiting to be reconciled",
    registry=REGISTRY,
)
LAST_RESYNC = Gauge(
    "cadastro_synthetic_operator_last_resync_timestamp_seconds",
    "Time of the last full resync",
    registry=REGISTRY,
)
CONFLICTS = Gauge(
    "cadastro_synthetic_operator_conflict",
    "1 if another operator manages a namespace that this one watches",
    ("conflict_namespace",),
    registry=REGISTRY,
)
