"""The base class of all personas, for the open and the closed workload model."""

import logging
import random
import time
from collections.abc import Callable
from typing import Any, ClassVar

import gevent
from locust import User, between

from load.harness.call_stats import NOT_STARTED
from load.users.api_client import SCHEDULED_AT, ApiClient, Response

MAX_IN_FLIGHT = 2_000  # actions of one process; beyond that the system is clearly saturated
GENERATOR = "(the client)"  # in place of an operation, for failures of the load generator

Action = Callable[..., Any]


class Persona(User):
    """A user of the system: weighted actions, and the time between them.

    In the closed model each user waits for the response, pauses, and continues. In the open model
    each user stands for one action a second, which begins on schedule whatever became of the last.
    """

    abstract = True
    wait_time = between(1, 3)
    api: ClassVar[ApiClient]
    in_flight: ClassVar[int] = 0
    actions: ClassVar[list[Any]] = []

    @classmethod
    def use_open_model(cls) -> None:
        """Change this persona to the open model."""
        if cls.tasks != [arrivals]:
            cls.actions, cls.tasks = list(cls.tasks), [arrivals]

    def call(self, name: str, number: int | None = None, **options: Any) -> Response:  # noqa: ANN401 - as ApiClient.call
        """Call an operation."""
        return self.api.call(name, number, **options)


def arrivals(persona: Persona) -> None:
    """Start an action each second, at a random offset within the second; never return."""
    scheduled_at = time.monotonic() + random.random()  # noqa: S311 - any offset will do
    while True:
        gevent.sleep(max(0.0, scheduled_at - time.monotonic()))
        action = random.choice(persona.actions)  # noqa: S311 - any of them, by weight
        if Persona.in_flight < MAX_IN_FLIGHT:
            Persona.in_flight += 1
            gevent.spawn(_perform, persona, action, scheduled_at)
        else:
            persona.api.recording.record(time.time(), GENERATOR, 0, NOT_STARTED)
        scheduled_at += 1


def _perform(persona: Persona, action: Action, scheduled_at: float) -> None:
    try:
        SCHEDULED_AT.set(scheduled_at)
        action(persona)
    except Exception as error:
        logging.getLogger(__name__).exception("%s failed", action.__name__)
        persona.api.recording.record(time.time(), GENERATOR, 0, type(error).__name__)
    finally:
        Persona.in_flight -= 1
