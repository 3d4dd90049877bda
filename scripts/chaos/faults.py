"""What is done to the system, a fault each; it returns the seconds that it took to heal."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg2

from localstack.stack import SERVICES
from scripts.chaos.caller import a_client, a_purchase
from scripts.chaos.conductor import BrokenError, System, kill
from scripts.chaos.gate import Gate
from scripts.chaos.history import Attempt, read

RELAY = "clients-relay"
DELETES = 1_000
PAIRS = 500  # a round
WRITERS = 50
STOPPED = 10.0  # seconds
EXHAUSTED = 6.0  # seconds; longer than a statement may take
AUTH_AWAY = 5.0  # seconds
PUBLISHED = 66.0  # seconds until every service has fetched a new key: its own period, and a tenth


@dataclass(frozen=True)
class Fault:
    """A row of the table."""

    name: str
    strike: Callable[[System, int, Path], float]
    heals_within: float  # seconds
    answers_within: float | None = None  # seconds in which any call is answered meanwhile
    restarts: bool = True  # whether processes may be started again


def kill_postgres(system: System, number: int, _: Path) -> float:
    """Kill the server, all of its processes, or a session alone, by turns."""
    server, *rest = system.postgres()
    sessions = [p for p in rest if "idle" in p.cmdline()[0] or "clients" in p.cmdline()[0]]
    victims = ([server], [server, *rest], (sessions or rest)[-1:])[number % 3]
    began = time.monotonic()
    kill(victims)
    system.pause(0.2)
    return system.recover(began)


def kill_worker(system: System, number: int, _: Path) -> float:
    """Kill one worker of a service, another service each time."""
    began = time.monotonic()
    kill(system.workers(SERVICES[number % len(SERVICES)])[:1])
    system.pause(0.2)
    return system.recover(began)


def kill_workers(system: System, _: int, __: Path) -> float:
    """Kill every worker of every service at once."""
    began = time.monotonic()
    kill([worker for name in SERVICES for worker in system.workers(name)])
    system.pause(0.2)
    return system.recover(began)


def kill_relay_before_the_call(system: System, _: int, __: Path) -> float:
    """Kill the relay when it has taken a row and the inventory has heard nothing."""
    with _relay_at_the_gate(system):
        _kill_relay(system)
    return system.swept()


def kill_relay_after_the_call(system: System, _: int, __: Path) -> float:
    """Kill the relay when the inventory has done what it was told, before the relay hears so."""
    with _relay_at_the_gate(system) as (gate, call):
        gate.forward(call)
        _kill_relay(system)
    return system.swept()


def kill_relay_before_the_mark(system: System, _: int, __: Path) -> float:
    """Kill the relay when it was answered, and its DELETE of the row has not been done."""
    blocked = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE application_name = 'clients-relay' AND wait_event_type = 'Lock'"
    )
    with _relay_at_the_gate(system) as (gate, call), closing(system.connect("clients")) as holder:
        answer = gate.forward(call)
        with holder.cursor() as cursor:
            cursor.execute("SELECT id FROM outbox FOR UPDATE")
            gate.answer(answer)
            system.wait_until(lambda: bool(system.query("clients", blocked)))
            sessions = system.query("clients", blocked)
            _kill_relay(system)
            if not sessions:
                message = "the relay did not come to its mark"
                raise BrokenError(message)
            for (pid,) in sessions:  # its session would wait for the row, and delete it after all
                system.query("clients", "SELECT pg_terminate_backend(%s, 5000)", pid)
        holder.rollback()
    return system.swept()


def inventory_away(system: System, _: int, book: Path) -> float:
    """Delete a thousand clients who have bought something, while the inventory is down."""
    clients = system.seed(DELETES, bought=True)
    with system.down("inventory"):
        system.work("delete", book, clients=clients)
        answered = {a.status for a in _attempts(book, "deletion", set(map(str, clients)))}
        if answered != {httpx.codes.OK}:
            message = f"deletes without the inventory answered {sorted(answered)}"
            raise BrokenError(message)
    system.recover(time.monotonic())
    return system.swept()


def add_against_delete(system: System, _: int, book: Path) -> float:
    """Add to the inventory of five hundred clients while each is deleted."""
    system.work("race", book, clients=system.seed(PAIRS, bought=False))
    return system.swept()


def one_tag(system: System, _: int, book: Path) -> float:
    """Let fifty writers replace one client under the same entity tag."""
    client_id = system.make("/clients/create", a_client())
    system.work("edit", book, clients=[client_id], writers=WRITERS, version='"1"')
    attempts = [a for a in _attempts(book, "edit") if a.element.startswith(f"{client_id}:")]
    statuses = [attempt.status for attempt in attempts]
    if statuses.count(httpx.codes.OK) != 1 or len(statuses) != WRITERS:
        message = f"{statuses.count(httpx.codes.OK)} of {len(statuses)} writers won"
        raise BrokenError(message)
    return 0.0


def exhaust_pool(system: System, number: int, _: Path) -> float:
    """Let a locked table hold every connection of a pool, or others take all of the server's."""
    with ExitStack() as stack:
        if number % 2 == 0:
            holder = stack.enter_context(closing(system.connect("clients")))
            holder.cursor().execute("LOCK TABLE clients")
        else:
            _take_all_connections(system, stack)
        system.pause(EXHAUSTED)
    return system.recover(time.monotonic())


