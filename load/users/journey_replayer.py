"""Replays of the shipped journeys within the load, by the code that the monitors run."""

import random

from load.harness.call_stats import OK, REFUSED
from load.users.token_provider import read_secret
from synthetic.probe.catalog import journey_names, load_journey
from synthetic.probe.credentials import Credentials
from synthetic.probe.journey import Journey
from synthetic.probe.results import ProbeError, RunResult
from synthetic.probe.runner import Limits, Runner
from synthetic.probe.signals import Signals
from synthetic.probe.target import parse_target

RETRYABLE_STATUSES = (429, 503)
LIMITS = Limits(retries=0)  # a pass after a retry would hide the failure that the load looks for


class JourneyReplayer:
    """The journeys that one process can replay: without the secret, those that need no token."""

    def __init__(self, url: str, secret_file: str = "") -> None:
        """Read the journeys, to be replayed against ``url``."""
        secret = read_secret(secret_file) if secret_file else ""
        self._credentials = Credentials({"client-secret": secret}) if secret else None
        self._target = parse_target(url)
        self._journeys = [*filter(self._can_run, map(load_journey, journey_names()))]

    def replay(self) -> RunResult:
        """Replay a random journey, its cleanup included."""
        return self._runner(random.choice(self._journeys)).run()  # noqa: S311 - any of them

    def _can_run(self, journey: Journey) -> bool:
        try:
            self._runner(journey)
        except ProbeError:
            return False
        return True

    def _runner(self, journey: Journey) -> Runner:
        return Runner(
            journey,
            self._target,
            self._credentials,
            LIMITS,
            signals=Signals(),
            progress=lambda _: None,
        )


def recorded_outcome(result: RunResult) -> str:
    """Return the outcome of a replay in the terms of a recording."""
    if result.result == "passed":
        return OK
    if result.status in RETRYABLE_STATUSES:
        return REFUSED
    return f"{result.reason} at {result.step}"
