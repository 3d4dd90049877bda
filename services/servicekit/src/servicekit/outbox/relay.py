"""The process that runs a service's relay: settings, signals, and the call over HTTP."""

import argparse
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from servicekit.auth.service_token import ServiceToken
from servicekit.db.database import Database
from servicekit.http.wsgi_bridge import Lifespan
from servicekit.outbox import messages
from servicekit.outbox.messages import Away, Refused, Relay
from servicekit.problems import Unavailable
from servicekit.settings import PeerSettings, settings_or_exit
from servicekit.telemetry import logs, tracing
from servicekit.telemetry.setup import create_tracing

TIMEOUT = 2.0  # seconds a call may take
CONNECTIONS = 3  # one listens, one writes, one measures


@dataclass(frozen=True)
class Call:
    """How one kind of message is told: an HTTP call that may be repeated without harm."""

    method: str
    url: str
    body: Callable[[str, int], dict[str, Any]]


class HttpReceiver:
    """Delivers a message with the service's own token."""

    def __init__(self, call: Call, token: ServiceToken) -> None:
        """Make ``call`` with ``token``."""
        self._call = call
        self._token = token
        self._client = httpx.Client(timeout=TIMEOUT)

    def deliver(self, kind: str, subject_id: int) -> None:
        """Tell of one subject.

        Raises:
            Away: the receiver, or auth, does not answer, or not now.
            Refused: it answered that it will not.

        """
        try:
            answer = self._client.request(
                self._call.method,
                self._call.url,
                json=self._call.body(kind, subject_id),
                headers={"Authorization": f"Bearer {self._token.get()}", **tracing.headers()},
            )
        except (httpx.HTTPError, Unavailable):
            raise Away from None
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token.invalidate()
            raise Away
        if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise Away
        if not answer.is_success:
            message = f"status {answer.status_code}"
            raise Refused(message)


def main(name: str, settings: Callable[[], PeerSettings], call: Callable[[Any], Call]) -> None:
    """Run the relay of the service ``name`` until SIGTERM or SIGINT."""
    argparse.ArgumentParser(
        prog=f"python -m {name}.relay",
        description=f"Tells other services what {name} has deleted, until it is stopped. "
        "Its settings are those of the service, from the environment.",
    ).parse_args()
    read = settings_or_exit(settings)
    logs.configure(f"{name}-relay", read.log_level)
    database = Database(read.database_url, connections=CONNECTIONS, application=f"{name}-relay")
    token = ServiceToken(read.token_url, read.service_client_id, read.service_client_secret_file)
    exporter = _exporter(read, database)
    spans = create_tracing(f"{name}-relay", read.traces_endpoint)
    relay = Relay(database, HttpReceiver(call(read), token).deliver, spans)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: relay.stop())
    logging.getLogger(__name__).info("the relay runs")
    spans.start()
    if exporter is not None:
        exporter.start()
    relay.run()
    spans.stop()
    if exporter is not None:
        exporter.stop()
    database.close()


def _exporter(settings: PeerSettings, database: Database) -> Lifespan | None:
    if not settings.metrics_bind:
        return None
    from servicekit.telemetry import metrics  # noqa: PLC0415 - memory that only who is scraped needs

    return metrics.Exporter(
        settings.metrics_bind, metrics.FactsCollector(lambda: messages.facts(database))
    )
