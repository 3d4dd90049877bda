"""Metrics for Prometheus, on a port of their own; off unless METRICS_BIND says where."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError

from servicekit.problems import Unavailable
from servicekit.telemetry.shared_metrics import Distribution, Fact, Meter

Facts = Callable[[], Iterable[Fact]]

log = logging.getLogger(__name__)


class MeterCollector(Collector):
    """What all workers of a service have counted."""

    def __init__(self, meter: Meter) -> None:
        """Tell what ``meter`` knows."""
        self._meter = meter

    def collect(self) -> Iterator[Metric]:
        """Return a family for each thing that is counted."""
        service = self._meter.service
        latency = HistogramMetricFamily(
            "http_server_request_duration_seconds",
            "Duration of HTTP requests, including the wait for a thread.",
            labels=("service", "operation", "status"),
        )
        for operation, status, found in self._meter.answers():
            latency.add_metric((service, operation, status), _buckets(found), found.total)
        yield latency
        lag = HistogramMetricFamily(
            "cadastro_event_loop_lag_seconds", "Delay of event loop timers.", labels=("service",)
        )
        found = self._meter.lag()
        lag.add_metric((service,), _buckets(found), found.total)
        yield lag
        for reading, value in self._meter.read():
            family = CounterMetricFamily if reading.grows else GaugeMetricFamily
            metric = family(reading.name, reading.told, labels=("service",))
            metric.add_metric((service,), value)
            yield metric


class FactsCollector(Collector):
    """What the database knows; nothing while it does not answer."""

    def __init__(self, facts: Facts) -> None:
        """Ask ``facts`` when somebody looks."""
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        """Return a gauge for each fact."""
        try:
            found = list(self._facts())
        except (DBAPIError, Unavailable) as error:
            log.warning("the database cannot be asked for metrics: %s", type(error).__name__)
            return
        for fact in found:
            yield GaugeMetricFamily(fact.name, fact.told, value=fact.value)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_port = True  # every worker listens, and whoever is asked answers for all


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep scrapes out of the log."""


class Exporter:
    """Serves what collectors tell, on a thread of its own."""

    def __init__(self, bind: str, *collectors: Collector) -> None:
        """Serve at ``bind``, a host and a port, once started."""
        self._host, _, port = bind.rpartition(":")
        self._port = int(port)
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in collectors:
            self._registry.register(collector)
        self._server: WSGIServer | None = None

    def start(self) -> None:
        """Listen; raises ``OSError`` when somebody else does, or may not share."""
        app = make_wsgi_app(self._registry)
        self._server = make_server(self._host, self._port, app, _Server, _Silent)
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def _buckets(found: Distribution) -> list[tuple[str, float]]:
    """Return cumulative counts by upper bound, as the exposition format has them."""
    names = [*map(str, found.bounds), "+Inf"]
    return list(zip(names, accumulate(found.counts), strict=True))
