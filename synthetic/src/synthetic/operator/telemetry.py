"""What the operator measures of itself."""

from prometheus_client import CollectorRegistry, Counter, Gauge

REGISTRY = CollectorRegistry()

API_REQUESTS = Counter(
    "synthetic_operator_api_requests",
    "Requests to the API server, by method and status",
    ("method", "code"),
    registry=REGISTRY,
)
RECONCILES = Counter(
    "synthetic_operator_reconciles",
    "Monitors that were reconciled, by how it ended",
    ("result",),
    registry=REGISTRY,
)
QUEUED = Gauge(
    "synthetic_operator_queue_depth", "Monitors that wait to be reconciled", registry=REGISTRY
)
LAST_RESYNC = Gauge(
    "synthetic_operator_last_resync_timestamp_seconds",
    "When all monitors were last looked at",
    registry=REGISTRY,
)
