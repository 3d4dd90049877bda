"""A pytest plugin with a PostgreSQL server for the whole run, and folders open to its account."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devstack.postgres import Postgres

FOLDER_VARIABLE = "CADASTRO_TEST_POSTGRES"
LOGS_VARIABLE = "CADASTRO_TEST_LOGS"  # the folder for the logs of a test run

# test data need not survive a crash
FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "400",
    "shared_buffers": "64MB",
}

_numbers = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    """Start the server in the main process, before the workers of pytest-xdist."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    folder = Path(tempfile.mkdtemp(prefix="cadastro-test-"))
    folder.chmod(0o711)  # for the account of the server
    server = Postgres(folder / "pg", folder / "postgres.log", FAST_SETTINGS)
    server.initialise()
    server.start()
    os.environ[FOLDER_VARIABLE] = str(folder / "pg")

    def stop() -> None:
        server.stop()
        if LOGS_VARIABLE in os.environ:
            shutil.copy(server.log, Path(os.environ[LOGS_VARIABLE]) / "postgres.log")
        shutil.rmtree(folder, ignore_errors=True)

    config.add_cleanup(stop)


@pytest.fixture(scope="session")
def postgres_url_factory() -> Iterator[Callable[..., str]]:
    """Return a function that creates a database and returns its URL.

    It is empty, or a copy of the database at the URL in the argument, which must have no sessions.
    """
    folder = Path(os.environ[FOLDER_VARIABLE])
    server = Postgres(folder, folder.parent / "postgres.log")
    created: list[str] = []

    def create(original: str = "") -> str:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        template = urlsplit(original).path.removeprefix("/") or "template1"
        # the default strategy writes each page to the WAL, at four times the CPU time
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        created.append(name)
        return server.url(name)

    yield create
    for name in created:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def traversable_folder() -> Iterator[Path]:
    """Create a folder open to the account of PostgreSQL, and remove it afterwards.

    Folders of pytest do not work: each start of pytest closes them to other accounts.
    """
    folder = Path(tempfile.mkdtemp(prefix="cadastro-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """Path of a data folder that does not exist yet."""
    with traversable_folder() as folder:
        yield folder / "data"
