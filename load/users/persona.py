"""What all personas have in common, and the two models in which they act."""

import logging
import random
import time
from collections.abc import Callable
from typing import Any, ClassVar

import gevent
from locust import User, between

from load.harness.recording import NOT_STARTED
from load.users.api_client import DUE, Answer, Caller

MOST_IN_FLIGHT = 2_000  # actions of one process; more of them would say nothing new

Action = Callable[..., Any]


class Persona(User):
    """Somebody who uses the system: some actions, with weights, and time to think between them.

    In the closed model each one waits for an answer, thinks, and goes on. In the open model each
    one stands for an action a second: the next begins when it is due, whatever became of the last.
    """

    abstract = True
    wait_time = between(1, 3)
    caller: ClassVar[Caller]
    in_flight: ClassVar[int] = 0
    actions: ClassVar[list[Any]] = []

    @classmethod
    def act_openly(cls) -> None:
        """Change this persona to the open model."""
        if cls.tasks != [arrivals]:
            cls.actions, cls.tasks = list(cls.tasks), [arrivals]

    def call(self, name: str, number: int | None = None, **how: Any) -> Answer:  # noqa: ANN401 - as Caller.call
        """Call an operation."""
        return self.caller.call(name, number, **how)


def arrivals(persona: Persona) -> None:
    """Begin an action each second, with a phase of its own, for ever."""
    due = time.monotonic() + random.random()  # noqa: S311 - any phase will do
    while True:
        gevent.sleep(max(0.0, due - time.monotonic()))
        action = random.choice(persona.actions)  # noqa: S311 - any of them, by weight
        if Persona.in_flight < MOST_IN_FLIGHT:
            Persona.in_flight += 1
            gevent.spawn(_act, persona, action, due)
        else:
            persona.caller.recording.note(time.time(), "(the client)", 0, NOT_STARTED)
        due += 1


def _act(persona: Persona, action: Action, due: float) -> None:
    try:
        DUE.set(due)
        action(persona)
    except Exception as error:
        logging.getLogger(__name__).exception("%s ended early", action.__name__)
        persona.caller.recording.note(time.time(), "(the client)", 0, type(error).__name__)
    finally:
        Persona.in_flight -= 1
