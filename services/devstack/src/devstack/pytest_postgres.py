"""A pytest plugin: one real PostgreSQL for the whole run, and folders that it can get at."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devstack.postgres import Postgres

FOLDER = "CADASTRO_TEST_POSTGRES"
LOGS = "CADASTRO_TEST_LOGS"  # the folder for what a test run has logged

# nobody outlives a test run, so nothing needs to survive a crash of it
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "400",
    "shared_buffers": "64MB",
}

_numbers = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    """Start the server, in the process that all workers share: it must be there before them."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    folder = Path(tempfile.mkdtemp(prefix="cadastro-test-"))
    folder.chmod(0o711)  # the server's own account passes through
    server = Postgres(folder / "pg", folder / "postgres.log", FAST)
    server.initialise()
    server.start()
    os.environ[FOLDER] = str(folder / "pg")

    def stop() -> None:
        server.stop()
        if LOGS in os.environ:
            shutil.copy(server.log, Path(os.environ[LOGS]) / "postgres.log")
        shutil.rmtree(folder, ignore_errors=True)

    config.add_cleanup(stop)


@pytest.fixture(scope="session")
def postgres_url_factory() -> Iterator[Callable[[], str]]:
    """Make an empty database at each call, and return its URL."""
    folder = Path(os.environ[FOLDER])
    server = Postgres(folder, folder.parent / "postgres.log")
    made: list[str] = []

    def make() -> str:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        server.execute(f"CREATE DATABASE {name}")
        made.append(name)
        return server.url(name)

    yield make
    for name in made:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that PostgreSQL's own account can pass through, and remove it afterwards.

    It is not below pytest's own, which every pytest that starts shuts to others again: some tests
    start one.
    """
    folder = Path(tempfile.mkdtemp(prefix="cadastro-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A folder to be made, in one that PostgreSQL's own account can pass through."""
    with open_folder() as folder:
        yield folder / "data"
