"""The system proves itself: each journey is replayed once, through the port that users call."""

from collections.abc import Callable

from localstack.folder import DataFolder
from synthetic.probe.credentials import read_credentials
from synthetic.probe.library import journey_names
from synthetic.probe.replay import replay
from synthetic.probe.report import verdict


class ProofError(Exception):
    """A journey failed; the message tells at which step, and why."""


def prove(url: str, folder: DataFolder, *, pause: Callable[[float], None]) -> int:
    """Replay every journey as the monitors do; return how many there are.

    ``pause`` is called before each, and raises to end the start.

    Raises:
        ProofError: one failed.

    """
    credentials = read_credentials(folder.monitor)
    names = journey_names()
    for name in names:
        pause(0)
        outcome = replay(name, url, credentials)
        if outcome.result != "passed":
            raise ProofError(verdict(outcome))
    return len(names)
