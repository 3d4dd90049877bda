"""The processes of the whole system, with their settings and start order."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import httpx

from devstack import databases, ingress, prefork
from devstack.data_folder import DataFolder
from devstack.postgres import Postgres
from devstack.service_catalog import CONTRACTS, ROOT, SERVICES, relays, routes
from devstack.supervisor import (
    ChildProcess,
    Launch,
    ProcessExitedError,
    Supervisor,
    launch_program,
)

START_TIMEOUT_SECONDS = 60.0
RECONCILE_AT_MOST = 1000  # ids of missing clients, or products
STOP_TIMEOUT_SECONDS = 8.0  # of the processes; PostgreSQL has its own timeout

# by default, glibc keeps an arena for each thread and the large blocks that argon2 frees
MALLOC_SETTINGS = {
    "MALLOC_ARENA_MAX": str(prefork.MALLOC_ARENAS),
    "MALLOC_MMAP_THRESHOLD_": str(prefork.MALLOC_MMAP_THRESHOLD),
}


class StackError(Exception):
    """The system cannot start; the message has the reason and a remedy."""


class Stack:
    """All processes of `make run`."""

    def __init__(
        self,
        data: DataFolder,
        port: int,
        validation: str,
        *,
        metrics: bool = False,
        report: Callable[[str], None],
        sleep: Callable[[float], None],
        launch: Launch = launch_program,
    ) -> None:
        """Configure a system on ``port`` of 127.0.0.1, with persistent data in ``data``.

        ``report`` receives progress messages. ``sleep`` may raise to cancel the start. ``launch``
        starts the Python programs. With ``metrics``, each service and relay serves metrics on a
        port that the data folder lists.
        """
        self.url = f"http://127.0.0.1:{port}"
        self.supervisor = Supervisor()
        self._data = data
        self._port = port
        self._validation = validation
        self._report = report
        self._sleep = sleep
        self._launch = launch
        self.postgres = Postgres(data.postgres, data.logs / "postgres.log")
        scraped = (*SERVICES, *(f"{name}-relay" for name in relays())) if metrics else ()
        self._unavailable_port, *ports = free_ports(1 + len(SERVICES) + len(scraped))
        self._ports = dict(zip(SERVICES, ports, strict=False))
        self._metrics_ports = dict(zip(scraped, ports[len(SERVICES) :], strict=True))

    @property
    def bases(self) -> Mapping[str, str]:
        """The base URL of each service, without the ingress."""
        return {name: f"http://127.0.0.1:{port}" for name, port in self._ports.items()}

    def start(self) -> None:
        """Start all processes, and return when the system is ready."""
        self._start_postgres()
        self._sleep(0)
        self._report("migrating the databases")
        self._migrate()
        self._create_signing_key()
        self._sleep(0)
        self._report("starting the services, the relays and the ingress")
        self._write_metrics_targets()
        server = ["gunicorn", "-c", str(ROOT / "services" / "gunicorn.conf.py")]
        for name in SERVICES:
            self._start_with_metrics(name, [*server, f"{name}.app:create_app()"], name)
        for name in relays():
            self._start_with_metrics(f"{name}-relay", [f"{name}.relay"], name)
        urls = [f"{name}={self._settings(name)['DATABASE_URL']}" for name in SERVICES]
        self._start("purge", ["devstack.purge", *urls], MALLOC_SETTINGS)
        self._start_ingress()
        self._wait_until_ready()

    def run_smoke_test(self) -> None:
        """Replay each journey once like the monitors; raise ``StackError`` if one fails."""
        self._run_program("journeys", ["devstack.smoke_test", self.url, str(self._data.monitor)])

    def reconcile(self, at_most: int = RECONCILE_AT_MOST) -> tuple[int, dict[str, Any]]:
        """Reconcile the inventory after a restore, and return the exit code and the report.

        Raises:
            StackError: there is no report; the next start tries again.

        """
        options = ("--grace", "0", "--at-most", str(at_most))
        done = self.run("inventory", "inventory.reconcile", *options)
        if not done.stdout:
            raise StackError(f"the inventory could not be reconciled: {done.stderr[-300:]}")
        self._data.unreconciled.unlink(missing_ok=True)
        return done.returncode, json.loads(done.stdout)

    def check(self) -> None:
        """Raise ``ProcessExitedError`` if a process has exited."""
        self.supervisor.check()
        if self.postgres.has_exited():
            raise ProcessExitedError(
                f"PostgreSQL ended; its log is {self.postgres.log}. The data is kept"
            )

    def restart_exited(self, stopped: Collection[str] = ()) -> list[str]:
        """Restart exited processes except ``stopped`` ones, and return their names.

        Raises:
            PostgresError: the database does not start.

        """
        restarted = self.supervisor.restart_exited(stopped)
        if self.postgres.has_exited():
            self.postgres.start()
            restarted.append("PostgreSQL")
        return restarted

    def run(self, name: str, module: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command with the settings of a service until it exits."""
        command = [sys.executable, "-m", module, *options]
        environ = {**os.environ, **self._settings(name)}
        return subprocess.run(command, check=False, capture_output=True, text=True, env=environ)  # noqa: S603 - ours

    def stop(self) -> None:
        """Stop all processes, callers before the services that they call."""
        self.supervisor.stop(STOP_TIMEOUT_SECONDS)
        self.postgres.stop()

    def _start_postgres(self) -> None:
        for sentence in self._data.repairs:
            self._report(sentence)
        if not self._data.postgres.exists():
            self._report("making a PostgreSQL 18 database")
        self.postgres.initialise()
        self._report("starting PostgreSQL")
        self.postgres.start()
        if left := databases.drop_leftovers(self.postgres):
            self._report(f"a restore was killed; its copies were removed: {', '.join(left)}")
        databases.create_missing(self.postgres)

    def _migrate(self) -> None:
        urls = [f"{name}={self.postgres.url(name, user=name)}" for name in SERVICES]
        self._run_program("migrations", ["devstack.migrate", *urls])

    def _create_signing_key(self) -> None:
        if not (self._data.keys / "current").exists():
            self._run_program("keys", ["auth.keys", "new", "--dir", str(self._data.keys)])

    def _run_program(self, name: str, program: Sequence[str]) -> None:
        """Run a program until it exits; raise ``StackError`` if it fails."""
        child = self._python(name, program, {})
        child.start()
        try:
            while not child.has_exited():
                self._sleep(0.02)
        finally:
            child.signal(signal.SIGTERM)
        if child.exit_code():
            raise StackError(f"the {name} failed; the log is {child.log}{child.log_tail()}")

    def _start_ingress(self) -> None:
        program = ["devstack.unavailable", str(self._unavailable_port)]
        self._start("unavailable", program, MALLOC_SETTINGS)
        command = ingress.configure(
            self._data.traefik,
            self._port,
            self._ports,
            self._unavailable_port,
            os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        )
        log = self._data.logs / "ingress.log"
        self.supervisor.start(ChildProcess("the ingress", command, log))

    def _write_metrics_targets(self) -> None:
        """Write the metrics addresses in Prometheus' format (``file_sd_configs``)."""
        groups = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"job": name}}
            for name, port in self._metrics_ports.items()
        ]
        self._data.metrics.write_text(json.dumps(groups, indent=2))

    def _start_with_metrics(self, name: str, program: Sequence[str], service: str) -> None:
        port = self._metrics_ports.get(name)
        bind = f"127.0.0.1:{port}" if port else ""  # each process needs its own port
        self._start(name, program, {**self._settings(service), "METRICS_BIND": bind})

    def _start(self, name: str, program: Sequence[str], environ: Mapping[str, str]) -> None:
        self.supervisor.start(self._python(name, program, environ))

    def _python(
        self, name: str, program: Sequence[str], environ: Mapping[str, str]
    ) -> ChildProcess:
        command = [sys.executable, "-m", *program]
        log = self._data.logs / f"{name}.log"
        return ChildProcess(name, command, log, environ, self._launch)

    def _settings(self, name: str) -> Mapping[str, str]:
        bases = self.bases
        return {
            **MALLOC_SETTINGS,
            "DATABASE_URL": self.postgres.url(name, user=name),
            "CONTRACTS_DIR": str(CONTRACTS),
            "VALIDATION": self._validation,
            "BIND": f"127.0.0.1:{self._ports[name]}",
            "INSTANCE": name,
            "JWKS_URL": f"{bases['auth']}/users/jwks.json",
            "TOKEN_URL": f"{bases['auth']}/users/token",
            "SERVICE_CLIENT_ID": name,
            "SERVICE_CLIENT_SECRET_FILE": str(self._data.oauth_clients / name),
            "KEYS_DIR": str(self._data.keys),
            "OAUTH_CLIENTS_DIR": str(self._data.oauth_clients),
            **{f"{peer.upper()}_URL": base for peer, base in bases.items()},
        }

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        urls = [f"{base}/-/ready" for base in self.bases.values()]
        urls += [f"{self.url}{prefixes[-1]}/health" for prefixes in routes().values()]
        pending = urls
        with httpx.Client(timeout=1, trust_env=False) as client:
            while pending:
                self.check()
                if time.monotonic() > deadline:
                    raise StackError(
                        f"{pending[0]} was not ready in {START_TIMEOUT_SECONDS:.0f} s; "
                        f"the reason is in {self._data.logs}"
                    )
                pending = [url for url in pending if not _is_successful(client, url)]
                self._sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Return TCP ports of 127.0.0.1 on which no process listens."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def check_port(port: int) -> None:
    """Raise ``StackError`` if the port is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StackError(
                f"port {port} cannot be used ({error.strerror}): "
                "stop what listens there, or name another one with PORT=..."
            ) from error


def _is_successful(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False
