# mypy: allow-untyped-decorators, allow-untyped-calls
# Locust's events and shapes have no types.
"""Locustfile of one user class that calls without pauses, to measure the load generator itself."""

from locust import User, constant, events, task
from locust.env import Environment

from load.users.api_client import ApiClient
from load.users.dataset import Dataset
from load.users.journey_replayer import JourneyReplayer


class StaticToken:
    """A token source for a server that checks no token."""

    credentials = ("", "")

    def token(self) -> str:
        """Return a constant token."""
        return "static"


class UnpacedUser(User):
    """A user that sends the next call at once."""

    wait_time = constant(0)

    @task
    def fetch(self) -> None:
        """Fetch a client."""
        CLIENTS[0].call("clients.fetch", 1)


CLIENTS: list[ApiClient] = []


@events.test_start.add_listener
def connect(environment: Environment, **_: object) -> None:
    """Create the one client of this process."""
    journeys = JourneyReplayer(environment.host or "")
    CLIENTS.append(ApiClient(environment, StaticToken(), Dataset("static"), journeys))
