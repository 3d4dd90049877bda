"""Pinning of workers to cores."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from servicekit.server.cpu_affinity import choose_core
from servicekit.testing import (
    GUNICORN,
    FakeIssuer,
    GunicornServer,
    gunicorn_server,
    peer_settings,
    wait_until,
)

MINE = sorted(os.sched_getaffinity(0))
TWO_CORES = pytest.mark.skipif(len(MINE) < 2, reason="needs two cores")


@pytest.fixture
def settings(database_url: str, issuer: FakeIssuer, tmp_path: Path) -> dict[str, str]:
    """The environment of a service."""
    return peer_settings(issuer, database_url, tmp_path, INVENTORY_URL="http://127.0.0.1:9")


@contextmanager
def allowed(cores: list[int]) -> Iterator[None]:
    """Restrict this process and its children to some cores."""
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, MINE)


def cores_of(pid: int) -> set[tuple[int, ...]]:
    """Return the distinct core sets of the threads of a process."""
    found = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):  # exited since it was listed
            found.add(tuple(sorted(os.sched_getaffinity(int(thread.name)))))
    return found


def cores_of_workers(service: GunicornServer) -> list[set[tuple[int, ...]]]:
    """Return the core sets of each worker."""
    return [cores_of(pid) for pid in service.workers]


@TWO_CORES
def test_each_worker_has_a_core_and_a_new_one_takes_the_free_core(
    settings: dict[str, str],
) -> None:
    one, other = MINE[:2]
    with allowed([one, other]), gunicorn_server("clients", {**settings, "WORKERS": "2"}) as service:
        wait_until(lambda: len(service.workers) == 2, "both workers")
        each = [[(one,)], [(other,)]]
        wait_until(lambda: sorted(map(sorted, cores_of_workers(service))) == each, "a core each")
        by_pid = {pid: cores_of(pid) for pid in service.workers}
        killed = service.workers[0]
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: len(set(service.workers) - {killed}) == 2, "another worker", 30)
        (newest,) = set(service.workers) - set(by_pid)
        wait_until(lambda: cores_of(newest) == by_pid[killed], "it to be pinned")


@TWO_CORES
@pytest.mark.parametrize(
    "changes",
    [
        {"WORKERS": "1"},
        {"WORKERS": "2", "PIN_WORKERS": "never"},
        {"WORKERS": "3"},  # more than cores
    ],
)
def test_unpinned_workers_may_use_all_cores_of_the_service(
    settings: dict[str, str], changes: dict[str, str]
) -> None:
    number = int(changes["WORKERS"])
    with allowed(MINE[:2]), gunicorn_server("clients", {**settings, **changes}) as service:
        wait_until(lambda: len(service.workers) == number, "all workers")
        assert cores_of_workers(service) == [cores_of(os.getpid())] * number


def test_the_start_fails_with_an_unknown_policy() -> None:
    environ = {**os.environ, "PIN_WORKERS": "perhaps"}
    done = subprocess.run(GUNICORN, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert "PIN_WORKERS: It must be one of auto, always, never." in done.stderr


@pytest.mark.parametrize(
    ("policy", "workers", "taken", "cores", "core"),
    [
        ("auto", 4, [], {0, 1, 2, 3}, 0),  # all cores of the machine
        ("auto", 2, [5], {5, 7}, 7),  # a cpuset, or taskset
        ("auto", 2, [5], {5, 6, 7}, 6),
        ("auto", 2, [], {0, 1, 2, 3}, None),  # other processes may use the cores
        ("always", 2, [0], {0, 1, 2, 3}, 1),
        ("always", 3, [], {0, 1}, None),
        ("always", 1, [], {0, 1}, None),
        ("never", 2, [], {5, 7}, None),
        ("auto", 2, [5, 7, 5], {5, 7}, 7),  # a reload: old workers still run
        ("auto", 2, [None], {5, 7}, 5),  # scaled from one worker
        ("auto", 2, [], set(), None),  # not supported by the system
    ],
)
def test_a_core_is_chosen_by_assignment_and_cpu_set(
    policy: str, workers: int, taken: list[int | None], cores: set[int], core: int | None
) -> None:
    assert choose_core(policy, workers, taken, cores, cpu_count=4) == core
