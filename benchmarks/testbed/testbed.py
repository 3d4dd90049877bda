"""Where the variants meet: one PostgreSQL, one table, auth, and each server on the same core."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx
import psutil
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from benchmarks.paths import ROOT
from benchmarks.progress import BenchError, say
from benchmarks.testbed.clients_table import Rows
from benchmarks.testbed.variants import Variant
from devstack.postgres import Postgres
from devstack.stack import free_ports
from devstack.supervisor import Child, Supervisor

PATIENCE = 120.0  # seconds for a server to answer
PATH = "/clients/fetch?limit=1"  # of the first request to a server
LOG_LINES = {"LOG_LEVEL": "INFO"}  # ours writes its line a request, as it does in use
MEMORY = {"shared_buffers": "1GB", "max_connections": "200", "max_wal_size": "4GB"}


class Arena:
    """Everything that runs beside a measurement; a context manager."""

    def __init__(self) -> None:
        """Take two cores: one for the server, one for PostgreSQL and the load."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:  # noqa: PLR2004 - the server's and the load's
            message = "two cores are needed: one for the server, one for PostgreSQL and the load"
            raise BenchError(message)
        self.server_cores, self.load_core = cores[:1], cores[-1]
        self.two_cores = cores[:2]  # free ones where there are three
        self.folder = Path(tempfile.mkdtemp(prefix="cadastro-bench-"))
        self.folder.chmod(0o711)  # PostgreSQL's own account passes through
        self.keys = self.folder / "keys"
        self.ports: dict[str, int] = {}
        self.children: dict[str, Child] = {}
        self.cores: dict[str, Sequence[int]] = {}  # that each child was given
        self.token = ""
        self._supervisor = Supervisor()
        self._postgres = Postgres(self.folder / "pg", self.folder / "postgres.log", MEMORY)

    def __enter__(self) -> Self:
        """Start PostgreSQL and auth, and log in."""
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything and leave nothing behind."""
        self._supervisor.stop(8)
        self._postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def rows(self) -> Rows:
        """The table that all variants share."""
        return Rows(self.database_url("clients"))

    @property
    def postgres_folder(self) -> Path:
        """Where PostgreSQL's socket is."""
        return self._postgres.folder

    @property
    def postgres_process(self) -> psutil.Process:
        """PostgreSQL's first process, of which all others are children."""
        assert self._postgres.process is not None  # noqa: S101 - it was started
        return psutil.Process(self._postgres.process.pid)

    def process(self, name: str) -> psutil.Process:
        """Return the first process of a server that runs."""
        process = self.children[name].process
        assert process is not None  # noqa: S101 - it was started
        return psutil.Process(process.pid)

    def add_clients(self, database: str) -> Rows:
        """Make one more database of clients, and return its table."""
        self._postgres.execute(f"CREATE DATABASE {database}")
        url = self.database_url(database)
        self._run("-m", "devstack.migrate", f"clients={url}")
        return Rows(url)

    def database_url(self, name: str) -> str:
        """Return where a service's database is."""
        return self._postgres.url(name)

    def start(
        self,
        variant: Variant,
        more: Mapping[str, str] | None = None,
        *,
        name: str = "",
        cores: Sequence[int] = (),
    ) -> None:
        """Start a server and wait until it answers; raises ``BenchError``.

        ``more`` are settings, ``name`` tells several of one variant apart, and ``cores`` are other
        ones than the server's.
        """
        name = name or variant.name
        say(f"starting {variant.title}" + (f": {name}" if name != variant.name else ""))
        self.begin(variant, name, cores, more or {})
        self._wait(name, f"http://127.0.0.1:{self.ports[name]}{PATH}")

    def begin(
        self, variant: Variant, name: str, cores: Sequence[int], more: Mapping[str, str]
    ) -> None:
        """Start a server, and do not wait."""
        port = self.ports.setdefault(name, free_ports(1)[0])
        environ = variant.environ(port, {**self.settings("clients"), **more})
        self.launch(name, variant.command(port), environ, cores)

    def stop(self, name: str) -> None:
        """Stop one server."""
        child = self.children.pop(name)
        child.signal(signal.SIGTERM)
        assert child.process is not None  # noqa: S101 - it was started
        child.process.wait(PATIENCE)

    def launch(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        cores: Sequence[int],
    ) -> None:
        """Start a process of this name on these cores; on the server's when there are none."""
        self.cores[name] = cores or self.server_cores
        pinned = ["taskset", "-c", ",".join(map(str, self.cores[name])), *command]
        child = Child(name, pinned, self.folder / f"{name}.log", environ)
        self.children[name] = self._supervisor.start(child)

    def start_service(self, name: str) -> None:
        """Start one more of our services on its own database; raises ``BenchError``."""
        port = self.ports[name]
        gunicorn = str(Path(sys.executable).with_name("gunicorn"))
        configuration = str(ROOT / "services" / "gunicorn.conf.py")
        command = [gunicorn, "-c", configuration, f"{name}.app:create_app()"]
        environ = {**self.settings(name), "BIND": f"127.0.0.1:{port}"}
        self.launch(name, command, environ, ())
        self._wait(name, f"http://127.0.0.1:{port}/-/ready")

    def start_responder(self) -> None:
        """Start the server that does nothing, as `responder`."""
        port = self.ports.setdefault("responder", free_ports(1)[0])
        command = [sys.executable, "-m", "benchmarks.testbed.null_server", str(port)]
        self.launch("responder", command, {"PYTHONPATH": str(ROOT)}, ())
        self._wait("responder", f"http://127.0.0.1:{port}/")

    def make_product(self) -> int:
        """Make a product that clients can buy, and return its id."""
        product = {"name": "Teclado", "description": "", "quantity": 1, "price": 1, "status": True}
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"http://127.0.0.1:{self.ports['products']}/products/create"
        return int(httpx.post(url, json=product, headers=headers).raise_for_status().json()["id"])

    def _start(self) -> None:
        say("starting PostgreSQL and auth")
        self._postgres.initialise()
        self._postgres.start()
        self.postgres_process.cpu_affinity([self.load_core])  # its backends inherit it
        names = ("auth", "clients", "products", "inventory")
        self.ports.update(zip(names, free_ports(len(names)), strict=True))
        for name in names:
            self._postgres.execute(f"CREATE DATABASE {name}")
        migrations = [f"{name}={self.database_url(name)}" for name in names]
        self._run("-m", "devstack.migrate", *migrations)
        self._run("-m", "auth.keys", "new", "--dir", str(self.keys))
        self._publish_key()
        self.start_service("auth")
        self.token = self._log_in()

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, *arguments], check=False, capture_output=True, text=True
        )
        if done.returncode:
            message = f"python {' '.join(arguments[:3])} failed: {done.stderr[-500:]}"
            raise BenchError(message)

    def _publish_key(self) -> None:
        key = load_pem_private_key(next(self.keys.glob("*.pem")).read_bytes(), None)
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self.folder / "public.pem").write_bytes(pem)
        secrets = self.folder / "oauth-clients"
        secrets.mkdir()
        for name in ("clients", "products", "inventory"):
            (secrets / name).write_text("a-secret-of-this-run")

    def _log_in(self) -> str:
        base = f"http://127.0.0.1:{self.ports['auth']}/users"
        user = {"username": "bench", "password": "bench-of-this-run"}
        httpx.post(f"{base}/create", json=user).raise_for_status()
        answer = httpx.post(f"{base}/login", auth=(user["username"], user["password"]))
        return str(answer.raise_for_status().json()["token"])

    def settings(self, name: str) -> dict[str, str]:
        """Return what one of our services is told."""
        bases = {service: f"http://127.0.0.1:{port}" for service, port in self.ports.items()}
        secrets = self.folder / "oauth-clients"
        return {
            **LOG_LINES,
            "DATABASE_URL": self.database_url(name),
            "PUBLIC_KEY": str(self.folder / "public.pem"),
            "CONTRACTS_DIR": str(ROOT / "openapi"),
            "JWKS_URL": f"{bases['auth']}/users/jwks.json",
            "TOKEN_URL": f"{bases['auth']}/users/token",
            "SERVICE_CLIENT_ID": name,
            "SERVICE_CLIENT_SECRET_FILE": str(secrets / name),
            "KEYS_DIR": str(self.keys),
            "OAUTH_CLIENTS_DIR": str(secrets),
            "TOKEN_TTL": "86400",
            "INVENTORY_URL": bases["inventory"],
            "CLIENTS_URL": bases["clients"],
            "PRODUCTS_URL": bases["products"],
        }

    def _wait(self, name: str, url: str) -> None:
        """Wait until ``url`` answers well."""
        deadline = time.monotonic() + PATIENCE
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        while not _answers(url, headers):
            child = self.children[name]
            if child.ended() or time.monotonic() > deadline:
                message = f"{name} does not answer:{child.last_words()}"
                raise BenchError(message)
            time.sleep(0.05)


def _answers(url: str, headers: Mapping[str, str]) -> bool:
    try:
        return httpx.get(url, headers=headers).is_success
    except httpx.TransportError:
        return False
