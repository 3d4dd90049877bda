"""The reason of each kind of failure, against a real HTTP server."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from servicekit.testing import environment
from servicekit.testing.certificates import self_signed
from synthetic.probe.deadline import Deadline
from synthetic.probe.dial import start_tls
from synthetic.probe.runner import Limits
from tests.support.ports import free_port
from tests.support.synthetic.mock_shop import (
    LONG_LIMITS,
    SHORT_LIMITS,
    MockShop,
    drip,
    replay_journey,
    respond,
    send_raw,
)

GOOD = {"id": 1, "name": "Probe"}
VERSION = {"X-Version": "1"}


def test_a_journey_passes_and_cleans_up(shop: MockShop, journey: Path) -> None:
    outcome = replay_journey(shop.url, journey)
    assert (outcome.result, outcome.reason, outcome.step) == ("passed", "", "")
    assert shop.calls == ["POST /token", "POST /things", "GET /things/2", "DELETE /things/2"]
    assert shop.things == {}


def test_requests_have_a_traceparent_and_no_secret_in_the_path(
    shop: MockShop, journey: Path
) -> None:
    outcome = replay_journey(shop.url, journey)
    for _, path, headers in shop.requests:
        version, trace, span, flags = headers["traceparent"].split("-")
        assert (version, trace, len(span), flags) == ("00", outcome.trace_id, 16, "01")
        assert "secret" not in path
    assert len({headers["traceparent"] for _, _, headers in shop.requests}) == 4
    assert "by=Probe+" in shop.requests[2][1]
    assert shop.requests[1][2]["Authorization"] == "Bearer t.t.t"


@pytest.mark.parametrize(
    ("route", "fault", "step", "reason"),
    [
        ("POST /token", lambda h: respond(h, 401), "token", "auth"),
        ("POST /token", lambda h: respond(h, 503), "token", "http_status"),
        ("POST /token", lambda h: respond(h, 200, {"access_token": 5}), "token", "schema"),
        ("POST /things", lambda h: respond(h, 403), "make", "auth"),
        ("POST /things", lambda h: respond(h, 502), "make", "http_status"),
        ("GET /things", lambda h: respond(h, 500), "look", "http_status"),
        ("GET /things", lambda h: respond(h, 200, GOOD), "look", "schema"),
        ("GET /things", lambda h: respond(h, 200, GOOD, {"X-Version": "one"}), "look", "schema"),
        ("GET /things", lambda h: respond(h, 200, {**GOOD, "x": 1}, VERSION), "look", "schema"),
        (
            "GET /things",
            lambda h: respond(h, 200, GOOD, {**VERSION, "X-Colour": "#f00"}),
            "look",
            "schema",
        ),
        (
            "GET /things",
            lambda h: respond(h, 200, GOOD, {**VERSION, "Content-Type": "text/html"}),
            "look",
            "schema",
        ),
        ("GET /things", lambda h: respond(h, 200, {"id": 1}, VERSION), "look", "schema"),
        ("GET /things", lambda h: respond(h, 200, GOOD, VERSION), "look", "assertion"),
        (
            "GET /things",
            lambda h: respond(h, 200, {**GOOD, "name": None}, VERSION),
            "look",
            "assertion",
        ),
        ("GET /things", lambda h: send_raw(h, b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "look", "schema"),
        ("GET /things", lambda h: send_raw(h, b"HTTP/1.1 200 OK\r\nX-Ver"), "look", "connect"),
        (
            "GET /things",
            lambda h: send_raw(h, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
            "look",
            "connect",
        ),
        (
            "GET /things",
            lambda h: respond(h, 200, {**GOOD, "name": "x" * 9_000_000}, VERSION),
            "look",
            "schema",
        ),
        ("GET /things", lambda h: send_raw(h, b""), "look", "connect"),
        ("GET /things", drip, "look", "timeout"),
        ("DELETE /things", lambda h: respond(h, 500), "unmake", "teardown"),
        ("DELETE /things", drip, "unmake", "teardown"),
    ],
)
def test_reports_the_reason_of_a_fault(
    shop: MockShop,
    journey: Path,
    route: str,
    fault: Callable[[BaseHTTPRequestHandler], object],
    step: str,
    reason: str,
) -> None:
    shop.faults[route] = fault
    outcome = replay_journey(shop.url, journey, SHORT_LIMITS if fault is drip else LONG_LIMITS)
    assert (outcome.result, outcome.step, outcome.reason) == ("failed", step, reason)
    if route == "GET /things":
        assert shop.things == {}, "the clean-up did not run"


def test_a_schema_failure_omits_the_values_of_the_response(shop: MockShop, journey: Path) -> None:
    document = {"id": 1, "name": "x" * 50}
    shop.faults["GET /things"] = lambda h: respond(h, 200, document, VERSION)
    outcome = replay_journey(shop.url, journey)
    assert "name: the value is longer than 40 characters" in outcome.detail
    assert "xxx" not in outcome.detail


def test_cleans_up_after_an_invalid_response(shop: MockShop, journey: Path) -> None:
    shop.things[7] = "made"
    shop.faults["POST /things"] = lambda h: respond(h, 201, {"id": 7})
    outcome = replay_journey(shop.url, journey)
    assert (outcome.step, outcome.reason) == ("make", "schema")
    assert shop.things == {}


def test_a_pass_after_a_retry_reports_two_attempts(shop: MockShop, journey: Path) -> None:
    def once(handler: BaseHTTPRequestHandler) -> None:
        del shop.faults["POST /things"]
        respond(handler, 503)

    shop.faults["POST /things"] = once
    outcome = replay_journey(shop.url, journey, Limits(60.0, 60.0, 1))
    assert (outcome.result, outcome.attempt, outcome.reason) == ("passed", 2, "")
    assert [step.attempt for step in outcome.steps] == [1, 1, 2, 2, 2]


def test_an_unknown_host_fails_with_dns(journey: Path) -> None:
    assert replay_journey("http://nowhere.invalid", journey).reason == "dns"


def test_a_closed_port_fails_with_connect(journey: Path) -> None:
    outcome = replay_journey(f"http://127.0.0.1:{free_port()}", journey)
    assert (outcome.reason, outcome.step) == ("connect", "token")


def test_https_to_a_plain_http_server_fails_with_tls(shop: MockShop, journey: Path) -> None:
    outcome = replay_journey(shop.url.replace("http://", "https://"), journey)
    assert (outcome.reason, outcome.step) == ("tls", "token")


def test_an_untrusted_certificate_fails_with_tls(
    shop: MockShop, journey: Path, tmp_path: Path
) -> None:
    certificate = self_signed(tmp_path)
    with tls_proxy(shop.url, certificate) as url:
        assert replay_journey(url, journey).reason == "tls"
        with environment(SSL_CERT_FILE=str(certificate)):
            outcome = replay_journey(url, journey)
    assert outcome.result == "passed"
    first, *rest = outcome.steps
    assert first.timings.tls > 0
    assert [step.timings.tls for step in rest] == [0, 0, 0], "all steps use one connection"


def test_a_trailing_dot_is_no_part_of_a_certificates_name(shop: MockShop, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with tls_proxy(shop.url, certificate) as url, environment(SSL_CERT_FILE=str(certificate)):
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with start_tls(socket.create_connection(address), "localhost.", Deadline(5)) as secure:
            assert secure.server_hostname == "localhost"


def test_a_handshake_timeout_fails_with_tls(journey: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        outcome = replay_journey(
            f"https://127.0.0.1:{silent.getsockname()[1]}", journey, SHORT_LIMITS
        )
    assert outcome.reason == "tls"


def test_reconnects_after_the_server_closed_an_idle_connection(
    shop: MockShop, journey: Path
) -> None:
    def close_after(handler: BaseHTTPRequestHandler) -> None:
        # one packet with response and FIN: the client sees the end before its next request
        handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        respond(handler, 200, {"access_token": "t.t.t", "expires_in": 300})
        handler.connection.shutdown(socket.SHUT_WR)
        handler.close_connection = True  # without a Connection header

    shop.faults["POST /token"] = close_after
    outcome = replay_journey(shop.url, journey)
    assert (outcome.result, outcome.attempt) == ("passed", 1)
    assert [step.timings.connect > 0 for step in outcome.steps] == [True, True, False, False]


@contextmanager
def tls_proxy(url: str, certificate: Path) -> Iterator[str]:
    """Serve ``url`` over TLS on another port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    port = int(url.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=partial(_accept, listener, context, port), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        try:
            outside = context.wrap_socket(plain, server_side=True)
        except OSError:
            plain.close()
            continue
        inside = socket.create_connection(("127.0.0.1", port))
        for pair in ((outside, inside), (inside, outside)):
            threading.Thread(target=_pump, args=pair, daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        sink.close()
