"""Access log: content of lines, buffering, and no lost lines."""

import json
import logging
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
import pytest

from devstack.service_catalog import ROOT
from servicekit.http import access_log
from servicekit.http.access_log import AccessLog
from servicekit.telemetry import logs
from servicekit.telemetry.logs import BufferedStreamHandler, JsonFormatter
from servicekit.telemetry.tracing import TRACEPARENT
from servicekit.testing import FakeIssuer, peer_settings, wait_until
from tests.support.ports import free_port

LONG = 60.0  # seconds; no test reaches this interval
TRACE = "ab" * 16
UUID_4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Stream(StringIO):
    """Stream that records every write."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        """Record ``text``."""
        self.writes.append(text)
        return super().write(text)

    def numbers(self) -> list[Any]:
        """Return the numbers of the lines in order."""
        return [json.loads(line).get("number") for line in self.getvalue().splitlines()]


@pytest.fixture
def stream() -> Stream:
    """The stream of the log."""
    return Stream()


@pytest.fixture
def output(stream: Stream) -> Iterator[BufferedStreamHandler]:
    """The handler of the stream."""
    output = BufferedStreamHandler(stream)
    output.setFormatter(JsonFormatter("tests"))
    yield output
    output.close()


@pytest.fixture
def log(output: BufferedStreamHandler, monkeypatch: pytest.MonkeyPatch) -> Iterator[AccessLog]:
    """A started log with an interval that no test reaches."""
    monkeypatch.setattr(access_log, "FLUSH_INTERVAL", LONG)
    logging.getLogger("access").setLevel(logging.INFO)
    log = AccessLog("tests", output)
    log.start()
    yield log
    log.stop()
    logging.getLogger("access").setLevel(logging.NOTSET)


def test_a_log_that_stops_before_its_thread_runs_loses_no_line(
    stream: Stream, output: BufferedStreamHandler
) -> None:
    log, before = AccessLog("tests", output), threading.gettrace()
    threading.settrace(lambda *_: time.sleep(0.1))  # the thread starts late
    try:
        log.start()
    finally:
        threading.settrace(before)
    log.log_request(number=1)
    log.stop()
    assert stream.numbers() == [1]


def hello(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Return a response."""
    start_response("200 OK", [("cache-control", "max-age=1")])
    return [b"hello"]


def request(log: AccessLog, path: str = "/", **headers: str) -> dict[str, str]:
    """Send a request and return the headers of the response."""
    found: dict[str, str] = {}

    def start_response(_: str, pairs: list[tuple[str, str]], *__: object) -> Any:
        found.update(pairs)

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, **headers}
    assert access_log.access_log_middleware(hello, log)(environ, start_response) == [b"hello"]
    return found


def test_line_describes_the_request_and_probes_have_none(log: AccessLog, stream: Stream) -> None:
    token = TRACEPARENT.set(f"00-{TRACE}-00f067aa0ba902b7-02")
    headers = request(log, HTTP_X_REQUEST_ID="mine")
    TRACEPARENT.reset(token)
    request(log, "/-/ready")
    log.stop()
    line = json.loads(stream.getvalue())
    assert headers["X-Request-ID"] == "mine"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line.pop("ms") >= 0
    assert line == {
        "level": "INFO",
        "service": "tests",
        "logger": "access",
        "event": "request",
        "request_id": "mine",
        "trace_id": TRACE,
        "method": "GET",
        "route": None,
        "status": 200,
    }


def test_request_without_a_valid_id_gets_one(log: AccessLog) -> None:
    given = ({}, *({"HTTP_X_REQUEST_ID": bad} for bad in ("", "a b", "x" * 129, "new\nline")))
    ids = [request(log, **headers)["X-Request-ID"] for headers in given]
    assert all(UUID_4.fullmatch(each) for each in ids)
    assert len(set(ids)) == len(ids)


def test_response_keeps_its_own_headers(log: AccessLog) -> None:
    headers = request(log)
    assert headers["cache-control"] == "max-age=1"
    assert "Cache-Control" not in headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_invalid_traceparent_is_not_logged(log: AccessLog, stream: Stream) -> None:
    request(log, HTTP_TRACEPARENT=f"00-{TRACE}-00f067aa0ba902b7-00")
    request(log, HTTP_TRACEPARENT=f"cc-{TRACE}-00f067aa0ba902b7-00-what the future brings")
    invalid = (
        "Maria",
        f"00-{'0' * 32}-00f067aa0ba902b7-00",
        f"00-{TRACE}-{'0' * 16}-00",
        f"ff-{TRACE}-00f067aa0ba902b7-00",
        f"00-{TRACE}-00f067aa0ba902b7-00-more",
        f"cc-{TRACE}-00f067aa0ba902b7-00more",
    )
    for header in invalid:
        request(log, HTTP_TRACEPARENT=header)
    log.stop()
    trace_ids = [json.loads(line)["trace_id"] for line in stream.getvalue().splitlines()]
    assert trace_ids == [TRACE, TRACE, *[None] * len(invalid)]


