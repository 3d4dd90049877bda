# mypy: allow-untyped-decorators, allow-untyped-calls
# Locust's events and shapes have no types.
"""The load as Locust runs it: `make load` starts it, or `locust -f load/locustfile.py`.

This module only ties things together: options, the shape, what workers tell the master, and the
file that is written in the end.
"""

import json
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import httpx
from locust import LoadTestShape, events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner

from load.harness.recording import REFUSED, Cell, Recording
from load.shapes import SHAPES, plan
from load.shapes.phases import DRAINED_AFTER, Plan
from load.users import fake_data
from load.users.api_client import PATIENCE, Caller
from load.users.attendant import Attendant
from load.users.auditor import Auditor
from load.users.catalogue_keeper import CatalogueKeeper
from load.users.dataset import Bounds, World
from load.users.journeys import Replays
from load.users.monitor import Monitor
from load.users.persona import Persona
from load.users.seller import Seller
from load.users.token_provider import Access, AccessError

PERSONAS: tuple[type[Persona], ...] = (Attendant, Seller, CatalogueKeeper, Auditor, Monitor)
SEEDS = 30  # clients, and products, that each process makes ahead
OVER = "over"
AT_ONCE = 1_000.0  # users a second: a step is a step
TRIES = 5
EVERY = 2.0  # seconds between two lines of progress


@dataclass
class Run:
    """What this process knows of the run: the master, or the only process, knows all of it."""

    recording: Recording = field(default_factory=Recording)
    fresh: Cell = field(default_factory=Cell)  # since the last line of progress
    bounds: dict[int, Bounds] = field(default_factory=dict)
    in_flight: dict[str, int] = field(default_factory=dict)  # of each worker
    shape: "Shape | None" = None

    def gather(self) -> None:
        """Add what this process itself saw."""
        if hasattr(Persona, "caller"):
            self.add(Persona.caller.recording.drain())
            self.bounds.update(Persona.caller.world.drain())

    def add(self, seen: Recording) -> None:
        """Add what a process saw."""
        self.recording.add(seen)
        for cell in seen.cells.values():
            self.fresh.add(cell)

    def busy(self) -> int:
        """Return how many actions have not ended yet."""
        return sum(self.in_flight.values()) + Persona.in_flight


RUN = Run()


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """Add our options to Locust's own; those of a master are its workers' too."""
    parser.add_argument("--shape", choices=list(SHAPES), default="smoke", help="the shape (smoke)")
    parser.add_argument("--model", choices=("open", "closed"), default="open", help="the model")
    parser.add_argument("--load", type=float, default=None, help="actions a second, or users")
    parser.add_argument("--seconds", type=float, default=None, help="of the main phase")
    parser.add_argument("--run-id", default="load-by-hand", help="the mark of what it makes")
    parser.add_argument("--secret-file", default="", help="the monitors' secret")
    parser.add_argument("--result", default="", help="where the recording is written")


class Shape(LoadTestShape):
    """Follows a plan, then waits until what was begun has ended and was told."""

    def __init__(self) -> None:
        super().__init__()
        self.began = time.time()
        self.phase = ""
        self._ended_early: float | None = None

    def reset_time(self) -> None:
        """Begin."""
        super().reset_time()
        self.began = time.time()

    def planned(self) -> Plan:
        """Return the plan that the options ask for."""
        assert self.runner is not None  # noqa: S101 - Locust has set it
        options = self.runner.environment.parsed_options
        assert options is not None  # noqa: S101 - Locust has parsed them
        whole = plan(options.shape, options.model, options.load, options.seconds)
        return whole if self._ended_early is None else whole.until(self._ended_early)

    def finish(self) -> None:
        """End now, in good order: what was begun is still waited for."""
        self._ended_early = min(self.get_run_time(), self.planned().seconds)
        end_at_once_on_ctrl_c()

    def tick(self) -> tuple[int, float] | None:
        """Return how many users there must be now; nothing when all is over."""
        RUN.shape, planned = self, self.planned()
        second = self.get_run_time()
        now = planned.at(second)
        if now is not None:
            self.phase = now[0].name
            return round(now[1]), AT_ONCE
        self.phase = "ending"
        over = second - planned.seconds
        if over < DRAINED_AFTER or (RUN.busy() and over < PATIENCE + DRAINED_AFTER):
            return 0, AT_ONCE
        end_at_once_on_ctrl_c()
        self.phase = OVER
        return None


