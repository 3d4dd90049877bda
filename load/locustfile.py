# mypy: allow-untyped-decorators, allow-untyped-calls
# Locust's events and shapes have no types.
"""Locustfile of the load: `make load` runs it, or `locust -f load/locustfile.py`.

It connects the personas and the shape with Locust's events: options, seeding, the workers'
reports, progress messages, and the result file.
"""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import gevent
import httpx
from locust import events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner

from load.harness.call_stats import REFUSED, CallStats
from load.harness.planned_shape import FINISHED, PlannedShape
from load.harness.run_state import STATE, local_report
from load.harness.seeding import seed
from load.shapes import SHAPES, build_plan
from load.users.api_client import ApiClient
from load.users.attendant import Attendant
from load.users.auditor import Auditor
from load.users.catalogue_keeper import CatalogueKeeper
from load.users.dataset import Dataset
from load.users.journey_replayer import JourneyReplayer
from load.users.monitor import Monitor
from load.users.persona import Persona
from load.users.seller import Seller
from load.users.token_provider import LoginError, TokenProvider

PERSONAS: tuple[type[Persona], ...] = (Attendant, Seller, CatalogueKeeper, Auditor, Monitor)
PROGRESS_SECONDS = 2.0


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """Add options to Locust's own; the master passes them to its workers."""
    parser.add_argument("--shape", choices=list(SHAPES), default="smoke", help="default: smoke")
    parser.add_argument("--model", choices=("open", "closed"), default="open", help="default: open")
    parser.add_argument("--load", type=float, default=None, help="actions a second, or users")
    parser.add_argument("--seconds", type=float, default=None, help="duration of the main phase")
    parser.add_argument("--run-id", default="load-by-hand", help="marks the rows of this run")
    parser.add_argument("--secret-file", default="", help="the monitors' secret")
    parser.add_argument("--result", default="", help="file for the result, as JSON")


@events.init.add_listener
def start_progress(environment: Environment, **_: object) -> None:
    """Show progress on the master or the only process, and end the plan on Ctrl-C."""
    if not isinstance(environment.runner, WorkerRunner):
        assert environment.runner is not None  # noqa: S101 - Locust has created it
        environment.runner.greenlet.spawn(show_progress, environment)
        if isinstance(environment.shape_class, PlannedShape):
            gevent.signal_handler(signal.SIGINT, environment.shape_class.finish)


@events.test_start.add_listener
def prepare(environment: Environment, **_: object) -> None:
    """Create a user and some rows, on each process that calls the system."""
    options = environment.parsed_options
    assert options is not None  # noqa: S101 - Locust has parsed them
    for persona in PERSONAS if options.model == "open" else ():
        persona.use_open_model()
    if getattr(environment.runner, "clients", None) is not None:
        return  # a master makes no calls
    url = environment.host or ""
    try:
        tokens = TokenProvider(url, options.secret_file)
        journeys = JourneyReplayer(url, options.secret_file)
        api = ApiClient(environment, tokens, Dataset(options.run_id), journeys)
        seed(api)
    except (LoginError, httpx.HTTPError) as error:
        sys.exit(f"seeding failed: {error}")
    Persona.api = api
    environment.stats.clear_all()
    if isinstance(environment.shape_class, PlannedShape):
        environment.shape_class.reset_time()  # the plan begins after the seeding


@events.report_to_master.add_listener
def report(data: dict[str, Any], **_: object) -> None:
    """Add this worker's calls to its report to the master."""
    data.update(local_report())


@events.worker_report.add_listener
def merge(client_id: str, data: dict[str, Any], **_: object) -> None:
    """Add a worker's report to the state of the master."""
    STATE.merge(client_id, data)


@events.quitting.add_listener
def write_result(environment: Environment, **_: object) -> None:
    """Write the result, on the master or the only process."""
    options = environment.parsed_options
    STATE.collect_local()
    if isinstance(environment.runner, WorkerRunner) or not options or not options.result:
        return
    shape = _shape(environment)
    document = {
        "plan": (shape.plan() if shape else build_plan(options.shape)).to_json(),
        "began": shape.began if shape else time.time(),
        "run": options.run_id,
        "url": environment.host,
        "processes": max(1, len(STATE.in_flight)),
        "bounds": list(STATE.bounds.items()),
        "recording": STATE.recording.to_json(),
    }
    Path(options.result).write_text(json.dumps(document))
    environment.process_exit_code = 0  # failed calls are evaluated by the thresholds


def show_progress(environment: Environment) -> None:
    """Write a progress message every few seconds; never return."""
    while True:
        gevent.sleep(PROGRESS_SECONDS)
        STATE.collect_local()
        shape = _shape(environment)
        if shape is not None and shape.phase != FINISHED:
            recent, STATE.recent = STATE.recent, CallStats()
            sys.stdout.write(progress_line(shape, environment, recent))
            sys.stdout.flush()


def progress_line(shape: PlannedShape, environment: Environment, recent: CallStats) -> str:
    """Return the progress message for the calls since the last one."""
    plan = shape.plan()
    second = min(time.time() - shape.began, plan.seconds)
    unit = "actions/s planned" if plan.model == "open" else "users"
    users = environment.runner.user_count if environment.runner else 0
    return (
        f"load: {second:5.0f} of {plan.seconds:.0f} s  {shape.phase:10}"
        f"{users:5} {unit}  {recent.count / PROGRESS_SECONDS:7.1f} calls/s"
        f"  p95 {recent.percentile(0.95):6.0f} ms  {recent.failed} failed"
        f"  {recent.outcomes[REFUSED]} refused  {STATE.total_in_flight()} in flight\n"
    )


def _shape(environment: Environment) -> PlannedShape | None:
    """Return the shape once it has begun."""
    shape = environment.shape_class
    return shape if isinstance(shape, PlannedShape) and shape.phase else None
