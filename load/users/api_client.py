"""Calls to the system as all personas make them: timed from when they were due, and recorded."""

import base64
import json
import secrets
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment

from load.harness.recording import JOURNEY, OK, REFUSED, Recording
from load.users.dataset import World
from load.users.journeys import FORBEARING, Replays, ending
from load.users.operations import OPERATIONS, Operation

PATIENCE = 10.0  # seconds until a caller gives up
CONNECTIONS = 256  # at the same time, of one process

# when the action of this greenlet was due: its first call counts from then, and the others from now
DUE: ContextVar[float | None] = ContextVar("due", default=None)


@dataclass(frozen=True)
class Answer:
    """What came back; a status of 0 says that nothing did."""

    status: int
    outcome: str
    body: Any = None
    link: str = ""

    @property
    def is_ok(self) -> bool:
        """Tell whether it is what was asked for."""
        return self.outcome == OK

    @property
    def is_unknown(self) -> bool:
        """Tell whether the call may have been done all the same."""
        return self.status == 0 or self.status >= 500  # noqa: PLR2004 - the class of HTTP


class Token(Protocol):
    """What a caller needs to be let in: ``Access``, or what stands for it."""

    @property
    def credentials(self) -> tuple[str, str]:
        """A name and a password."""

    def token(self) -> str:
        """Return a bearer token."""


class Caller:
    """One process's way to the system: its connections, its user, its rows, its recording."""

    def __init__(
        self, environment: Environment, access: Token, world: World, replays: Replays
    ) -> None:
        """Call ``environment.host``, as ``replays`` does."""
        self.recording = Recording()
        self._environment = environment
        self._replays = replays
        self.world = world
        self.access = access
        self._session = FastHttpSession(
            environment.host,
            environment.events.request,
            None,
            insecure=False,
            concurrency=CONNECTIONS,
            max_retries=0,  # a call that is sent twice unseen would be counted, and done, as one
            connection_timeout=PATIENCE,
            network_timeout=PATIENCE,
        )

    def call(
        self,
        name: str,
        number: int | None = None,
        *,
        body: dict[str, Any] | None = None,
        query: str = "",
    ) -> Answer:
        """Call an operation of ``OPERATIONS``, for an id where it takes one."""
        operation = OPERATIONS[name]
        began = time.monotonic()
        due = _due(began)
        kind = query.partition("=")[0]  # a page and a search are not the same work
        with self._session.request(
            operation.method,
            operation.at(number) + query,
            name=operation.path + kind,
            json=body,
            headers=self._headers(name),
            catch_response=True,
        ) as response:
            answer = _read(operation, response)
            # a call that was sent late was late for whoever waited for it
            took = response.request_meta["response_time"] + (began - due) * 1000
            response.request_meta["response_time"] = took
            if answer.is_ok:
                response.success()
            else:
                response.failure(answer.outcome)
        self.recording.note(_wall(due), operation.name + kind, took, answer.outcome)
        return answer

    def replay(self) -> None:
        """Replay a journey; it counts as one call."""
        due = _due(time.monotonic())
        outcome = self._replays.replay()
        took, how = (time.monotonic() - due) * 1000, ending(outcome)
        self._environment.events.request.fire(  # type: ignore[no-untyped-call] # Locust's
            request_type=JOURNEY,
            name=outcome.journey,
            response_time=took,
            response_length=0,
            exception=None if how == OK else RuntimeError(how),
            context={},
        )
        self.recording.note(_wall(due), f"{JOURNEY} {outcome.journey}", took, how)

    def _headers(self, name: str) -> dict[str, str]:
        if name == "users.login":
            both = ":".join(self.access.credentials)
            return {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}
        headers = {"Authorization": f"Bearer {self.access.token()}"}
        if OPERATIONS[name].method == "POST":
            # a connection that is lost before the answer makes the client send again
            headers["Idempotency-Key"] = secrets.token_hex(16)
        return headers


def _due(began: float) -> float:
    """Return when the call that begins now was due: an action's first one with the action."""
    due, _ = DUE.get() or began, DUE.set(None)
    return due


def _wall(due: float) -> float:
    """Return a time of the monotonic clock as seconds since the epoch."""
    return time.time() - time.monotonic() + due


def _read(operation: Operation, response: Any) -> Answer:  # noqa: ANN401 - Locust has no type for it
    status = int(response.status_code)
    headers = response.headers or {}
    if status == operation.status:
        try:
            return Answer(status, OK, json.loads(response.text), headers.get("Link", ""))
        except ValueError:
            return Answer(status, "no JSON")
    if status in FORBEARING and headers.get("Retry-After"):
        return Answer(status, REFUSED)
    if status:
        return Answer(status, str(status))
    error = getattr(response.error, "original", None) or response.error
    return Answer(0, type(error).__name__)