def end_at_once_on_ctrl_c() -> None:
    """Leave the next Ctrl-C to Locust: it ends everything as it is."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@events.init.add_listener
def prepare(environment: Environment, **_: object) -> None:
    """Show progress on the process that knows all."""
    if not isinstance(environment.runner, WorkerRunner):
        assert environment.runner is not None  # noqa: S101 - there is one by now
        environment.runner.greenlet.spawn(show_progress, environment)
        if isinstance(environment.shape_class, Shape):
            gevent.signal_handler(signal.SIGINT, environment.shape_class.finish)


@events.test_start.add_listener
def begin(environment: Environment, **_: object) -> None:
    """Get a user and some rows, on each process that calls."""
    options = environment.parsed_options
    assert options is not None  # noqa: S101 - Locust has parsed them
    for persona in PERSONAS if options.model == "open" else ():
        persona.act_openly()
    if getattr(environment.runner, "clients", None) is not None:
        return  # a master calls nobody
    try:
        access = Access(environment.host or "", options.secret_file)
        replays = Replays(environment.host or "", options.secret_file)
        caller = Caller(environment, access, World(options.run_id), replays)
        sow(caller, SEEDS)
    except (AccessError, httpx.HTTPError) as error:
        sys.exit(f"nothing could be made ahead: {error}")  # nobody could act without
    caller.recording.drain()  # the seeds are no part of what is judged
    Persona.caller = caller
    environment.stats.clear_all()
    if isinstance(environment.shape_class, Shape):
        environment.shape_class.reset_time()  # what took until now is no part of the plan


def sow(caller: Caller, count: int) -> None:
    """Make clients and products ahead, patiently; raises ``AccessError`` when it cannot be done."""
    for _ in range(count):
        client = fake_data.client(caller.world.run)
        caller.world.clients[insist(caller, "clients.create", client)] = client
        product = fake_data.product(caller.world.run)
        caller.world.products.append(insist(caller, "products.create", product))


def insist(caller: Caller, name: str, body: dict[str, Any]) -> int:
    """Make a row, and return its id; try more than once."""
    for _ in range(TRIES):
        answer = caller.call(name, body=body)
        if answer.is_ok:
            return int(answer.body["id"])
        gevent.sleep(1)
    raise AccessError(f"{name} answered {answer.outcome}, {TRIES} times")


@events.report_to_master.add_listener
def tell(data: dict[str, Any], **_: object) -> None:
    """Tell the master what this worker saw since the last time."""
    if hasattr(Persona, "caller"):
        data["recording"] = Persona.caller.recording.drain().to_json()
        data["bounds"] = list(Persona.caller.world.drain().items())
        data["in_flight"] = Persona.in_flight


@events.worker_report.add_listener
def hear(client_id: str, data: dict[str, Any], **_: object) -> None:
    """Add what a worker tells."""
    RUN.add(Recording.from_json(data.get("recording", [])))
    RUN.bounds.update({number: tuple(both) for number, both in data.get("bounds", [])})
    RUN.in_flight[client_id] = data.get("in_flight", 0)


@events.quitting.add_listener
def write(environment: Environment, **_: object) -> None:
    """Write what was seen, on the process that knows all."""
    options = environment.parsed_options
    RUN.gather()
    if isinstance(environment.runner, WorkerRunner) or not options or not options.result:
        return
    planned = RUN.shape.planned() if RUN.shape else plan(options.shape)
    document = {
        "plan": planned.to_json(),
        "began": RUN.shape.began if RUN.shape else time.time(),
        "run": options.run_id,
        "url": environment.host,
        "processes": max(1, len(RUN.in_flight)),
        "bounds": list(RUN.bounds.items()),
        "recording": RUN.recording.to_json(),
    }
    Path(options.result).write_text(json.dumps(document))
    environment.process_exit_code = 0  # what failed calls mean is judged elsewhere


def show_progress(environment: Environment) -> None:
    """Write a line every now and then, until the end."""
    while True:
        gevent.sleep(EVERY)
        RUN.gather()
        if RUN.shape is None or environment.runner is None or RUN.shape.phase == OVER:
            continue
        now = time.time()
        cell, RUN.fresh = RUN.fresh, Cell()
        planned = RUN.shape.planned()
        second = min(now - RUN.shape.began, planned.seconds)
        unit = "actions/s asked" if planned.model == "open" else "users"
        sys.stdout.write(
            f"load: {second:5.0f} of {planned.seconds:.0f} s  {RUN.shape.phase:10}"
            f"{environment.runner.user_count:5} {unit}  {cell.count / EVERY:7.1f} calls/s"
            f"  p95 {cell.percentile(0.95):6.0f} ms  {cell.failed} failed"
            f"  {cell.outcomes[REFUSED]} refused  {RUN.busy()} in flight\n"
        )
        sys.stdout.flush()
