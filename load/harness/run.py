"""One run from beginning to end: measure the client, load, look, clear up, judge, tell."""

import contextlib
import json
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from load.harness import report, thresholds
from load.harness.client_ceiling import measure
from load.harness.comparison import Difference, compare
from load.harness.contract_coverage import note
from load.harness.run_result import Outcome, OutcomeError
from load.harness.verification import Aftermath
from load.shapes import plan
from load.shapes.phases import QUIET_SECONDS, Model
from load.users.token_provider import AccessError

LOAD = Path(__file__).resolve().parent.parent
SAVED = "run.json"
LIFE = 3_000.0  # seconds that rows of the monitors' realm surely live; an hour, and then a sweep


class RunError(Exception):
    """There could be no run; the message says why and what to do."""


@dataclass(frozen=True)
class Order:
    """What is to be run."""

    url: str
    shape: str
    model: Model = "open"
    load: float | None = None  # actions a second, or users; the shape's own when it is None
    seconds: float | None = None  # of the main phase
    secret_file: str = ""
    web_port: int = 0  # Locust's page; none when it is 0
    with_cost: bool = True
    locust: Sequence[str] = ()  # options that are passed on: --master and its like


def check(order: Order) -> None:
    """Raise ``RunError`` when nobody answers there, or the run could come to no good end."""
    try:
        httpx.get(f"{order.url}/clients/health", timeout=30).raise_for_status()
    except httpx.HTTPError as error:
        raise RunError(
            f"no Cadastro answers at {order.url} ({error}): start one with make run, or set URL"
        ) from error
    if order.secret_file and not Path(order.secret_file).is_file():
        raise RunError(f"SECRET_FILE: there is no file {order.secret_file}")
    seconds = plan(order.shape, order.model, order.load, order.seconds).seconds
    if order.secret_file and seconds > LIFE:
        raise RunError(
            f"{order.shape} takes {seconds:.0f} s, and rows of the monitors' realm are swept after "
            f"an hour: a DURATION below {LIFE - QUIET_SECONDS:.0f}, or SECRET_FILE= to load the "
            "live realm"
        )


def execute(order: Order, folder: Path) -> Outcome:
    """Run it, and save what was seen in ``folder``; nothing is judged yet.

    Raises:
        RunError: Locust did not run to its end.

    """
    folder.mkdir(parents=True, exist_ok=True)
    cost = _cost() if order.with_cost else 0.0
    mark = f"load-{secrets.token_hex(4)}"
    aftermath = Aftermath(order.url, order.secret_file)
    try:
        outcome = Outcome.from_document({**_locust(order, folder, mark), "cost": cost})
        outcome.save(folder / SAVED)  # what was seen is kept, whatever becomes of the system now
        outcome.consistency = aftermath.verify(outcome.bounds)
        outcome.save(folder / SAVED)
    except BaseException:
        with contextlib.suppress(RunError):  # what went wrong first is what is told
            _clear_up(aftermath, mark)
        raise
    _clear_up(aftermath, mark)
    note(outcome.recording)
    return outcome


def tell(outcome: Outcome, folder: Path, earlier: Path | None) -> list[thresholds.Row]:
    """Judge a run, write its reports, and return the rows that missed."""
    rows = thresholds.judge(
        outcome, thresholds.read(thresholds.FOLDER / f"{outcome.plan.shape}.toml")
    )
    differences: list[Difference] = []
    if earlier is not None:
        differences = compare(Outcome.load(earlier), outcome)
    report.write(folder, outcome, rows, differences)
    return [row for row in rows if not row.holds]


def earlier_run(reports: Path, order: Order) -> Path | None:
    """Return the newest saved run of the same shape against the same system, if there is one."""
    for path in sorted(reports.glob(f"*/{SAVED}"), reverse=True):
        try:
            outcome = Outcome.load(path)
        except OutcomeError:
            continue
        if (outcome.plan.shape, outcome.url) == (order.shape, order.url):
            return path
    return None


def say(text: str) -> None:
    """Show progress."""
    sys.stderr.write(f"load: {text}\n")
    sys.stderr.flush()


def _clear_up(aftermath: Aftermath, mark: str) -> None:
    try:
        say(f"deleted {aftermath.clean(mark)} rows")
    except (AccessError, httpx.HTTPError) as error:
        raise RunError(
            f"rows are left ({error}): delete them with python -m load clean {mark}"
        ) from error


def _cost() -> float:
    say("measuring what the client alone can do")
    cost = measure()
    say(f"{cost:.0f} calls a second against a static answer")
    return cost


def _locust(order: Order, folder: Path, mark: str) -> dict[str, Any]:
    result = folder / "locust.json"
    log = folder / "locust.log"
    options = {
        "--host": order.url,
        "--shape": order.shape,
        "--model": order.model,
        "--load": order.load,
        "--seconds": order.seconds,
        "--run-id": mark,
        "--secret-file": order.secret_file,
        "--result": result,
        "--logfile": log,
    }
    given = [str(part) for option, value in options.items() if value for part in (option, value)]
    command = [sys.executable, "-m", "locust", "-f", str(LOAD / "locustfile.py"), *given]
    command += ["--only-summary", *_page(order), *order.locust]
    say(f"{order.shape}, as {mark}")
    with (folder / "locust.txt").open("w") as output:
        # in a session of its own: a Ctrl-C is ours, and Locust is told of it once
        process = subprocess.Popen(
            command, stdout=sys.stderr, stderr=output, start_new_session=True
        )
        while True:
            try:
                code = process.wait()
            except KeyboardInterrupt:
                say("ending early, when what was begun has ended; again: at once")
                process.send_signal(signal.SIGINT)
            else:
                break
    if code or not result.is_file():
        raise RunError(f"Locust ended with {code}; its log is {log}{_last(log)}")
    document: dict[str, Any] = json.loads(result.read_text())
    result.unlink()
    return document


def _page(order: Order) -> list[str]:
    if not order.web_port:
        return ["--headless"]
    say(
        f"Locust's page is http://127.0.0.1:{order.web_port}; Ctrl-C ends it when you have seen all"
    )
    return ["--autostart", "--web-host", "127.0.0.1", "--web-port", str(order.web_port)]


def _last(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-5:] if log.is_file() else []
    return "".join(f"\n    {line[:200]}" for line in lines)
