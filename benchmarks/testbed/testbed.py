"""The testbed of all benchmarks: PostgreSQL, auth, one table, and servers on the same core."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx
import psutil

from benchmarks.paths import ROOT
from benchmarks.progress import BenchmarkError, report
from benchmarks.testbed.clients_table import ClientsTable
from benchmarks.testbed.servers import Servers
from benchmarks.testbed.service_credentials import Credentials
from benchmarks.testbed.variants import Variant, gunicorn_command
from devstack.postgres import Postgres

PROBE_PATH = "/clients/fetch?limit=1"  # the first request to a server
POSTGRES_SETTINGS = {"shared_buffers": "1GB", "max_connections": "200", "max_wal_size": "4GB"}
SERVICES = ("auth", "clients", "products", "inventory")
NULL_SERVER = "null_server"


class Testbed:
    """A context manager that runs PostgreSQL, auth, and the servers to measure."""

    def __init__(self) -> None:
        """Choose two cores: one for the server, one for PostgreSQL and the load generator."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:  # noqa: PLR2004 - the server's and the load's
            raise BenchmarkError(
                "two cores are needed: one for the server, one for PostgreSQL and the load"
            )
        self.server_cores, self.load_core = cores[:1], cores[-1]
        self.two_cores = cores[:2]  # without the load's core where there are three
        self.token = ""
        self._folder = Path(tempfile.mkdtemp(prefix="cadastro-bench-"))
        self._folder.chmod(0o711)  # PostgreSQL's own account needs to traverse it
        self.servers = Servers(self._folder, self.server_cores)
        self.credentials = Credentials(self._folder)
        self._postgres = Postgres(
            self._folder / "pg", self._folder / "postgres.log", POSTGRES_SETTINGS
        )

    def __enter__(self) -> Self:
        """Start PostgreSQL and auth, and log in."""
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything and delete the data."""
        self.servers.stop_all()
        self._postgres.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def table(self) -> ClientsTable:
        """The table that all variants share."""
        return ClientsTable(self.database_url("clients"))

    @property
    def postgres_folder(self) -> Path:
        """The folder of PostgreSQL's socket."""
        return self._postgres.folder

    @property
    def postgres_process(self) -> psutil.Process:
        """PostgreSQL's postmaster, the parent of its backends."""
        assert self._postgres.process is not None  # noqa: S101 - it was started
        return psutil.Process(self._postgres.process.pid)

    def database_url(self, name: str) -> str:
        """Return the URL of a service's database."""
        return self._postgres.url(name)

    def create_clients_table(self, database: str) -> ClientsTable:
        """Create one more database of clients, and return its empty table."""
        self._postgres.execute(f"CREATE DATABASE {database}")
        url = self.database_url(database)
        self._run_module("devstack.migrate", f"clients={url}")
        return ClientsTable(url)

    def start(
        self,
        variant: Variant,
        settings: Mapping[str, str] | None = None,
        *,
        name: str = "",
        cores: Sequence[int] = (),
    ) -> None:
        """Start a server and wait until it is ready.

        Args:
            variant: the server.
            settings: environment variables beside the common ones.
            name: distinguishes several servers of one variant.
            cores: other cores than the server core.

        Raises:
            BenchmarkError: the server is not ready in time.

        """
        name = name or variant.name
        report(f"starting {variant.title}" + (f": {name}" if name != variant.name else ""))
        self.launch(variant, name, settings or {}, cores)
        self._wait_until_ready(name, PROBE_PATH)

    def launch(
        self, variant: Variant, name: str, settings: Mapping[str, str], cores: Sequence[int] = ()
    ) -> None:
        """Start a server without waiting until it is ready."""
        self.servers.reserve(name)
        port = self.servers.ports[name]
        environ = variant.environ(port, {**self.settings("clients"), **settings})
        self.servers.launch(name, variant.command(port), environ, cores)

    def start_service(self, name: str) -> None:
        """Start another service of Cadastro on its own database.

        Raises:
            BenchmarkError: it is not ready in time.

        """
        environ = {**self.settings(name), "BIND": f"127.0.0.1:{self.servers.ports[name]}"}
        self.servers.launch(name, gunicorn_command(name), environ)
        self._wait_until_ready(name, "/-/ready")

    def start_null_server(self) -> None:
        """Start the server with a constant response, on the server core."""
        self.servers.reserve(NULL_SERVER)
        port = str(self.servers.ports[NULL_SERVER])
        command = [sys.executable, "-m", "benchmarks.testbed.null_server", port]
        self.servers.launch(NULL_SERVER, command, {})
        self._wait_until_ready(NULL_SERVER, "/")

    def create_product(self) -> int:
        """Create a product that clients can buy, and return its id."""
        product = {"name": "Teclado", "description": "", "quantity": 1, "price": 1, "status": True}
        url = f"{self.servers.url('products')}/products/create"
        response = httpx.post(url, json=product, headers=self._authorization())
        return int(response.raise_for_status().json()["id"])

    def settings(self, name: str) -> dict[str, str]:
        """Return the environment variables of one of Cadastro's services."""
        urls = {service: self.servers.url(service) for service in SERVICES}
        return {
            "LOG_LEVEL": "INFO",  # an access log line for each request, as deployed
            "DATABASE_URL": self.database_url(name),
            "CONTRACTS_DIR": str(ROOT / "openapi"),
            "JWKS_URL": f"{urls['auth']}/users/jwks.json",
            "TOKEN_URL": f"{urls['auth']}/users/token",
            "TOKEN_TTL": "86400",
            "INVENTORY_URL": urls["inventory"],
            "CLIENTS_URL": urls["clients"],
            "PRODUCTS_URL": urls["products"],
            **self.credentials.settings(name),
        }

    def _start(self) -> None:
        report("starting PostgreSQL and auth")
        self._postgres.initialise()
        self._postgres.start()
        self.postgres_process.cpu_affinity([self.load_core])  # backends inherit it
        self.servers.reserve(*SERVICES)
        for name in SERVICES:
            self._postgres.execute(f"CREATE DATABASE {name}")
        databases = [f"{name}={self.database_url(name)}" for name in SERVICES]
        self._run_module("devstack.migrate", *databases)
        self._run_module("auth.keys", "new", "--dir", str(self.credentials.keys))
        self.credentials.write()
        self.start_service("auth")
        self.token = self._log_in()

    def _wait_until_ready(self, name: str, path: str) -> None:
        self.servers.wait_until_ready(name, path, self._authorization())

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def _log_in(self) -> str:
        url = f"{self.servers.url('auth')}/users"
        user = {"username": "bench", "password": "bench-of-this-run"}
        httpx.post(f"{url}/create", json=user).raise_for_status()
        response = httpx.post(f"{url}/login", auth=(user["username"], user["password"]))
        return str(response.raise_for_status().json()["token"])

    def _run_module(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise BenchmarkError(f"python -m {module} failed: {done.stderr[-500:]}")
