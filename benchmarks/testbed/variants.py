"""Who is measured: Cadastro's own clients service, and its peers."""

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
    """One server; a peer's ``name`` is that of its folder."""

    name: str
    title: str
    options: tuple[str, ...] = ()  # gunicorn's

    def command(self, port: int) -> list[str]:
        """Return what starts it on a port of 127.0.0.1; a peer's environment is made if need be."""
        if self.name == OURS:
            gunicorn = str(Path(sys.executable).with_name("gunicorn"))
            configuration = str(ROOT / "services" / "gunicorn.conf.py")
            return [gunicorn, "-c", configuration, "clients.app:create_app()"]
        python = str(python_of(PACKAGE / "peers" / self.name / "requirements.lock"))
        module = f"benchmarks.peers.{self.name}.app:app"
        options = ["--no-control-socket", "--bind", f"127.0.0.1:{port}", *self.options]
        return [python, "-m", "gunicorn.app.wsgiapp", *options, module]

    def environ(self, port: int, settings: Mapping[str, str]) -> dict[str, str]:
        """Return the settings that it reads, besides the system's own."""
        return {**settings, "BIND": f"127.0.0.1:{port}", "PYTHONPATH": os.fspath(ROOT)}


VARIANTS = (
    Variant(OURS, "Cadastro"),
    Variant("connexion_stock", "Connexion as it comes, ORM", ASYNC_WORKER),
    Variant("flask_gthread", "Flask on threads, ORM", THREADED_WORKER),
    Variant("fastapi_sync", "FastAPI, sync ORM", ASYNC_WORKER),
    Variant("fastapi_asyncpg", "FastAPI, asyncpg, token cache", ASYNC_WORKER),
)
