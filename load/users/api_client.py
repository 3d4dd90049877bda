"""HTTP client of the personas: latencies count from the scheduled start, and are recorded."""

import base64
import json
import secrets
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment

from load.harness.call_stats import JOURNEY, OK, REFUSED, Recording
from load.users.dataset import Dataset
from load.users.journey_replayer import RETRYABLE_STATUSES, JourneyReplayer, recorded_outcome
from load.users.operation_table import OPERATIONS, Operation

TIMEOUT_SECONDS = 10.0
MAX_CONNECTIONS = 256  # of one process

# When this greenlet's action was due: the latency of its first call is measured from then, that of
# later calls from their own start.
SCHEDULED_AT: ContextVar[float | None] = ContextVar("scheduled_at", default=None)


@dataclass(frozen=True)
class Response:
    """The result of a call; status 0 stands for a transport error."""

    status: int
    outcome: str
    body: Any = None
    link: str = ""

    @property
    def is_ok(self) -> bool:
        """True for the status of success, with a JSON body."""
        return self.outcome == OK

    @property
    def is_uncertain(self) -> bool:
        """True where the system may have performed the call all the same."""
        return self.status == 0 or self.status >= 500  # noqa: PLR2004 - the class of HTTP


class TokenSource(Protocol):
    """Credentials and tokens, as ``TokenProvider`` has them."""

    @property
    def credentials(self) -> tuple[str, str]:
        """A name and a password."""

    def token(self) -> str:
        """Return a bearer token."""


class ApiClient:
    """The connections, the user, the rows and the recording of one process."""

    def __init__(
        self,
        environment: Environment,
        tokens: TokenSource,
        dataset: Dataset,
        journeys: JourneyReplayer,
    ) -> None:
        """Connect to ``environment.host``, which must be the target of ``journeys`` too."""
        self.recording = Recording()
        self.dataset = dataset
        self._environment = environment
        self._journeys = journeys
        self._tokens = tokens
        self._session = FastHttpSession(
            environment.host,
            environment.events.request,
            None,
            insecure=False,
            concurrency=MAX_CONNECTIONS,
            max_retries=0,  # an invisible retry would perform a call twice and count it once
            connection_timeout=TIMEOUT_SECONDS,
            network_timeout=TIMEOUT_SECONDS,
        )

    def call(
        self,
        name: str,
        number: int | None = None,
        *,
        body: dict[str, Any] | None = None,
        query: str = "",
    ) -> Response:
        """Call an operation of ``OPERATIONS``; ``number`` replaces the id of its path."""
        operation = OPERATIONS[name]
        sent_at = time.monotonic()
        scheduled_at = _take_schedule(sent_at)
        kind = query.partition("=")[0]  # a page and a search are different work
        with self._session.request(
            operation.method,
            operation.url_path(number) + query,
            name=operation.path + kind,
            json=body,
            headers=self._headers(name),
            catch_response=True,
        ) as response:
            result = _parse(operation, response)
            # the latency includes the delay before sending (no coordinated omission)
            latency = response.request_meta["response_time"] + (sent_at - scheduled_at) * 1000
            response.request_meta["response_time"] = latency
            if result.is_ok:
                response.success()
            else:
                response.failure(result.outcome)
        self.recording.record(
            _epoch_seconds(scheduled_at), operation.name + kind, latency, result.outcome
        )
        return result

    def replay_journey(self) -> None:
        """Replay a journey, recorded as one call."""
        scheduled_at = _take_schedule(time.monotonic())
        result = self._journeys.replay()
        latency, outcome = (time.monotonic() - scheduled_at) * 1000, recorded_outcome(result)
        self._environment.events.request.fire(  # type: ignore[no-untyped-call] # Locust's
            request_type=JOURNEY,
            name=result.journey,
            response_time=latency,
            response_length=0,
            exception=None if outcome == OK else RuntimeError(outcome),
            context={},
        )
        name = f"{JOURNEY} {result.journey}"
        self.recording.record(_epoch_seconds(scheduled_at), name, latency, outcome)

    def _headers(self, name: str) -> dict[str, str]:
        if name == "users.login":
            credentials = ":".join(self._tokens.credentials)
            return {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}
        headers = {"Authorization": f"Bearer {self._tokens.token()}"}
        if OPERATIONS[name].method == "POST":
            # the HTTP client sends again when an idle connection was closed
            headers["Idempotency-Key"] = secrets.token_hex(16)
        return headers


def _take_schedule(now: float) -> float:
    """Return the scheduled start of this call: the action's own for its first call, else now."""
    scheduled_at = SCHEDULED_AT.get() or now
    SCHEDULED_AT.set(None)
    return scheduled_at


def _epoch_seconds(monotonic: float) -> float:
    """Convert a time of the monotonic clock."""
    return time.time() - time.monotonic() + monotonic


def _parse(operation: Operation, response: Any) -> Response:  # noqa: ANN401 - Locust has no type for it
    status = int(response.status_code)
    headers = response.headers or {}
    if status == operation.status:
        try:
            return Response(status, OK, json.loads(response.text), headers.get("Link", ""))
        except ValueError:
            return Response(status, "no JSON")
    if status in RETRYABLE_STATUSES and headers.get("Retry-After"):
        return Response(status, REFUSED)
    if status:
        return Response(status, str(status))
    error = getattr(response.error, "original", None) or response.error
    return Response(0, type(error).__name__)
