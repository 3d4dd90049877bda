"""Metrics for Prometheus, on a port of their own; off unless METRICS_BIND says where."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError

from servicekit import outbox
from servicekit.database import Database
from servicekit.errors import Unavailable

log = logging.getLogger(__name__)


class OutboxCollector(Collector):
    """How many messages wait, and how long the oldest one has; asked when somebody looks."""

    def __init__(self, database: Database) -> None:
        """Look into the outbox of ``database``."""
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return the two gauges; neither while the database does not answer."""
        try:
            depth, age = outbox.depth(self._database), outbox.age(self._database)
        except (DBAPIError, Unavailable) as error:
            log.warning("the outbox cannot be measured: %s", type(error).__name__)
            return
        yield GaugeMetricFamily("outbox_messages", "Messages that wait.", value=depth)
        about = "Seconds that the oldest message has waited; 0 when none waits."
        yield GaugeMetricFamily("outbox_oldest_age_seconds", about, value=age)


def serve(bind: str, *collectors: Collector) -> Callable[[], Any]:
    """Serve what ``collectors`` tell at ``bind``, a host and a port; return what ends it."""
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    host, _, port = bind.rpartition(":")
    server, _ = start_http_server(int(port), host, registry)
    return server.shutdown
