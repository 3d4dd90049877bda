"""The acceptance suite, run as by `make robot`: it passes, and deletes its rows."""

import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psycopg2
import pytest

from devstack.postgres import Postgres
from devstack.pytest_postgres import traversable_folder
from devstack.service_catalog import SERVICES
from servicekit.openapi.contract import load_contract, operations
from servicekit.testing import StubHandler, environment
from tests.support.local_system import System, running

ROOT = Path(__file__).parents[2]
LEDGER = "CADASTRO_LEDGER"
SECRET = Path("secrets") / "oauth-clients" / "synthetic"
CONVERGENCE_SECONDS = 15.0  # until the relays have delivered the last deletions

# Tables of rows that the services retain for some time, and then purge.
RETAINED = {"idempotency_keys", "gone", "login_failures"}


def run_suite(
    url: str, secret: Path | None, reports: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run the suite against a system."""
    command = [sys.executable, "-m", "executar", "--url", url, "--segredo", str(secret or "")]
    return subprocess.run(
        [*command, "--relatorios", str(reports), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def count_rows(system: System) -> dict[str, int]:
    """Return the number of rows of each table; without users that expire."""
    server = Postgres(system.data / "postgres", system.data / "logs" / "postgres.log")
    counts = {}
    for service in SERVICES:
        with psycopg2.connect(server.url(service)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (table,) in cursor.fetchall():
                only = " WHERE expires_at IS NULL" if table == "users" else ""
                cursor.execute(f"SELECT count(*) FROM {table}{only}")  # noqa: S608 - its own names
                (counts[f"{service}.{table}"],) = cursor.fetchone() or (0,)
        connection.close()
    return counts


def growth(system: System, before: dict[str, int]) -> dict[str, int]:
    """Return the growth of each table, after the relays have delivered all messages."""
    deadline = time.monotonic() + CONVERGENCE_SECONDS
    while True:
        grown = {
            table: count - before[table]
            for table, count in count_rows(system).items()
            if count != before[table] and table.partition(".")[2] not in RETAINED
        }
        waiting = {"clients.outbox", "products.outbox", "inventory.items"} & grown.keys()
        if not waiting or time.monotonic() > deadline:
            return grown
        time.sleep(0.1)


@pytest.fixture
def coverage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for the operations that the suite covers, copied at the end."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    ledger = os.environ.get(LEDGER)
    monkeypatch.setenv(LEDGER, str(folder))
    yield folder
    for file in folder.iterdir() if ledger else ():
        shutil.copy(file, f"{ledger}/acceptance-{os.getpid()}-{file.name}")


def uncovered() -> dict[tuple[str, int], bool]:
    """Return the responses that the suite need not cover; True: may occur by chance."""
    reasons = tomllib.loads((ROOT / "robot" / "fora_de_alcance.toml").read_text())["razao"]
    listed: dict[tuple[str, int], bool] = {}
    used = set()
    for operation_id, status in declared():
        for number, reason in enumerate(reasons):
            named = any(fnmatch(operation_id, pattern) for pattern in reason["operacoes"])
            if named and reason["status"] == status:
                listed[operation_id, status] = reason.get("acaso", False)
                used.add(number)
    assert len(used) == len(reasons), "a reason applies to no response"
    return listed


def declared() -> set[tuple[str, int]]:
    """Return each status of each operation of the contracts."""
    return {
        (operation["operationId"], int(status))
        for path in (ROOT / "openapi").glob("*.yaml")
        for _, _, operation in operations(load_contract(path))
        for status in operation["responses"]
    }


@pytest.mark.slow
def test_the_suite_covers_the_contracts_and_deletes_its_rows(
    data_folder: Path, tmp_path: Path, coverage: Path
) -> None:
    with running(data_folder) as system:
        before = count_rows(system)
        done = run_suite(system.url, data_folder / SECRET, tmp_path / "reports")
        assert done.returncode == 0, done.stdout
        # the suite's user and the registered one: the contract has no operation to delete a user
        assert growth(system, before) == {"auth.users": 2}
    assert done.stderr.count("passou  ") > 200, done.stderr  # progress
    assert "O que falhou" not in done.stdout
    skipped = [line for line in done.stdout.splitlines() if "TOKEN_TTL" in line]
    assert len(skipped) == 2, done.stdout
    assert "4 foram pulados" in done.stdout
    reports = {path.name for path in (tmp_path / "reports").iterdir()}
    assert {"log.html", "report.html", "resumo.md"} <= reports
    assert not list(ROOT.glob("*pabot*"))
    assert not list(ROOT.glob(".*pabot*"))
    lines = [line.split() for file in coverage.iterdir() for line in file.read_text().splitlines()]
    covered = {(operation, int(status)) for _, operation, status in lines}
    exceptions = uncovered()
    assert declared() - covered - exceptions.keys() == set(), "not covered, without a reason"
    assert {key for key in exceptions if key in covered and not exceptions[key]} == set(), "covered"


@pytest.fixture(scope="module")
def format_system() -> Iterator[System]:
    """A system in the format mode whose tokens expire within seconds."""
    short = {"TOKEN_TTL": "10", "SERVICE_TOKEN_TTL": "10", "JWT_LEEWAY": "0"}
    with (
        traversable_folder() as folder,
        environment(**short),
        running(folder / "data", None, "--validation", "format") as system,
    ):
        yield system


@pytest.mark.usefixtures("coverage")
@pytest.mark.slow
def test_the_format_mode_and_short_tokens_have_their_own_scenarios(
    format_system: System, tmp_path: Path
) -> None:
    # of the services, clients alone has the mode: the others would repeat the strict run
    only = [part for tag in ("clientes", "enderecos", "vencimento") for part in ("--etiqueta", tag)]
    secret = tmp_path / "secret"  # as an editor that writes byte order marks saves it
    secret.write_text((format_system.data / SECRET).read_text(), encoding="utf-8-sig")
    done = run_suite(format_system.url, secret, tmp_path / "reports", *only)
    assert done.returncode == 0, done.stdout
    # the scenarios of the strict mode
    assert "3 foram pulados" in done.stdout, done.stdout
    assert done.stdout.count("o cenário é de strict") == 3


def test_scenarios_of_the_monitors_without_their_secret_are_skipped(
    format_system: System, tmp_path: Path
) -> None:
    only = ("--etiqueta", "monitor", "--etiqueta", "saude", "--semente", "7")
    done = run_suite(format_system.url, None, tmp_path, *only, "--processos", "1")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("falta o segredo dos monitores (SECRET_FILE)") > 10
    assert " 0 falharam" in done.stdout
    assert "--semente 7" in done.stdout


def test_a_stopped_service_fails_only_its_own_scenarios(
    format_system: System, tmp_path: Path
) -> None:
    name = "CPF de dígitos errados e sem pontuação é recusado nos dois modos"
    names = ("--cenario", name, "--cenario", "Serviço de produtos diz que está bem")
    parts = format_system.parts()
    for pid in (part.pid for part in parts if "products.app" in str(part.cmdline())):
        os.kill(pid, signal.SIGSTOP)
    try:
        broken = run_suite(format_system.url, None, tmp_path, *names)
    finally:
        for part in parts:
            part.resume()
    assert broken.returncode == 1, broken.stdout
    assert "1 passou, 1 falhou" in broken.stdout
    assert "| Produtos: Serviço de produtos diz que está bem |" in broken.stdout


class _Empty(StubHandler):
    def do_GET(self) -> None:
        """Respond with nothing of what the contracts declare."""
        self.send_json(200, {})


@pytest.fixture
def empty_system() -> Iterator[str]:
    """The URL of a system that responds, and does nothing else."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Empty) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "options",
    ["", "--dryrun", "--skip=saude", "--exclude=saude", "--output=NONE", "--outputdir=elsewhere"],
)
def test_options_of_robot_in_the_environment_change_nothing(
    empty_system: str, tmp_path: Path, options: str
) -> None:
    name = "Serviço de produtos diz que está bem"
    with environment(ROBOT_OPTIONS=options, REBOT_OPTIONS=options):
        done = run_suite(empty_system, None, tmp_path, "--cenario", name, "--processos", "1")
    assert done.returncode == 1, done.stderr
    assert "1 falhou" in done.stdout
    assert (tmp_path / "log.html").is_file()


def test_an_unreachable_system_is_reported(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("nothing")
    done = run_suite("http://127.0.0.1:9", secret, tmp_path)
    assert done.returncode == 2
    assert "make run" in done.stderr


@pytest.mark.parametrize("folder", ["/dev/null", "/dev/null/reports", "/proc/reports"])
def test_an_unusable_folder_of_reports_is_reported(folder: str) -> None:
    done = run_suite("http://127.0.0.1:9", None, Path(folder))
    assert done.returncode == 2
    assert f"--relatorios: não se pode escrever em {folder}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_secret_file_is_reported(tmp_path: Path) -> None:
    done = run_suite("http://127.0.0.1:9", tmp_path / "nowhere", tmp_path)
    assert done.returncode == 2
    assert "nowhere" in done.stderr
