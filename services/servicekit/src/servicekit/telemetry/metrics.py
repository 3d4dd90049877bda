"""Prometheus metrics on a separate port, which METRICS_BIND sets; disabled by default."""

import logging
import socket
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
from servicekit.telemetry.shared_metrics import Histogram, Sample, SharedMetrics

ReadSamples = Callable[[], Iterable[Sample]]

log = logging.getLogger(__name__)


class SharedMetricsCollector(Collector):
    """Collector of the metrics that all workers of a service share."""

    def __init__(self, metrics: SharedMetrics) -> None:
        """Export ``metrics``."""
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family."""
        service = self._metrics.service
        latency = HistogramMetricFamily(
            "http_server_request_duration_seconds",
            "Duration of HTTP requests, including the wait for a thread.",
            labels=("service", "operation", "status"),
        )
        for operation, status, histogram in self._metrics.request_histograms():
            labels = (service, operation, status)
            latency.add_metric(labels, _buckets(histogram), histogram.total)
        yield latency
        lag = HistogramMetricFamily(
            "cadastro_event_loop_lag_seconds", "Delay of event loop timers.", labels=("service",)
        )
        histogram = self._metrics.lag()
        lag.add_metric((service,), _buckets(histogram), histogram.total)
        yield lag
        for instrument, value in self._metrics.totals():
            family = CounterMetricFamily if instrument.is_counter else GaugeMetricFamily
            metric = family(instrument.name, instrument.help, labels=("service",))
            metric.add_metric((service,), value)
            yield metric


class DatabaseCollector(Collector):
    """Collector of gauges from the database; it yields nothing while the database is down."""

    def __init__(self, read_samples: ReadSamples) -> None:
        """Call ``read_samples`` in each scrape."""
        self._read_samples = read_samples

    def collect(self) -> Iterator[Metric]:
        """Yield a gauge for each sample."""
        try:
            samples = list(self._read_samples())
        except (DBAPIError, Unavailable) as error:
            log.warning("no metrics from the database: %s", type(error).__name__)
            return
        for sample in samples:
            yield GaugeMetricFamily(sample.name, sample.help, value=sample.value)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_port = True  # every worker listens, and each of them serves the metrics of all


class _ServerIPv6(_Server):
    address_family = socket.AF_INET6


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Do not log scrapes."""


class MetricsServer:
    """HTTP server for metrics in a background thread."""

    def __init__(self, bind: str, *collectors: Collector) -> None:
        """Serve ``collectors`` at ``bind``, ``host:port`` or ``[IPv6]:port``, once started."""
        host, _, port = bind.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._server_class = _ServerIPv6 if ":" in self._host else _Server
        self._registry = CollectorRegistry(auto_describe=False)
        for collector in collectors:
            self._registry.register(collector)
        self._server: WSGIServer | None = None

    def start(self) -> None:
        """Listen; raise ``OSError`` if a process other than the workers uses the port."""
        app = make_wsgi_app(self._registry)
        self._server = make_server(self._host, self._port, app, self._server_class, _QuietHandler)
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Return cumulative counts by upper bound, as in the exposition format."""
    bounds = [*map(str, histogram.bounds), "+Inf"]
    return list(zip(bounds, accumulate(histogram.counts), strict=True))
