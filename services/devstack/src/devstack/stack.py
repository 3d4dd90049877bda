"""The whole system: which processes there are, how each is told what it needs, and their order."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence

import httpx

from devstack import ingress, prefork
from devstack.data_folder import DataFolder
from devstack.postgres import Postgres
from devstack.service_catalog import CONTRACTS, ROOT, SERVICES, relays
from devstack.supervisor import Child, ChildDiedError, Launch, Supervisor, execute

READY_WITHIN = 60.0  # seconds
STOP_WITHIN = 8.0  # seconds for the processes; PostgreSQL has its own time after them

# glibc keeps an arena a thread and the large blocks that argon2 gives back: not on one machine
FRUGAL = {
    "MALLOC_ARENA_MAX": str(prefork.ARENAS),
    "MALLOC_MMAP_THRESHOLD_": str(prefork.MMAP_THRESHOLD),
}


class StackError(Exception):
    """The system cannot start; the message says why and what to do."""


class Stack:
    """Everything that `make run` runs."""

    def __init__(
        self,
        data: DataFolder,
        port: int,
        validation: str,
        *,
        metrics: bool = False,
        say: Callable[[str], None],
        pause: Callable[[float], None],
        launch: Launch = execute,
    ) -> None:
        """Serve on ``port`` of 127.0.0.1, with what outlives a run in ``data``.

        ``say`` shows progress; ``pause`` waits some seconds, and raises to end the start;
        ``launch`` starts the Python programs. With ``metrics`` every service and relay tells what
        it counts, on a port of its own that the data folder names.
        """
        self.url = f"http://127.0.0.1:{port}"
        self.supervisor = Supervisor()
        self._data = data
        self._port = port
        self._validation = validation
        self._say = say
        self._pause = pause
        self._launch = launch
        self.postgres = Postgres(data.postgres, data.logs / "postgres.log")
        scraped = (*SERVICES, *(f"{name}-relay" for name in relays())) if metrics else ()
        ports = free_ports(len(SERVICES) + len(scraped))
        self._ports = dict(zip(SERVICES, ports, strict=False))
        self._scraped = dict(zip(scraped, ports[len(SERVICES) :], strict=True))

    @property
    def bases(self) -> Mapping[str, str]:
        """The URL of each service by itself, which no ingress stands before."""
        return {name: f"http://127.0.0.1:{port}" for name, port in self._ports.items()}

    def start(self) -> None:
        """Start everything, and return when all of it answers."""
        self._start_postgres()
        self._pause(0)
        self._say("migrating the databases")
        self._migrate()
        self._make_signing_key()
        self._pause(0)
        self._say("starting the services, the relays and the ingress")
        self._name_targets()
        server = ["gunicorn", "-c", str(ROOT / "services" / "gunicorn.conf.py")]
        for name in SERVICES:
            self._start_seen(name, [*server, f"{name}.app:create_app()"], name)
        for name in relays():
            self._start_seen(f"{name}-relay", [f"{name}.relay"], name)
        databases = [f"{name}={self._settings(name)['DATABASE_URL']}" for name in SERVICES]
        self._start("purge", ["devstack.purge", *databases], FRUGAL)
        collector = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "")
        command = ingress.command(self._data.traefik, self._port, self._ports, collector)
        self.supervisor.start(Child("the ingress", command, self._data.logs / "ingress.log"))
        self._wait_until_ready()

    def prove(self) -> None:
        """Replay every journey once, as the monitors do; raise ``StackError`` when one fails."""
        self._do("journeys", ["devstack.smoke_test", self.url, str(self._data.monitor)])

    def check(self) -> None:
        """Raise ``ChildDiedError`` when a part of the system has ended by itself."""
        self.supervisor.check()
        if self.postgres.ended():
            message = f"PostgreSQL ended; its log is {self.postgres.log}. The data is kept"
            raise ChildDiedError(message)

    def revive(self, held: Collection[str] = ()) -> list[str]:
        """Start again what has ended, but for the parts ``held`` down; return their names.

        Raises:
            PostgresError: the database does not start.

        """
        revived = self.supervisor.revive(held)
        if self.postgres.ended():
            self.postgres.start()
            revived.append("PostgreSQL")
        return revived

    def run(self, name: str, module: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command of a service to its end, with that service's settings."""
        command = [sys.executable, "-m", module, *options]
        environ = {**os.environ, **self._settings(name)}
        return subprocess.run(command, check=False, capture_output=True, text=True, env=environ)  # noqa: S603 - ours

    def stop(self) -> None:
        """Stop everything: first who calls, last who is called."""
        self.supervisor.stop(STOP_WITHIN)
        self.postgres.stop()

    def _start_postgres(self) -> None:
        if not self._data.postgres.exists():
            self._say("making a PostgreSQL 18 database")
        self.postgres.initialise()
        self._say("starting PostgreSQL")
        self.postgres.start()
        known = {str(row[0]) for row in self.postgres.execute("SELECT datname FROM pg_database")}
        for name in SERVICES:
            if name not in known:
                # the folder's permissions guard the socket: no other account reaches it
                self.postgres.execute(f'DROP ROLE IF EXISTS "{name}"')
                self.postgres.execute(f'CREATE ROLE "{name}" LOGIN')
                self.postgres.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')

    def _migrate(self) -> None:
        databases = [f"{name}={self.postgres.url(name, user=name)}" for name in SERVICES]
        self._do("migrations", ["devstack.migrate", *databases])

    def _make_signing_key(self) -> None:
        if not (self._data.keys / "current").exists():
            self._do("keys", ["auth.keys", "new", "--dir", str(self._data.keys)])

    def _do(self, name: str, program: Sequence[str]) -> None:
        """Run a program that ends by itself."""
        child = self._python(name, program, {})
        child.start()
        try:
            while not child.ended():
                self._pause(0.02)
        finally:
            child.signal(signal.SIGTERM)
        if child.exit_code():
            message = f"the {name} failed; the log is {child.log}{child.last_words()}"
            raise StackError(message)

    def _name_targets(self) -> None:
        """Write down where the metrics are, as Prometheus reads it (``file_sd_configs``)."""
        groups = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"job": name}}
            for name, port in self._scraped.items()
        ]
        self._data.metrics.write_text(json.dumps(groups, indent=2))

    def _start_seen(self, name: str, program: Sequence[str], service: str) -> None:
        port = self._scraped.get(name)
        bind = f"127.0.0.1:{port}" if port else ""  # one for all would mix up their answers
        self._start(name, program, {**self._settings(service), "METRICS_BIND": bind})

    def _start(self, name: str, program: Sequence[str], environ: Mapping[str, str]) -> None:
        self.supervisor.start(self._python(name, program, environ))

    def _python(self, name: str, program: Sequence[str], environ: Mapping[str, str]) -> Child:
        command = [sys.executable, "-m", *program]
        return Child(name, command, self._data.logs / f"{name}.log", environ, self._launch)

    def _settings(self, name: str) -> Mapping[str, str]:
        bases = self.bases
        return {
            **FRUGAL,
            "PIN_WORKERS": "never",  # the services share the cores with each other and all else
            "DATABASE_URL": self.postgres.url(name, user=name),
            "CONTRACTS_DIR": str(CONTRACTS),
            "VALIDATION": self._validation,
            "BIND": f"127.0.0.1:{self._ports[name]}",
            "JWKS_URL": f"{bases['auth']}/users/jwks.json",
            "TOKEN_URL": f"{bases['auth']}/users/token",
            "SERVICE_CLIENT_ID": name,
            "SERVICE_CLIENT_SECRET_FILE": str(self._data.oauth_clients / name),
            "KEYS_DIR": str(self._data.keys),
            "OAUTH_CLIENTS_DIR": str(self._data.oauth_clients),
            **{f"{peer.upper()}_URL": base for peer, base in bases.items()},
        }

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        urls = [f"{base}/-/ready" for base in self.bases.values()]
        waiting = [*urls, f"{self.url}/users/health"]
        with httpx.Client(timeout=1) as client:
            while waiting:
                self.check()
                if time.monotonic() > deadline:
                    late = f"{waiting[0]} was not ready in {READY_WITHIN:.0f} s"
                    message = f"{late}; the reason is in {self._data.logs}"
                    raise StackError(message)
                waiting = [url for url in waiting if not _answers(client, url)]
                self._pause(0.05)


def free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def check_port(port: int) -> None:
    """Raise ``StackError`` when somebody listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            message = (
                f"port {port} cannot be used ({error.strerror}): "
                "stop what listens there, or name another one with PORT=..."
            )
            raise StackError(message) from error


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False
