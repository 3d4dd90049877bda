"""Good users of a system: fetches at a constant rate, and logins."""

import json
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, field

from tests.login_storm.latency_probe import ProbeConfig, ProbeResult
from tests.support.accounts import User, log_in
from tests.support.steps import check

FETCH_INTERVAL_SECONDS = 0.02
LOGIN_INTERVAL_SECONDS = 0.5


@dataclass
class Experience:
    """The latencies and the logins of good users."""

    latencies: list[float] = field(default_factory=list)  # milliseconds
    failed_fetches: int = 0
    logins: int = 0
    passed_logins: int = 0

    def percentile(self, part: float) -> float:
        """Return the latency below which a part of the fetches lie."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


@dataclass(frozen=True)
class GoodUsers:
    """A user who fetches a client, and one who logs in."""

    port: int
    path: str
    token: str
    user: User

    def use(self, seconds: float) -> Experience:
        """Send requests for some seconds, and return what the users experience."""
        config = ProbeConfig(self.port, self.path, self.token, seconds, FETCH_INTERVAL_SECONDS)
        probe = subprocess.Popen(
            [sys.executable, "-m", "tests.login_storm.latency_probe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        experience, stopping = Experience(), threading.Event()
        logins = threading.Thread(target=self._log_in, args=(experience, stopping))
        logins.start()
        output, _ = probe.communicate(json.dumps(asdict(config)))
        stopping.set()
        logins.join()
        check(probe.returncode == 0, "the latency probe failed")
        result = ProbeResult(**json.loads(output))
        experience.latencies = result.latencies
        experience.failed_fetches = len(result.latencies) - result.statuses.get("200", 0)
        return experience

    def _log_in(self, experience: Experience, stopping: threading.Event) -> None:
        while not stopping.wait(LOGIN_INTERVAL_SECONDS):
            experience.logins += 1
            experience.passed_logins += bool(log_in(f"http://127.0.0.1:{self.port}", self.user))
