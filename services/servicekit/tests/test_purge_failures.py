"""Failed sweeps name their reason on standard error, which becomes the termination message."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

SERVICES = ("auth", "clients", "inventory", "products")
PASSWORD = "hunter2"
USER = f"someone:{PASSWORD}"
REFUSED = f"postgresql://{USER}@127.0.0.1:9/nothing"


def purge(service: str, url: str) -> subprocess.CompletedProcess[str]:
    """Run the sweep of a service, and return its exit code and output."""
    return subprocess.run(
        [sys.executable, "-m", f"{service}.purge"],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_sweep_without_a_database_names_the_reason(service: str) -> None:
    done = purge(service, REFUSED)
    assert done.returncode == 75
    expected = f"cannot purge {service}: the database is unavailable: Connection refused\n"
    assert done.stderr == expected
    assert done.stdout == ""


@pytest.mark.parametrize("service", SERVICES)
def test_a_sweep_before_the_migration_names_the_missing_table(
    postgres_url_factory: Callable[[], str], service: str
) -> None:
    done = purge(service, postgres_url_factory())
    assert done.returncode == 70
    start = f"cannot purge {service}: the database rejected a statement: relation"
    assert done.stderr.startswith(start)
    assert done.stderr.endswith("does not exist\n")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"path": "/nothing"}, 'FATAL:  database "nothing" does not exist'),
        ({"netloc": "stranger@"}, 'FATAL:  role "stranger" does not exist'),
        ({"query": "host=/nowhere"}, "unavailable: No such file or directory"),
    ],
    ids=["database", "user", "socket"],
)
def test_the_reason_is_the_one_of_the_server_or_the_system(
    postgres_url_factory: Callable[[], str], changes: dict[str, str], reason: str
) -> None:
    done = purge("products", urlsplit(postgres_url_factory())._replace(**changes).geturl())
    assert done.returncode == 75
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_sweep_of_a_silent_server_ends_with_a_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        done = purge("products", f"postgresql://{USER}@127.0.0.1:{port}/nothing")
    assert done.returncode == 75
    assert done.stderr.startswith("cannot purge products: the database is unavailable: ")
    assert PASSWORD not in done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_a_sweep_without_a_setting_names_it(service: str) -> None:
    done = purge(service, f"mysql://{USER}@db/nothing")
    assert done.returncode == 78
    assert "DATABASE_URL" in done.stderr
    assert PASSWORD not in done.stderr
