"""Imports and garbage collection at the start of a service, and imports of a backup."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from servicekit.testing import FakeIssuer, gunicorn_server, peer_settings

pytestmark = pytest.mark.covers_subprocesses

UNUSED_BY_SERVICES = frozenset(
    {"httpx", "requests.sessions", "sqlalchemy.orm", "starlette.testclient"}
)
NEVER_USED = {
    **dict.fromkeys(
        ("auth.app", "clients.app", "products.app", "inventory.app"), UNUSED_BY_SERVICES
    ),
    "devstack.cluster.__main__": frozenset({"alembic", "connexion", "flask", "sqlalchemy"}),
}


def answer_of(program: str) -> object:
    """Run a program in a new process, and return its JSON output."""
    command = [sys.executable, "-W", "ignore", "-c", program]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


@pytest.mark.parametrize("program", NEVER_USED)
def test_a_start_does_not_import_unused_modules(program: str) -> None:
    loaded = answer_of(f"import json, sys, {program}; print(json.dumps(list(sys.modules)))")
    assert isinstance(loaded, list)
    assert not NEVER_USED[program] & set(loaded)


def test_connexion_is_complete_when_imported_after_its_parts() -> None:
    program = """
import json, servicekit.openapi.specification, connexion, connexion.json_schema, connexion.spec
print(json.dumps([
    connexion.FlaskApp("whole").add_api is not None,
    issubclass(servicekit.openapi.specification.Specification, connexion.spec.Specification),
    connexion.json_schema.requests.get.__module__,
]))
"""
    assert answer_of(program) == [True, True, "requests.api"]


@pytest.mark.parametrize("workers", [1, 2])
def test_garbage_collection_excludes_objects_of_the_start(
    workers: int, database_url: str, issuer: FakeIssuer, tmp_path: Path
) -> None:
    settings = peer_settings(
        issuer,
        database_url,
        tmp_path,
        INVENTORY_URL="http://127.0.0.1:9",
        WORKERS=str(workers),
    )
    application = "tests.support.clients.gc_stats_app:create_app()"
    with gunicorn_server("clients", settings, application) as service:
        stats = httpx.get(f"{service.url}/gc").json()
    assert stats["enabled"]
    assert stats["frozen"] > stats["tracked"] > 0
