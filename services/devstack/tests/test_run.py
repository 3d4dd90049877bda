"""`make run`: start, output, stop, and failures of its processes."""

import json
import signal
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
    with running(data_folder) as system:
        assert len(run_pasted_lines(system)) == 1  # only the client of the first run


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("gunicorn", "products.app"), "products"),
        (("clients.relay",), "clients-relay"),
        (("traefik",), "ingress"),
    ],
)
def test_a_killed_process_is_named_and_the_system_stops(
    data_folder: Path, words: tuple[str, ...], name: str
) -> None:
    with running(data_folder) as system:
        parts = system.parts()
        system.part(*words).kill()
        assert system.wait() == 1
        assert_exited(parts)
        assert f"{name} ended by signal 9" in system.output
        assert "the data is kept" in system.output


def test_a_killed_database_is_named_and_the_next_run_recovers(data_folder: Path) -> None:
    with running(data_folder) as system:
        parts = system.parts()
        system.part("postgres", "-D").kill()
        assert system.wait() == 1
        assert_exited(parts)
        assert "PostgreSQL ended" in system.output
    with running(data_folder) as system:
        assert is_healthy(system.url)


def test_killing_the_parent_leaves_no_process_and_the_next_run_starts(data_folder: Path) -> None:
    with running(data_folder) as system:
        parts = system.parts()
        system.process.kill()
        system.wait()
        assert_exited(parts)
    with running(data_folder) as system:
        assert is_healthy(system.url)


def test_a_second_ctrl_c_leaves_no_process(data_folder: Path) -> None:
    with running(data_folder) as system:
        parts = system.parts()
        system.process.send_signal(signal.SIGINT)
        system.process.send_signal(signal.SIGINT)
        system.wait()
        assert_exited(parts)
    with running(data_folder) as system:
        assert is_healthy(system.url)


def test_ctrl_c_during_the_start_leaves_no_process(data_folder: Path) -> None:
    system = System(data_folder)
    wait_until(
        lambda: "starting the services" in system.output, "the services to start", START_TIMEOUT
    )
    parts = system.parts()
    system.process.send_signal(signal.SIGINT)
    assert system.wait() == 0
    assert_exited(parts)
