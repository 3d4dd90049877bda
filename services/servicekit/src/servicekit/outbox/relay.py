"""Process that delivers the outbox of a service over HTTP."""

import argparse
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from servicekit.auth.service_token import ServiceToken
from servicekit.db.database import Database
from servicekit.http.tls import client_context
from servicekit.http.wsgi_bridge import Lifespan
from servicekit.outbox import messages
from servicekit.outbox.messages import DeliveryRejected, ReceiverUnavailable, Relay
from servicekit.problems import Unavailable
from servicekit.settings import PeerSettings, settings_or_exit
from servicekit.telemetry import logs, tracing
from servicekit.telemetry.setup import create_tracing

TIMEOUT = 2.0  # seconds for each phase of a request
TEMPORARY = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)
CONNECTIONS = 3  # to the database: one listens, one writes, one serves metrics


@dataclass(frozen=True)
class DeliveryRequest:
    """The idempotent HTTP request that delivers a message."""

    method: str
    url: str
    body: Callable[[str, int], dict[str, Any]]


class HttpSender:
    """Sends messages over HTTP with the service's own token."""

    def __init__(self, request: DeliveryRequest, token: ServiceToken) -> None:
        """Send ``request`` with ``token``."""
        self._request = request
        self._token = token
        # without proxies of the environment, which is also where httpx reads SSL_CERT_FILE
        self._client = httpx.Client(timeout=TIMEOUT, trust_env=False, verify=client_context())

    def deliver(self, kind: str, subject_id: int) -> None:
        """Deliver one message.

        Raises:
            ReceiverUnavailable: the receiver or auth is unavailable.
            DeliveryRejected: the receiver returned a client error.

        """
        try:
            response = self._client.request(
                self._request.method,
                self._request.url,
                json=self._request.body(kind, subject_id),
                headers={"Authorization": f"Bearer {self._token.get()}", **tracing.trace_headers()},
            )
        except (httpx.HTTPError, Unavailable):
            raise ReceiverUnavailable from None
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._token.invalidate()
            raise ReceiverUnavailable
        if response.is_server_error or response.status_code in TEMPORARY:
            raise ReceiverUnavailable
        if not response.is_success:
            raise DeliveryRejected(f"status {response.status_code}")


def main(
    name: str,
    read_settings: Callable[[], PeerSettings],
    build_request: Callable[[Any], DeliveryRequest],
) -> None:
    """Run the relay of the service ``name`` until SIGTERM or SIGINT."""
    argparse.ArgumentParser(
        prog=f"python -m {name}.relay",
        description=f"Notify other services of deletions in {name}, until SIGTERM. "
        "The settings are those of the service, from the environment.",
    ).parse_args()
    settings = settings_or_exit(read_settings)
    logs.configure(f"{name}-relay", settings.log_level)
    database = Database(settings.database_url, connections=CONNECTIONS, application=f"{name}-relay")
    token = ServiceToken(
        settings.token_url, settings.service_client_id, settings.service_client_secret_file
    )
    metrics_server = _metrics_server(settings, database)
    spans = create_tracing(f"{name}-relay", settings.traces_endpoint)
    relay = Relay(database, HttpSender(build_request(settings), token).deliver, spans)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: relay.stop())
    logging.getLogger(__name__).info("the relay has started")
    spans.start()
    if metrics_server is not None:
        metrics_server.start()
    relay.run()
    spans.stop()
    if metrics_server is not None:
        metrics_server.stop()
    database.close()


def _metrics_server(settings: PeerSettings, database: Database) -> Lifespan | None:
    if not settings.metrics_bind:
        return None
    from servicekit.telemetry import metrics  # noqa: PLC0415 - saves memory without metrics

    collector = metrics.DatabaseCollector(lambda: messages.metrics(database))
    return metrics.MetricsServer(settings.metrics_bind, collector)
