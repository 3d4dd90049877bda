"""The faults of `make chaos`; each injection returns the time at which the fault ended."""

import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass

import httpx
import psutil
import psycopg2

from devstack.service_catalog import SERVICES
from tests.chaos import outbox_relay_kills
from tests.chaos.history import Attempt, read
from tests.chaos.load_driver import LoadDriver
from tests.chaos.system import SystemUnderTest, kill
from tests.support.accounts import new_client
from tests.support.steps import StepFailed

DELETES = 1_000
PAIRS = 500  # a round
WRITERS = 50
STOP_SECONDS = 10.0
EXHAUSTION_SECONDS = 6.0  # longer than the statement timeout
EXIT_SECONDS = 0.2  # from a signal to the exit of a process

# The outage of auth and the key rotation run with intervals shortened from minutes to seconds.
SHORT_INTERVALS = {"JWKS_REFRESH": "1", "SERVICE_TOKEN_TTL": "5"}
AUTH_OUTAGE_SECONDS = 15.0  # stands for 15 minutes
KEY_REFRESH_SECONDS = 2.6  # until every service has a new key: its interval, jitter, auth's cache
LOGIN_SECONDS = 4.0  # at least one login happens meanwhile


@dataclass(frozen=True)
class Fault:
    """A row of the table."""

    name: str
    inject: Callable[[SystemUnderTest, int, LoadDriver], float]
    request_limit: float | None = None  # seconds of a request during the fault
    restarts: bool = True  # whether processes may be restarted
    counted: tuple[int, str] | None = None  # a count for each round, and its unit


def kill_postgres(system: SystemUnderTest, number: int, _: LoadDriver) -> float:
    """Kill the postmaster, all processes of PostgreSQL, or one session, in turn."""
    server, *rest = system.postgres()
    sessions = [p for p in rest if "idle" in p.cmdline()[0] or "clients" in p.cmdline()[0]]
    victims = ([server], [server, *rest], (sessions or rest)[-1:])[number % 3]
    return _kill(system, victims)


def kill_worker(system: SystemUnderTest, number: int, _: LoadDriver) -> float:
    """Kill one worker of a service, in each round of another service."""
    return _kill(system, system.workers(SERVICES[number % len(SERVICES)])[:1])


def kill_workers(system: SystemUnderTest, _: int, __: LoadDriver) -> float:
    """Kill every worker of every service at once."""
    return _kill(system, [worker for name in SERVICES for worker in system.workers(name)])


def inventory_outage(system: SystemUnderTest, _: int, driver: LoadDriver) -> float:
    """Delete a thousand clients with purchases, while the inventory is stopped."""
    clients = system.database.seed_clients(DELETES)
    system.database.seed_purchases(clients, system.product_id)
    with system.outage("inventory"):
        driver.run("delete", clients=clients)
        statuses = {a.status for a in _attempts(driver, "deletion", set(map(str, clients)))}
        if statuses != {httpx.codes.OK}:
            raise StepFailed(f"deletes without the inventory answered {sorted(statuses)}")
    return time.monotonic()


def add_against_delete(system: SystemUnderTest, _: int, driver: LoadDriver) -> float:
    """Add to the inventory of five hundred clients while each of them is deleted."""
    with system.database.delayed_inserts():
        driver.run("race", clients=system.database.seed_clients(PAIRS))
    return time.monotonic()


def concurrent_updates(system: SystemUnderTest, _: int, driver: LoadDriver) -> float:
    """Replace one client from fifty threads with the same entity tag."""
    client_id = system.create("/clients/create", new_client("Caos", "chaos"))
    driver.run("edit", clients=[client_id], writers=WRITERS, etag='"1"')
    attempts = [a for a in _attempts(driver, "edit") if a.element.startswith(f"{client_id}:")]
    statuses = [attempt.status for attempt in attempts]
    if statuses.count(httpx.codes.OK) != 1 or len(statuses) != WRITERS:
        raise StepFailed(f"{statuses.count(httpx.codes.OK)} of {len(statuses)} writers won")
    return time.monotonic()


