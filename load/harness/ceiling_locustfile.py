# mypy: allow-untyped-decorators, allow-untyped-calls
# Locust's events and shapes have no types.
"""A Locust file of one user class that calls as the personas do, and waits for nothing."""

from locust import User, constant, events, task
from locust.env import Environment

from load.users.api_client import Caller
from load.users.dataset import World
from load.users.journeys import Replays


class NoAccess:
    """A token that nobody looks at."""

    credentials = ("", "")

    def token(self) -> str:
        """Return it."""
        return "static"


class Hasty(User):
    """Calls, and calls again."""

    wait_time = constant(0)

    @task
    def fetch(self) -> None:
        """Fetch something."""
        CALLERS[0].call("clients.fetch", 1)


CALLERS: list[Caller] = []


@events.test_start.add_listener
def begin(environment: Environment, **_: object) -> None:
    """Connect."""
    replays = Replays(environment.host or "")
    CALLERS.append(Caller(environment, NoAccess(), World("static"), replays))
