"""What is done to the system, a fault each; it returns the moment at which the harm was over."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass

import httpx
import psutil
import psycopg2

from localstack.catalogue import SERVICES
from tests.chaos.caller import a_client, a_purchase
from tests.chaos.history import Attempt, BrokenError, read
from tests.chaos.intercepting_proxy import Gate
from tests.chaos.load_driver import Crowd
from tests.chaos.system import System, kill

RELAY = "clients-relay"
DELETES = 1_000
PAIRS = 500  # a round
WRITERS = 50
STOPPED = 10.0  # seconds
EXHAUSTED = 6.0  # seconds; longer than a statement may take

# Auth's absence and the rotation of keys are tried in a hurry: a minute of theirs is a second.
HURRIED = {"JWKS_REFRESH": "1", "SERVICE_TOKEN_TTL": "5"}
AUTH_AWAY = 15.0  # seconds; a quarter of an hour
PUBLISHED = 2.6  # seconds until every service has a new key: its period and a tenth, auth's second
NEWCOMERS = 4.0  # seconds; somebody logs in meanwhile


@dataclass(frozen=True)
class Fault:
    """A row of the table."""

    name: str
    strike: Callable[[System, int, Crowd], float]
    answers_within: float | None = None  # seconds in which any call is answered meanwhile
    restarts: bool = True  # whether processes may be started again
    counted: tuple[int, str] | None = None  # what is done so often a round


def kill_postgres(system: System, number: int, _: Crowd) -> float:
    """Kill the server, all of its processes, or a session alone, by turns."""
    server, *rest = system.postgres()
    sessions = [p for p in rest if "idle" in p.cmdline()[0] or "clients" in p.cmdline()[0]]
    victims = ([server], [server, *rest], (sessions or rest)[-1:])[number % 3]
    return _kill(system, victims)


def kill_worker(system: System, number: int, _: Crowd) -> float:
    """Kill one worker of a service, another service each time."""
    return _kill(system, system.workers(SERVICES[number % len(SERVICES)])[:1])


def kill_workers(system: System, _: int, __: Crowd) -> float:
    """Kill every worker of every service at once."""
    return _kill(system, [worker for name in SERVICES for worker in system.workers(name)])


def kill_relay_before_the_call(system: System, _: int, __: Crowd) -> float:
    """Kill the relay when it has taken a row and the inventory has heard nothing."""
    with _relay_at_the_gate(system):
        return _kill_relay(system)


def kill_relay_after_the_call(system: System, _: int, __: Crowd) -> float:
    """Kill the relay when the inventory has done what it was told, before the relay hears so."""
    with _relay_at_the_gate(system) as (gate, call):
        gate.forward(call)
        return _kill_relay(system)


def kill_relay_before_the_mark(system: System, _: int, __: Crowd) -> float:
    """Kill the relay when it was answered, and its DELETE of the row has not been done."""
    blocked = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name = 'clients-relay' AND wait_event_type = 'Lock'"
    )
    records = system.records
    with _relay_at_the_gate(system) as (gate, call), closing(records.connect("clients")) as holder:
        answer = gate.forward(call)
        with holder.cursor() as cursor:
            cursor.execute("SELECT id FROM outbox FOR UPDATE")
            gate.answer(answer)
            system.wait_until(lambda: bool(records.query("clients", blocked)))
            sessions = records.query("clients", blocked)
            began = _kill_relay(system)
            if not sessions:
                message = "the relay did not come to its mark"
                raise BrokenError(message)
            for (pid,) in sessions:  # its session would wait for the row, and delete it after all
                records.query("clients", "SELECT pg_terminate_backend(%s, 5000)", pid)
        holder.rollback()
        return began


def inventory_away(system: System, _: int, crowd: Crowd) -> float:
    """Delete a thousand clients who have bought something, while the inventory is down."""
    clients = system.records.seed_clients(DELETES)
    system.records.seed_purchases(clients, system.product_id)
    with system.down("inventory"):
        crowd.work("delete", clients=clients)
        answered = {a.status for a in _attempts(crowd, "deletion", set(map(str, clients)))}
        if answered != {httpx.codes.OK}:
            message = f"deletes without the inventory answered {sorted(answered)}"
            raise BrokenError(message)
    return time.monotonic()


def add_against_delete(system: System, _: int, crowd: Crowd) -> float:
    """Add to the inventory of five hundred clients while each is deleted."""
    with system.records.slow_additions():
        crowd.work("race", clients=system.records.seed_clients(PAIRS))
    return time.monotonic()


def one_tag(system: System, _: int, crowd: Crowd) -> float:
    """Let fifty writers replace one client under the same entity tag."""
    client_id = system.make("/clients/create", a_client())
    crowd.work("edit", clients=[client_id], writers=WRITERS, version='"1"')
    attempts = [a for a in _attempts(crowd, "edit") if a.element.startswith(f"{client_id}:")]
    statuses = [attempt.status for attempt in attempts]
    if statuses.count(httpx.codes.OK) != 1 or len(statuses) != WRITERS:
        message = f"{statuses.count(httpx.codes.OK)} of {len(statuses)} writers won"
        raise BrokenError(message)
    return time.monotonic()


def exhaust_pool(system: System, number: int, _: Crowd) -> float:
    """Let a locked table hold every connection of a pool, or others take all of the server's."""
    with ExitStack() as stack:
        if number % 2 == 0:
            holder = stack.enter_context(closing(system.records.connect("clients")))
            holder.cursor().execute("LOCK TABLE clients")
        else:
            _take_all_connections(system, stack)
        system.pause(EXHAUSTED)
    return time.monotonic()


