"""Tests of tests.support: steps, commands and the HTTP caller."""

import argparse
import socket
import sys
import threading
import time
from functools import partial

import pytest

from tests.e2e.__main__ import CONCURRENT, STEPS, run_steps, select
from tests.e2e.context import Context, Repetitions
from tests.support.cluster import Cluster
from tests.support.commands import CommandError, comma_separated, run_command
from tests.support.http_caller import NO_RESPONSE, HttpCaller
from tests.support.ports import free_port
from tests.support.steps import (
    RequestsFailed,
    StepFailed,
    StepRunner,
    TooSlow,
    check,
    wait_until,
)

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n"


def runner(*failures: type[Exception]) -> StepRunner:
    """Return a runner without output."""
    return StepRunner(lambda _: None, *failures)


def raising(error: Exception) -> str:
    """Raise an error, as a step."""
    raise error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StepFailed("x"), "MISS"),
        (TooSlow("x"), "LATE"),
        (RequestsFailed("x"), "COST"),
        (CommandError("x"), "MISS"),
    ],
)
def test_a_step_records_its_kind_of_failure(error: Exception, status: str) -> None:
    steps = runner(CommandError)
    assert steps.run("good", lambda: "detail").is_ok
    result = steps.run("bad", lambda: raising(error))
    assert (result.status, result.detail, steps.all_ok) == (status, "x", False)


def test_an_unexpected_error_ends_the_run() -> None:
    with pytest.raises(CommandError):
        runner().run("bad", lambda: raising(CommandError("x")))


def test_steps_end_after_a_failure_but_not_after_a_late_one() -> None:
    steps = runner()
    context = Context(Cluster("tag", namespace="here"), Repetitions())
    errors: dict[str, Exception] = {"late": TooSlow("x"), "failed": StepFailed("x")}
    names = ("late", "failed", "never")
    run_steps([(name, lambda _, n=name: raising(errors[n])) for name in names], context, steps)  # type: ignore[misc]
    assert [result.name for result in steps.results] == ["late", "failed"]


def test_concurrent_steps_run_at_once_and_after_those_before_them() -> None:
    steps = runner()
    context = Context(Cluster("tag", namespace="here"), Repetitions())
    both = threading.Barrier(2, timeout=10)
    names = ["first", *sorted(CONCURRENT)[:2], "never"]
    done: list[str] = []

    def step(_: Context, name: str) -> str:
        if name in CONCURRENT:
            both.wait()
        done.append(name)
        check(name != names[2], "x")
        return ""

    run_steps([(name, partial(step, name=name)) for name in names], context, steps)
    assert (done[0], set(done)) == ("first", set(names[:3]))
    assert not steps.all_ok


def test_neighbours_of_concurrent_steps_are_known() -> None:
    places = [number for number, (name, _) in enumerate(STEPS) if name in CONCURRENT]
    assert places == list(range(places[0], places[0] + len(CONCURRENT)))


def test_a_wait_returns_its_duration_or_fails() -> None:
    ready_at = time.monotonic() + 0.1
    assert wait_until(lambda: time.monotonic() > ready_at, 5, "x", 0.01) >= 0.09
    with pytest.raises(StepFailed, match="after 0 s: not ready"):
        wait_until(lambda: False, 0, lambda: "not ready", 0.01)
    with pytest.raises(StepFailed, match="wrong"):
        check(condition=False, message="wrong")


def test_a_list_selects_known_names_in_their_order() -> None:
    parse = comma_separated(["a", "b", "c"])
    assert (parse("c,a"), parse("")) == (["a", "c"], ["a", "b", "c"])
    with pytest.raises(argparse.ArgumentTypeError, match="there is no d; there are a, b, c"):
        parse("d")


def test_a_failed_command_shows_its_last_lines() -> None:
    assert run_command("cat", stdin="text") == "text"
    with pytest.raises(CommandError, match="broken"):
        run_command(sys.executable, "-c", "import sys; sys.exit('broken')")
    with pytest.raises(CommandError, match="took more than 0 s"):
        run_command("sleep", "9", timeout=0.1)


def test_a_transport_error_has_no_status() -> None:
    with HttpCaller(f"http://127.0.0.1:{free_port()}") as caller:
        response = caller.request("GET", "/")
    assert (response.status, response.is_success) == (NO_RESPONSE, False)
    assert response.error == "ConnectionRefusedError"


def test_a_caller_replaces_a_connection_that_the_server_closed() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            peer, _ = listener.accept()
            with peer:
                peer.recv(65_536)
                peer.sendall(RESPONSE + b'{"a": "bc"}')

    server = threading.Thread(target=serve)
    server.start()
    with HttpCaller(f"http://127.0.0.1:{listener.getsockname()[1]}") as caller:
        first = caller.request("GET", "/")
        time.sleep(0.1)  # until the server's close has arrived
        second = caller.request("GET", "/", If_Match='"1"')
    server.join()
    listener.close()
    assert (first.status, second.status) == (200, 200)
    assert second.document == {"a": "bc"}


def test_selected_steps_come_after_those_that_every_step_needs() -> None:
    names = [name for name, _ in select(STEPS, "operator")]
    assert names[:2] == [name for name, _ in STEPS[:2]]
    assert names[2:] == ["a second operator", "releases and operators together"]
    assert select(STEPS, "") == list(STEPS)