def stop_postgres(system: System, _: int, __: Path) -> float:
    """Stop the database's processes for ten seconds, as a machine that hangs does."""
    processes = system.postgres()
    kill(processes, signal.SIGSTOP)
    try:
        system.pause(STOPPED)
    finally:
        kill(processes, signal.SIGCONT)
    return system.recover(time.monotonic())


def auth_away(system: System, _: int, __: Path) -> float:
    """Take auth away: tokens that are valid are still accepted."""
    with system.down("auth"):
        system.pause(AUTH_AWAY)
    return system.recover(time.monotonic())


def rotate_key(system: System, _: int, __: Path) -> float:
    """Publish a new key, wait until everybody knows it, and sign with it."""
    kid = system.keys("new")
    system.pause(PUBLISHED)
    system.keys("use", kid)
    system.pause(4)  # the newcomer logs in, and is taken everywhere
    return 0.0


FAULTS = (
    Fault("postgres killed", kill_postgres, 10),
    Fault("a worker killed", kill_worker, 10),
    Fault("all workers killed", kill_workers, 10),
    Fault("relay killed before the call", kill_relay_before_the_call, 30),
    Fault("relay killed after the call", kill_relay_after_the_call, 30),
    Fault("relay killed before the mark", kill_relay_before_the_mark, 30),
    Fault("inventory away, 1000 deletes", inventory_away, 30),
    Fault("add against delete", add_against_delete, 30),
    Fault("50 writers, one ETag", one_tag, 10),
    Fault("connections exhausted", exhaust_pool, 10, answers_within=8, restarts=False),
    Fault("postgres stopped 10 s", stop_postgres, 10, answers_within=8, restarts=False),
    Fault("auth away", auth_away, 30),
    Fault("key rotated", rotate_key, 10, restarts=False),
)


@contextmanager
def _relay_at_the_gate(system: System) -> Iterator[tuple[Gate, bytes]]:
    """Delete a client who has bought something, and hold the relay's call about it."""
    (client_id,) = system.seed(1, bought=False)
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


def _kill_relay(system: System) -> None:
    relay = system.stack.supervisor.child(RELAY)
    relay.signal(signal.SIGKILL)
    system.wait_until(relay.ended)


def _take_all_connections(system: System, stack: ExitStack) -> None:
    """End the sessions of the services, and take all that the server has before they can."""
    url = system.stack.postgres.url("clients", user="clients")  # the superuser's few stay free
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> 'postgres'"
    with suppress(psycopg2.OperationalError):
        while True:
            stack.enter_context(closing(psycopg2.connect(url)))
    system.query("postgres", f"{others} AND application_name <> ''")
    with suppress(psycopg2.OperationalError):
        while True:
            stack.enter_context(closing(psycopg2.connect(url)))


def _attempts(book: Path, kind: str, elements: set[str] | None = None) -> list[Attempt]:
    """Return the attempts of one kind, at these elements alone if any are named."""
    return [a for a in read(book) if a.kind == kind and (elements is None or a.element in elements)]