def stop_postgres(system: System, _: int, __: Crowd) -> float:
    """Stop the database's processes for ten seconds, as a machine that hangs does."""
    processes = system.postgres()
    kill(processes, signal.SIGSTOP)
    try:
        system.pause(STOPPED)
    finally:
        kill(processes, signal.SIGCONT)
    return time.monotonic()


def auth_away(system: System, _: int, __: Crowd) -> float:
    """Take auth away: tokens that are valid are still accepted, while services get no new ones."""
    with system.down("auth"):
        system.pause(AUTH_AWAY)
    return time.monotonic()


def rotate_key(system: System, _: int, __: Crowd) -> float:
    """Publish a new key, sign with it once everybody knows it, and retire the one before the last.

    Nobody holds a token of that one any more: the services' own have expired by then.
    """
    kid = system.keys("new")
    system.pause(PUBLISHED)
    system.keys("use", kid)
    began = time.monotonic()
    system.pause(NEWCOMERS)
    system.turned.append(kid)
    if len(system.turned) > 2:
        system.keys("retire", system.turned.pop(0))
        system.pause(PUBLISHED)
    return began


FAULTS = (
    Fault("postgres killed", kill_postgres),
    Fault("a worker killed", kill_worker),
    Fault("all workers killed", kill_workers),
    Fault("relay killed before the call", kill_relay_before_the_call),
    Fault("relay killed after the call", kill_relay_after_the_call),
    Fault("relay killed before the mark", kill_relay_before_the_mark),
    Fault("inventory away", inventory_away, counted=(DELETES, "deletes")),
    Fault("add against delete", add_against_delete, counted=(PAIRS, "pairs")),
    Fault("one ETag", one_tag, counted=(WRITERS, "writers")),
    Fault("connections exhausted", exhaust_pool, answers_within=8, restarts=False),
    Fault("postgres stopped 10 s", stop_postgres, answers_within=8, restarts=False),
    Fault("auth away", auth_away),
    Fault("key rotated", rotate_key, restarts=False),
)


def _kill(system: System, victims: list[psutil.Process]) -> float:
    """Kill processes, and return when it was; what reads who is ready must not be too early."""
    began = time.monotonic()
    kill(victims)
    system.pause(0.2)
    return began


@contextmanager
def _relay_at_the_gate(system: System) -> Iterator[tuple[Gate, bytes]]:
    """Delete a client who has bought something, and hold the relay's call about it."""
    (client_id,) = system.records.seed_clients(1)
    caller = system.caller()
    body = a_purchase(client_id, system.product_id, "2024-11-01T10:30:00")
    system.make("/inventory/add_product", body)
    relay = system.stack.supervisor.child(RELAY)
    environ = relay.environ
    with system.down(RELAY), Gate(system.stack.bases["inventory"]) as gate:
        if not caller.ask("DELETE", f"/clients/delete/{client_id}").is_success:
            message = "the delete failed"
            raise BrokenError(message)
        relay.environ = {**environ, "INVENTORY_URL": gate.url}
        try:
            relay.start()
            yield gate, gate.take()
        finally:
            relay.signal(signal.SIGKILL)
            relay.environ = environ


def _kill_relay(system: System) -> float:
    relay = system.stack.supervisor.child(RELAY)
    relay.signal(signal.SIGKILL)
    system.wait_until(relay.ended)
    return time.monotonic()


def _take_all_connections(system: System, stack: ExitStack) -> None:
    """End the sessions of the services, and take all that the server has before they can."""
    url = system.stack.postgres.url("clients", user="clients")  # the superuser's few stay free
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> 'postgres'"
    with suppress(psycopg2.OperationalError):
        while True:
            stack.enter_context(closing(psycopg2.connect(url)))
    system.records.query("postgres", f"{others} AND application_name <> ''")
    with suppress(psycopg2.OperationalError):
        while True:
            stack.enter_context(closing(psycopg2.connect(url)))


def _attempts(crowd: Crowd, kind: str, elements: set[str] | None = None) -> list[Attempt]:
    """Return the attempts of one kind, at these elements alone if any are named."""
    attempts = (a for a in read(crowd.book) if a.kind == kind)
    return [a for a in attempts if elements is None or a.element in elements]
