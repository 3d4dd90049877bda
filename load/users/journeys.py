"""The journeys that ship, replayed from within the load as monitors replay them."""

import random
from pathlib import Path

from load.harness.recording import OK, REFUSED
from synthetic.probe.catalog import journey_names, load_journey
from synthetic.probe.credentials import Credentials
from synthetic.probe.journey import Journey
from synthetic.probe.results import ProbeError, RunResult
from synthetic.probe.runner import Limits, Runner
from synthetic.probe.signals import Signals
from synthetic.probe.target import parse_target

FORBEARING = (429, 503)
LIMITS = Limits(retries=0)  # a pass after a retry would hide what the load is there to see


class Replays:
    """What one process can replay: without the monitors' secret, what needs no token."""

    def __init__(self, url: str, secret_file: str = "") -> None:
        """Read the journeys once; they are replayed against ``url``."""
        secret = Path(secret_file).read_text().strip() if secret_file else ""
        self._credentials = Credentials(secret) if secret else None
        self._target = parse_target(url)
        self._journeys = [*filter(self._can_run, map(load_journey, journey_names()))]

    def replay(self) -> RunResult:
        """Replay any of them, whole, what undoes it included."""
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


def ending(outcome: RunResult) -> str:
    """Return how a replay ended, as recordings have it."""
    if outcome.result == "passed":
        return OK
    return REFUSED if outcome.status in FORBEARING else f"{outcome.reason} at {outcome.step}"
