"""The compared servers: Cadastro's clients service, and its peers."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.paths import PACKAGE, ROOT
from benchmarks.testbed.virtualenvs import python_of

OURS = "clients"  # the name of the service
ASYNC_WORKER = ("-k", "uvicorn_worker.UvicornWorker", "--keep-alive", "75")
THREADED_WORKER = ("-k", "gthread", "--threads", "4", "--keep-alive", "75")


@dataclass(frozen=True)
class Variant:
    """One server; a peer has the name of its folder."""

    name: str
    title: str
    gunicorn_options: tuple[str, ...] = ()

    def command(self, port: int) -> list[str]:
        """Return the command that serves on a port of 127.0.0.1; creates a peer's environment."""
        if self.name == OURS:
            return gunicorn_command(OURS)
        python = str(python_of(PACKAGE / "peers" / self.name / "requirements.lock"))
        module = f"benchmarks.peers.{self.name}.app:app"
        options = ["--no-control-socket", "--bind", f"127.0.0.1:{port}", *self.gunicorn_options]
        return [python, "-m", "gunicorn.app.wsgiapp", *options, module]

    def environ(self, port: int, settings: Mapping[str, str]) -> dict[str, str]:
        """Return the environment variables of the server, with ``settings``."""
        environ = {**settings, "BIND": f"127.0.0.1:{port}"}
        if self.name != OURS:  # a peer's environment has none of this repository's packages
            environ["PYTHONPATH"] = os.fspath(ROOT)
        return environ


def gunicorn_command(service: str) -> list[str]:
    """Return the command of a service, with the deployed configuration."""
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    configuration = str(ROOT / "services" / "gunicorn.conf.py")
    return [gunicorn, "-c", configuration, f"{service}.app:create_app()"]


CADASTRO = Variant(OURS, "Cadastro")
VARIANTS = (
    CADASTRO,
    Variant("connexion_stock", "Connexion, unmodified, ORM", ASYNC_WORKER),
    Variant("flask_gthread", "Flask on threads, ORM", THREADED_WORKER),
    Variant("fastapi_sync", "FastAPI, sync ORM", ASYNC_WORKER),
    Variant("fastapi_asyncpg", "FastAPI, asyncpg, token cache", ASYNC_WORKER),
)
