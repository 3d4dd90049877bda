"""Ten thousand termination messages that no probe would leave, in real pods.

The Jobs are few, and end once. In each round their pods say something else, and what is counted is
taken out of the monitors' statuses, so that the operator looks at all of them anew: a Job for each
message would try the API server, and not the operator.
"""

import json
import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import jsonschema_rs
import orjson
import yaml

from synthetic.operator.api_client import MONITORS, Object
from synthetic.operator.status import MAX_STATUS_BYTES
from tests.operator.message_fuzzer import TRUE, random_message
from tests.operator.namespace import DEFINITION, MissError, Space, runs, until
from tests.operator.operator_process import Running, operator

MESSAGES = 10_000
OWNERS = 20  # monitors
EACH = 50  # Jobs of each: every second one has passed
MEGABYTES = 200.0  # what the operator may take
WITHIN = 300.0  # seconds for a round to be counted
AT_ONCE = 8  # requests
PAUSE = 0.5  # seconds
CODES = (0, 1, 2, 137)


@dataclass(frozen=True)
class Speaker:
    """A pod whose Job has ended."""

    pod: Object
    passed: bool


def borne(space: Space, say: Callable[[str], None]) -> str:
    """Have the messages said; return how many were counted, and what the operator took for it."""
    chance = random.Random(7)  # noqa: S311 - the same messages each time
    names = [f"told-{number}" for number in range(OWNERS)]
    kept = {"success": EACH, "failed": EACH}
    owners = [space.add_monitor(name, history=kept) for name in names]
    speakers = _end_runs(space, owners)
    with operator(space.name) as running:
        _counted(space, names, 1)
        first = running.megabytes
        rounds = MESSAGES // len(speakers)
        for number in range(1, rounds + 1):
            _speak(space, speakers, chance)
            for name in names:
                _forget(space, name)
            _counted(space, names, number + 1)
            _check(running.is_alive, "the operator does not say that it is alive")
            say(f"{number * len(speakers)} of {MESSAGES} messages")
        _count_true_ones(space, names[0])
        return _told(running, rounds * len(speakers), first)


def judge(one: Object, looks: int) -> None:
    """Raise ``MissError`` unless a monitor's runs are all counted, and its status is sound."""
    found, half = runs(one), looks * EACH // 2
    seen = (found["passed"], found["failed"] + found["error"], found["disrupted"])
    _check(seen == (half, half, 0), f"not {half} passed and {half} not, but {found}")
    schema = yaml.safe_load(DEFINITION.read_text())["spec"]["versions"][0]["schema"]
    validator = jsonschema_rs.Draft202012Validator(
        schema["openAPIV3Schema"]["properties"]["status"], validate_formats=True
    )
    wrong = next(validator.iter_errors(one["status"]), None)
    _check(wrong is None, f"a status that does not fit the schema: {wrong}")
    size = len(orjson.dumps(one["status"]))
    _check(size <= MAX_STATUS_BYTES, f"a status of {size} bytes")


def _end_runs(space: Space, owners: list[Object]) -> list[Speaker]:
    whose = [(owner, bool(number % 2)) for owner in owners for number in range(EACH)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pods = pool.map(lambda each: space.end_run(each[0], passed=each[1], said="{}"), whose)
        return [Speaker(pod, passed) for pod, (_, passed) in zip(pods, whose, strict=True)]


def _speak(space: Space, speakers: Iterable[Speaker], chance: random.Random) -> None:
    """Have each pod say something else, and its probe end with any code but for a pass."""
    said = [
        (each.pod, random_message(chance), 0 if each.passed else chance.choice(CODES))
        for each in speakers
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda each: space.speak(*each), said))


def _forget(space: Space, name: str) -> None:
    one = space.monitor(name)
    one["status"]["counted"] = []
    space.replace(MONITORS, one, "status")


def _counted(space: Space, names: list[str], looks: int) -> None:
    """Wait until all that was said is counted; raises ``MissError``."""
    wanted = looks * EACH

    def are_counted() -> bool:
        return all(sum(runs(one).values()) >= wanted for one in space.all_of(MONITORS))

    otherwise = f"not all of {wanted} runs are counted for each monitor"
    until(are_counted, WITHIN, otherwise, PAUSE)
    for name in names:
        judge(space.monitor(name), looks)


def _count_true_ones(space: Space, name: str) -> None:
    """Have a run fail and one pass as probes tell it: each is counted for what it is."""
    failed = {"result": "failed", "reason": "http_status", "status": 503}
    _count_true_one(space, name, failed, ("createClient", "http_status", 503))
    _count_true_one(space, name, {"result": "passed"}, ("", "", 0))


def _count_true_one(space: Space, name: str, told: Object, wanted: tuple[str, str, int]) -> None:
    result, before = told["result"], runs(space.monitor(name))
    after = {**before, result: before[result] + 1}
    said = json.dumps({**TRUE, **told})
    space.end_run(space.monitor(name), passed=result == "passed", said=said)
    until(lambda: runs(space.monitor(name)) == after, WITHIN, f"there are not {after}")
    last = space.monitor(name)["status"]["lastRun"]
    _check((last["step"], last["reason"], last["httpStatus"]) == wanted, f"told as {last}")


def _told(running: Running, count: int, first: float) -> str:
    failures = running.samples("cadastro_synthetic_operator_reconciles_total")
    broken = sum(number for labels, number in failures.items() if 'result="error"' in labels)
    page = httpx.get(running.url, timeout=60)
    last = running.megabytes
    told = (
        f"{count} messages counted by one process, {broken:.0f} looks at a monitor went wrong, "
        f"{first:.0f} MB before, {last:.0f} after (of {MEGABYTES:.0f}); then true ones counted"
    )
    _check(page.is_success and not broken and last <= MEGABYTES, told)
    return told


def _check(is_so: object, otherwise: str) -> None:
    if not is_so:
        raise MissError(otherwise)
