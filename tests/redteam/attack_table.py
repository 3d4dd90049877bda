"""The experience of good users while one address attacks the system."""

import json
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from tests.redteam.attack_list import Place, attacks
from tests.redteam.good_users import Experience, GoodUsers
from tests.redteam.rows import Plan, Row
from tests.redteam.target import Target, running_target
from tests.support.accounts import create_user, log_in, new_client
from tests.support.http_caller import HttpCaller
from tests.support.steps import check

SLOT_SECONDS = 4.0
SLOTS = 3  # of each attack, each after a quiet one; medians of them count
MAX_RATIO = 3.0  # of the p99 under attack to the quiet one
MIN_PASSED = 0.9  # of the good logins
ROWS = 300  # clients in the lists that the attacker fetches


@dataclass
class Result:
    """The slots of one attack."""

    quiet: list[Experience] = field(default_factory=list)
    attacked: list[Experience] = field(default_factory=list)
    attacker_cpu: float = 0.0  # seconds
    system_cpu: float = 0.0  # seconds
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def ratio(self) -> float:
        """The p99 of fetches under attack, as a multiple of the quiet one."""
        return _median(self.attacked, 0.99) / _median(self.quiet, 0.99)

    @property
    def logins(self) -> tuple[int, int]:
        """The good logins under attack that passed, and all."""
        return sum(each.passed_logins for each in self.attacked), sum(
            each.logins for each in self.attacked
        )

    @property
    def error(self) -> str:
        """The missed goals."""
        missed = []
        if self.ratio > MAX_RATIO:
            missed.append(f"p99 over {MAX_RATIO:g} times the quiet one")
        passed, logins = self.logins
        if passed < MIN_PASSED * logins:
            missed.append(f"under {MIN_PASSED:.0%} of the good logins passed")
        failed = sum(each.failed_fetches for each in self.attacked)
        if failed:
            missed.append(f"{failed} fetches failed")
        return ", ".join(missed)


def attack_rows(plan: Plan) -> Iterator[Row]:
    """Yield a row for each attack; a missed goal is an error."""
    with running_target() as target:
        users, place = _prepare(target)
        names = [name for name in attacks(place) if any(word in name for word in plan.words)]
        for name in names:
            yield _row(name, _measure(name, target, users, place))


def _prepare(target: Target) -> tuple[GoodUsers, Place]:
    """Create the users and the rows."""
    user, attacker = create_user(target.url, "good"), create_user(target.url, "attacker")
    token, attacker_token = log_in(target.url, user) or "", log_in(target.url, attacker) or ""
    check(token and attacker_token, "the logins failed")
    with HttpCaller(target.url, token) as caller:
        for _ in range(ROWS):
            answer = caller.request("POST", "/clients/create", new_client("Bom", "good"))
            check(answer.status == HTTPStatus.CREATED, f"no client was created: {answer.status}")
    port = urlsplit(target.url).port or 0
    users = GoodUsers(port, f"/clients/fetch/{answer.document['id']}", token, user)
    return users, Place(port, dict(target.ports), attacker_token)


def _measure(name: str, target: Target, users: GoodUsers, place: Place) -> Result:
    result = Result()
    for _ in range(SLOTS):
        result.quiet.append(users.use(SLOT_SECONDS))
        attacker = subprocess.Popen(
            [sys.executable, "-m", "tests.redteam.attacker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # for its priority
        )
        assert attacker.stdin is not None
        assert attacker.stdout is not None
        attacker.stdin.write(json.dumps({"name": name, "place": asdict(place)}) + "\n")
        attacker.stdin.flush()
        attacker.stdout.readline()
        before = target.cpu_seconds()
        result.attacked.append(users.use(SLOT_SECONDS))
        result.system_cpu += target.cpu_seconds() - before
        output, _ = attacker.communicate()
        check(attacker.returncode == 0, f"the attacker failed: {name}")
        ended = json.loads(output)
        result.attacker_cpu += ended["cpu_seconds"]
        result.statuses.update(ended["statuses"])
    return result


def _row(name: str, result: Result) -> Row:
    quiet, attacked = result.quiet, result.attacked
    passed, logins = result.logins
    statuses = ", ".join(f"{status} x {n}" for status, n in sorted(result.statuses.items()))
    figures = [
        f"p50 {_median(quiet, 0.5):5.1f} to {_median(attacked, 0.5):5.1f} ms",
        f"p99 {_median(quiet, 0.99):6.1f} to {_median(attacked, 0.99):6.1f} ms",
        f"ratio {result.ratio:5.2f}",
        f"logins {passed:2}/{logins:2}",
        f"CPU {result.attacker_cpu:4.1f} s attacker, {result.system_cpu:4.1f} s system",
        f"({statuses})",
    ]
    return Row(name, "  ".join(figures), result.error)


def _median(slots: list[Experience], part: float) -> float:
    """Return the median of a percentile of the slots: one hiccup of the machine does not count."""
    return statistics.median(slot.percentile(part) for slot in slots)
