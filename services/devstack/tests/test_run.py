"""`make run`: start, output, stop, and failures of its processes."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from servicekit.testing import wait_until
from tests.support.local_system import (
    START_TIMEOUT,
    System,
    assert_exited,
    is_healthy,
    pasted_lines,
    refused,
    running,
    shell,
)

PAGES = ("/users/docs/", "/clients/docs/", "/products/docs/", "/inventory/docs/")


def run_pasted_lines(system: System) -> list[dict[str, str]]:
    """Run the commands of the welcome text, and return the clients listed by the last one."""
    output = shell(pasted_lines(system))
    clients: list[dict[str, str]] = json.loads(output[output.rindex('[{"id"') :])
    return clients


@pytest.mark.covers_subprocesses
@pytest.mark.slow
def test_a_system_starts_serves_users_stops_and_keeps_its_data(data_folder: Path) -> None:
    with running(data_folder) as system:
        for page in PAGES:
            assert page in system.output
            assert httpx.get(system.url + page).is_success
        assert httpx.get(f"{system.url}/-/ready").status_code == 404
        assert httpx.get(f"{system.url}/clientsX/fetch").status_code == 404
        assert [client["cpf"] for client in run_pasted_lines(system)] == ["529.982.247-25"]

        assert system.part("devstack.purge").is_running()
        assert "another run" in refused(data_folder)
        assert f"port {system.port}" in refused(data_folder.with_name("other"), system.port)

        system.part("gunicorn", "clients.app").children()[0].kill()  # a worker
        wait_until(lambda: is_healthy(system.url), "a new worker", START_TIMEOUT)
        assert system.stop() == 0
    logs = {path.name: path.read_text() for path in (data_folder / "logs").glob("*.log")}
    assert {"unavailable.log", "clients.log"} <= logs.keys()
    assert [name for name, text in logs.items() if "Warning:" in text] == []
    with running(data_folder) as system:
        assert len(run_pasted_lines(system)) == 1  # only the client of the first run


def kill(*words: str) -> Callable[[System], None]:
    """Return a function that kills the process with these words in its command line."""
    return lambda system: system.part(*words).kill()


def kill_parent(system: System) -> None:
    """Kill the process that started all others."""
    system.process.kill()


def interrupt_twice(system: System) -> None:
    """Press Ctrl-C twice."""
    system.process.send_signal(signal.SIGINT)
    system.process.send_signal(signal.SIGINT)


ENDS: tuple[tuple[Callable[[System], None], str], ...] = (  # with a part of the output
    (kill("gunicorn", "products.app"), "products ended by signal 9"),
    (kill("traefik"), "ingress ended by signal 9"),
    (kill("postgres", "-D"), "PostgreSQL ended"),
    (kill_parent, ""),
    (interrupt_twice, ""),
)


@pytest.mark.long
def test_each_end_leaves_no_process_and_the_next_run_starts(data_folder: Path) -> None:
    for end, sentence in ENDS:
        with running(data_folder) as system:
            parts = system.parts()
            end(system)
            code = system.wait()
            assert_exited(parts)
            if sentence:
                assert code == 1
                assert sentence in system.output
                assert "the data is kept" in system.output.lower()
    with running(data_folder) as system:
        assert is_healthy(system.url)


@pytest.mark.covers_subprocesses
def test_ctrl_c_during_the_start_leaves_no_process(data_folder: Path) -> None:
    system = System(data_folder)
    wait_until(
        lambda: "starting the services" in system.output, "the services to start", START_TIMEOUT
    )
    parts = system.parts()
    system.process.send_signal(signal.SIGINT)
    assert system.wait() == 0
    assert_exited(parts)
