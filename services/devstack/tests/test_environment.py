"""The environment of the processes is built, not inherited from the shell."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil

from devstack import environment
from devstack.service_catalog import ROOT
from servicekit.testing import wait_until
from tests.support.local_system import START_TIMEOUT, assert_exited
from tests.support.ports import free_port

NOWHERE = "http://127.0.0.1:9"
HOSTILE = {
    "http_proxy": NOWHERE,
    "HTTP_PROXY": NOWHERE,
    "https_proxy": NOWHERE,
    "all_proxy": "socks5://127.0.0.1:9",
    "PGHOSTADDR": "127.0.0.9",
    "PGHOST": "nowhere",
    "PGPORT": "9",
    "PGOPTIONS": "-c search_path=nowhere",
    "PGCLIENTENCODING": "LATIN1",
    "PGSERVICE": "nowhere",
    "PGDATA": "/nowhere",
    "GUNICORN_CMD_ARGS": "--workers=9 --bind=127.0.0.1:9",
    "WEB_CONCURRENCY": "9",
    "PYTHONHOME": "/nowhere",
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "2",
    "LC_ALL": "C",
    "LANG": "pt_BR.ISO-8859-1",
    "LD_BIND_NOW": "1",
    "DATABASE_URL": "postgresql://nowhere/",
    "BIND": "127.0.0.1:9",
    "METRICS_BIND": "127.0.0.1:9",
    "TRAEFIK_ENTRYPOINTS_WEB_ADDRESS": ":9",
    "ALEMBIC_CONFIG": "/nowhere",
    "OTEL_BSP_SCHEDULE_DELAY": "4321",  # a documented setting
    "THREADS": "3",  # as above
}
SET_BY_THE_STACK = {
    "BIND",
    "CLIENTS_URL",
    "CONTRACTS_DIR",
    "DATABASE_URL",
    "INSTANCE",
    "INVENTORY_URL",
    "JWKS_URL",
    "KEYS_DIR",
    "METRICS_BIND",
    "OAUTH_CLIENTS_DIR",
    "PRODUCTS_URL",
    "SERVICE_CLIENT_ID",
    "SERVICE_CLIENT_SECRET_FILE",
    "TOKEN_URL",
    "VALIDATION",
}


def test_make_run_works_in_a_hostile_environment(data_folder: Path, tmp_path: Path) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    for name in ("httpx", "json", "alembic", "sitecustomize"):
        (modules / f"{name}.py").write_text("raise SystemExit('imported from PYTHONPATH')\n")
    port = free_port()
    output = tmp_path / "output.txt"
    with output.open("wb") as file:
        make = subprocess.Popen(
            ["make", "run", f"PORT={port}", f"DATA={data_folder}", f"PYTHON={sys.executable}"],  # noqa: S607
            cwd=ROOT,
            stdout=file,
            stderr=file,
            env={**environment.build(), **HOSTILE, "PYTHONPATH": str(modules)},
            start_new_session=True,
        )
    try:
        wait_until(
            lambda: "Cadastro is ready" in output.read_text() or make.poll() is not None,
            "the system to be ready",
            START_TIMEOUT,
        )
        assert make.poll() is None, output.read_text()
        user = {"username": "Ação", "password": "Testando-ção"}
        url = f"http://127.0.0.1:{port}"
        httpx.post(f"{url}/users/create", json=user).raise_for_status()
        parts = psutil.Process(make.pid).children(recursive=True)
        for part in [p for p in parts if p.name() not in {"make", "bash"}]:
            assert_clean(part)
    finally:
        parts = psutil.Process(make.pid).children(recursive=True)
        run = next(p for p in parts if "devstack" in " ".join(p.cmdline()))
        run.send_signal(signal.SIGINT)
        make.wait(START_TIMEOUT)
        assert_exited(parts)


def assert_clean(part: psutil.Process) -> None:
    """Check the environment with which a process was started."""
    initial = part.environ()  # of the last exec: the forks have the supervisor's
    inherited = {n for n, v in HOSTILE.items() if initial.get(n) == v}
    is_supervisor = "devstack" in " ".join(part.cmdline())
    assert is_supervisor or inherited <= {"OTEL_BSP_SCHEDULE_DELAY", "THREADS"}, part.cmdline()


def test_only_listed_variables_are_inherited() -> None:
    built = environment.build({**HOSTILE, "HOME": "/home/ana", "TOKEN_TTL": "10"})
    assert built == {
        "HOME": "/home/ana",
        "LANG": "C.UTF-8",
        "OTEL_BSP_SCHEDULE_DELAY": "4321",
        "PYTHONUTF8": "1",
        "THREADS": "3",
        "TOKEN_TTL": "10",
    }


def test_every_documented_setting_is_inherited_or_set() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    table = page.partition("## Settings")[2].partition("## One machine")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = {name for cell in cells for name in re.findall(r"`([A-Z_]+)`", cell)}
    documented = {name for name in documented if not name.startswith("OTEL_")}
    replica = {"READ_DATABASE_URL"}  # one machine has none, and each service its own database
    assert documented - SET_BY_THE_STACK - replica <= set(environment.SETTINGS)