def exhaust_pool(system: SystemUnderTest, number: int, _: LoadDriver) -> float:
    """Block every connection of a pool on a table lock, or take all connections of PostgreSQL."""
    with ExitStack() as stack:
        if number % 2 == 0:
            holder = stack.enter_context(closing(system.database.connect("clients")))
            holder.cursor().execute("LOCK TABLE clients")
        else:
            _take_all_connections(system, stack)
        system.pause(EXHAUSTION_SECONDS)
    return time.monotonic()


def stop_postgres(system: SystemUnderTest, _: int, __: LoadDriver) -> float:
    """Stop the processes of PostgreSQL for ten seconds, like a machine that hangs."""
    processes = system.postgres()
    kill(processes, signal.SIGSTOP)
    try:
        system.pause(STOP_SECONDS)
    finally:
        kill(processes, signal.SIGCONT)
    return time.monotonic()


def auth_outage(system: SystemUnderTest, _: int, __: LoadDriver) -> float:
    """Stop auth: services accept valid tokens, and get no new service tokens."""
    with system.outage("auth"):
        system.pause(AUTH_OUTAGE_SECONDS)
    return time.monotonic()


def rotate_key(system: SystemUnderTest, _: int, __: LoadDriver) -> float:
    """Publish a key, sign with it after all services have it, and retire the last but one.

    No valid token of that one is left: the services' own tokens have expired.
    """
    kid = system.manage_keys("new")
    system.pause(KEY_REFRESH_SECONDS)
    system.manage_keys("use", kid)
    started = time.monotonic()
    system.pause(LOGIN_SECONDS)
    system.rotated_keys.append(kid)
    if len(system.rotated_keys) > 2:
        system.manage_keys("retire", system.rotated_keys.pop(0))
        system.pause(KEY_REFRESH_SECONDS)
    return started


FAULTS = (
    Fault("postgres killed", kill_postgres),
    Fault("a worker killed", kill_worker),
    Fault("all workers killed", kill_workers),
    Fault("relay killed before the call", outbox_relay_kills.kill_relay_before_delivery),
    Fault("relay killed after the call", outbox_relay_kills.kill_relay_after_delivery),
    Fault("relay killed before the mark", outbox_relay_kills.kill_relay_before_delete),
    Fault("inventory away", inventory_outage, counted=(DELETES, "deletes")),
    Fault("add against delete", add_against_delete, counted=(PAIRS, "pairs")),
    Fault("one ETag", concurrent_updates, counted=(WRITERS, "writers")),
    Fault("connections exhausted", exhaust_pool, request_limit=8, restarts=False),
    Fault("postgres stopped 10 s", stop_postgres, request_limit=8, restarts=False),
    Fault("auth away", auth_outage),
    Fault("key rotated", rotate_key, restarts=False),
)


def _kill(system: SystemUnderTest, victims: list[psutil.Process]) -> float:
    """Kill processes, wait for their exit, and return the time of the signal."""
    started = time.monotonic()
    kill(victims)
    system.pause(EXIT_SECONDS)
    return started


def _take_all_connections(system: SystemUnderTest, stack: ExitStack) -> None:
    """Terminate the sessions of the services, and open all connections before they can."""
    url = system.stack.postgres.url("clients", user="clients")  # the superuser's stay free
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> 'postgres'"
    with suppress(psycopg2.OperationalError):
        while True:
            stack.enter_context(closing(psycopg2.connect(url)))
    system.database.query("postgres", f"{others} AND application_name <> ''")
    with suppress(psycopg2.OperationalError):
        while True:
            stack.enter_context(closing(psycopg2.connect(url)))


def _attempts(driver: LoadDriver, kind: str, elements: set[str] | None = None) -> list[Attempt]:
    """Return the attempts of one kind, for these elements if any are given."""
    attempts = (a for a in read(driver.history) if a.kind == kind)
    return [a for a in attempts if elements is None or a.element in elements]