def test_level_warning_disables_the_lines(log: AccessLog, stream: Stream) -> None:
    logging.getLogger("access").setLevel(logging.WARNING)
    request(log)
    log.stop()
    assert stream.getvalue() == ""


def test_lines_are_buffered_for_a_limited_time(
    log: AccessLog, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.log_request(number=1)
    log.log_request(number=2)
    assert stream.numbers() == []
    log.stop()
    assert stream.numbers() == [1, 2]
    log.log_request(number=3)  # of a request after the stop
    assert stream.numbers() == [1, 2, 3]
    monkeypatch.setattr(access_log, "FLUSH_INTERVAL", 0.01)
    log.start()
    log.log_request(number=4)
    wait_until(lambda: stream.numbers()[-1] == 4, "a line")
    log.log_request(number=5)
    wait_until(lambda: stream.numbers()[-1] == 5, "the next one")


def test_warning_is_written_immediately_after_the_buffered_lines(
    log: AccessLog, output: BufferedStreamHandler, stream: Stream
) -> None:
    log.log_request(number=1)
    output.handle(logging.makeLogRecord({"msg": "careful", "levelname": "WARNING"}))
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == [
        "request",
        "careful",
    ]


def test_full_buffer_is_written(log: AccessLog, stream: Stream) -> None:
    for number in range(logs.MAX_BUFFERED + 1):
        log.log_request(number=number)
    assert stream.numbers() == list(range(logs.MAX_BUFFERED))


def test_each_write_fits_an_atomic_write_to_a_pipe(log: AccessLog, stream: Stream) -> None:
    for number in range(logs.MAX_BUFFERED):
        log.log_request(number=number, text="é" * number)
    assert all(text.endswith("}\n") for text in stream.writes)
    sizes = [len(text.encode()) for text in stream.writes]
    assert max(sizes) <= select.PIPE_BUF
    assert len(sizes) < logs.MAX_BUFFERED / 4
    assert stream.numbers() == list(range(logs.MAX_BUFFERED))


def test_closed_stream_does_not_fail_requests(
    log: AccessLog, stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    log.stop()
    stream.close()
    request(log)
    assert "lines lost" in capsys.readouterr().err


def test_lines_are_written_after_a_fatal_exception() -> None:
    program = (
        "from servicekit.http import access_log; from servicekit.telemetry import logs;"
        f"access_log.FLUSH_INTERVAL = {LONG};"
        "log = access_log.AccessLog('tests', logs.configure('tests', 'INFO'));"
        "log.start(); log.log_request(number=1); 1 / 0"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "ZeroDivisionError" in done.stderr
    assert json.loads(done.stdout)["number"] == 1


def test_lines_of_all_responses_are_written_on_sigterm(issuer: FakeIssuer, tmp_path: Path) -> None:
    port = free_port()
    program = (
        f"import sys; from servicekit.http import access_log; access_log.FLUSH_INTERVAL = {LONG};"
        "from gunicorn.app.wsgiapp import run;"
        f"sys.argv[1:] = ['-c', {str(ROOT / 'services' / 'gunicorn.conf.py')!r},"
        " 'clients.app:create_app()']; run()"
    )
    unreachable = "postgresql://nobody@127.0.0.1:9/clients"
    settings = {
        **peer_settings(issuer, unreachable, tmp_path),
        "INVENTORY_URL": "http://127.0.0.1:9",
    }
    output = tmp_path / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, **settings, "BIND": f"127.0.0.1:{port}"},
            stdout=file,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: is_alive(url), "the service to start", 30)
        ids = [httpx.get(f"{url}/clients/fetch").headers["X-Request-ID"] for _ in range(5)]
        assert not any(each in output.read_text() for each in ids)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    mine = [line for line in lines if line["logger"] == "access"]
    assert [line["request_id"] for line in mine] == ids
    assert {(line["route"], line["status"]) for line in mine} == {("/clients/fetch", 401)}


def is_alive(url: str) -> bool:
    """Return whether the liveness probe succeeds."""
    try:
        return httpx.get(f"{url}/-/live").is_success
    except httpx.TransportError:
        return False
