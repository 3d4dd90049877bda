"""Answers broken in many ways, over real sockets: the reason, and a detail that names the cause."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from servicekit.testing import environment
from synthetic.probe.replay import replay
from synthetic.probe.results import RunResult
from synthetic.probe.runner import Limits
from tests.support.ports import free_port
from tests.support.synthetic.authority import Authority
from tests.support.synthetic.mock_api import write_call
from tests.support.synthetic.mock_shop import LONG_LIMITS, SHORT_LIMITS
from tests.support.synthetic.socket_server import (
    GOOD,
    Behaviour,
    continue_forever,
    drip,
    gzipped,
    reply,
    reset_after,
    run_socket_server,
    send,
    silent,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Version: 1\r\n"
LONG = b"X-Long: " + b"x" * 1_000_000 + b"\r\n"
MANY = b"".join(b"X-%d: 1\r\n" % number for number in range(10_000))
DEEP = b"[" * 100_000 + b"]" * 100_000
SWITCHED = b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
SLOW = (silent, drip, continue_forever)


class Broken(NamedTuple):
    """A behaviour of a server, and what the probe says of it."""

    behave: Behaviour
    reason: str
    detail: str


BROKEN = {
    "status-500": Broken(reply(status="500 Oops"), "http_status", "status is 500"),
    "status-404": Broken(reply(status="404 Lost"), "http_status", "status is 404"),
    "status-401": Broken(reply(status="401 No"), "auth", "status is 401"),
    "undeclared-status": Broken(reply(status="202 Later"), "schema", "declare the status 202"),
    "interim-only": Broken(send(b"HTTP/1.1 100 Continue\r\n\r\n"), "connect", "closed before"),
    "interim-forever": Broken(continue_forever, "timeout", "before the deadline"),
    "switching": Broken(send(b"HTTP/1.1 101 S\r\n\r\n"), "schema", "not valid HTTP/1.1"),
    "wrong-type": Broken(reply({**GOOD, "id": "1"}), "schema", "at /id: the value is not of type"),
    "missing-member": Broken(reply({"id": 1}), "schema", '"name" is a required property'),
    "extra-member": Broken(reply({**GOOD, "x": 1}), "schema", "'x' was unexpected"),
    "format": Broken(
        reply({**GOOD, "day": "soon"}), "schema", 'at /day: the value is not a "date"'
    ),
    "enum": Broken(reply({**GOOD, "kind": "z"}), "schema", "at /kind: the value is not one of"),
    "header-missing": Broken(reply(X_Version=None), "schema", "header X-Version is missing"),
    "header-type": Broken(reply(X_Version="one"), "schema", "header X-Version: the value is not"),
    "no-content-type": Broken(reply(Content_Type=None), "schema", "200 came as nothing"),
    "wrong-content-type": Broken(reply(Content_Type="text/html"), "schema", "came as text/html"),
    "charset": Broken(reply(raw=b'{"id": 1, "name": "\xe9"}'), "schema", "it is not UTF-8"),
    "utf-16": Broken(reply(raw='{"id": 1}'.encode("utf-16")), "schema", "it is not UTF-8"),
    "gzip-truncated": Broken(
        reply(raw=gzipped()[:-9], Content_Encoding="gzip"), "schema", "is not valid gzip"
    ),
    "coding-unknown": Broken(reply(Content_Encoding="br"), "schema", "the content coding br"),
    "gzip-bomb": Broken(
        reply(raw=gzipped(9_000_000), Content_Encoding="gzip"), "schema", "longer than 8388608"
    ),
    "json-invalid": Broken(reply(raw=b"{'id': 1}"), "schema", "not JSON: Expecting property name"),
    "json-truncated": Broken(reply(raw=b'{"id": 1'), "schema", "not JSON: Expecting ',' delimiter"),
    "json-empty": Broken(reply(raw=b""), "schema", "not JSON: it is empty"),
    "json-nan": Broken(reply(raw=b'{"id": NaN, "name": "x"}'), "schema", "NaN is not JSON"),
    "json-repeated": Broken(
        reply(raw=b'{"id": 1, "name": "x", "id": 1}'), "schema", "the member id is repeated"
    ),
    "json-bom": Broken(reply(raw=b'\xef\xbb\xbf{"id": 1}'), "schema", "a byte order mark"),
    "json-deep": Broken(reply(raw=DEEP), "schema", "it is nested too deeply"),
    "length-too-long": Broken(reply(Content_Length="99"), "connect", "closed before"),
    "length-too-short": Broken(reply(Content_Length="5"), "schema", "is not JSON"),
    "length-negative": Broken(reply(Content_Length="-5"), "schema", "bad Content-Length"),
    "length-twice": Broken(
        send(HEAD, b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), "schema", "Content-Length"
    ),
    "chunk-size": Broken(
        send(HEAD, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"), "schema", "chunk header"
    ),
    "chunk-truncated": Broken(
        send(HEAD, b"Transfer-Encoding: chunked\r\n\r\n9\r\n{}"), "connect", "closed before"
    ),
    "http-0.9": Broken(send(b"<html>hello</html>\r\n\r\n"), "schema", "illegal status line"),
    "other-protocol": Broken(send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "schema", "illegal status line"),
    "header-syntax": Broken(send(HEAD, b"no header\r\n\r\n"), "schema", "illegal header line"),
    "header-long": Broken(send(HEAD, LONG, b"\r\n{}"), "schema", "too long"),
    "headers-many": Broken(send(HEAD, MANY, b"\r\n{}"), "schema", "too long"),
    "nothing": Broken(send(b""), "connect", "closed before the response"),
    "reset": Broken(reset_after(b""), "connect", "the connection broke"),
    "reset-in-headers": Broken(reset_after(HEAD), "connect", "the connection broke"),
    "reset-in-body": Broken(
        reset_after(HEAD + b"Content-Length: 9\r\n\r\n{"), "connect", "the connection broke"
    ),
    "drip": Broken(drip, "timeout", "no complete response before the deadline"),
    "silent": Broken(silent, "timeout", "no complete response before the deadline"),
    "redirect": Broken(
        reply(status="302 F", Location="https://other.example/?token=abc"),
        "schema",
        "the status 302, which redirects to https://other.example/?token=***",
    ),
    "redirect-loop": Broken(reply(status="301 M", Location="/x"), "schema", "redirects to /x"),
    "redirect-nowhere": Broken(reply(status="307 T"), "schema", "redirects without a Location"),
    "long-body": Broken(reply({**GOOD, "x": "x" * 9_000_000}), "schema", "longer than 8388608"),
    "5-megabytes": Broken(reply({**GOOD, "x": "x" * 5_000_000}), "schema", "'x' was unexpected"),
}
CONTRACT = {
    "description": "d",
    "headers": {"X-Version": {"required": True, "schema": {"type": "integer"}}},
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "name"],
                "properties": {
                    "id": {"type": "integer"},
                    "name": {"type": "string"},
                    "day": {"type": "string", "format": "date"},
                    "kind": {"enum": ["a", "b"]},
                },
            }
        }
    },
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A journey of one call."""
    return write_call(tmp_path, {"responses": {"200": CONTRACT}})


def run(url: str, file: Path, limits: Limits = LONG_LIMITS) -> RunResult:
    """Replay the journey against a server."""
    return replay("calls", url, None, limits, file=file)


def test_a_good_answer_passes(file: Path) -> None:
    for behave in (reply(), reply(raw=gzipped(5_000_000), Content_Encoding="gzip")):
        with run_socket_server(behave) as url:
            assert run(url, file).result == "passed"


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_has_its_reason_and_its_cause(file: Path, broken: Broken) -> None:
    limits = SHORT_LIMITS if broken.behave in SLOW else LONG_LIMITS
    with run_socket_server(broken.behave) as url:
        result = run(url, file, limits)
    assert (result.result, result.reason) == ("failed", broken.reason), result.detail
    assert broken.detail in result.detail
    assert len(result.detail) < 500


def test_a_server_that_cannot_be_reached(file: Path) -> None:
    refused = run(f"http://127.0.0.1:{free_port()}", file)
    assert (refused.reason, "refused" in refused.detail) == ("connect", True)
    unknown = run("http://nowhere.invalid", file)
    assert (unknown.reason, "nowhere.invalid" in unknown.detail) == ("dns", True)


def server_context(authority: Authority, **changes: object) -> ssl.SSLContext:
    """Return the TLS settings of a server whose certificate an authority has issued."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server", **changes))  # type: ignore[arg-type] # of issue
    return context


def old(authority: Authority) -> ssl.SSLContext:
    """Return the settings of a server without a current version of TLS."""
    context = server_context(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


TLS: dict[str, tuple[Callable[[Authority], ssl.SSLContext], str]] = {
    "expired": (lambda a: server_context(a, days=-0.5), "certificate has expired"),
    "not-yet-valid": (lambda a: server_context(a, days=9), "certificate is not yet valid"),
    "wrong-host": (lambda a: server_context(a, address="127.0.0.2"), "IP address mismatch"),
    "old": (old, "no TLS version that both sides support"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # old versions are under test
@pytest.mark.parametrize(("context", "detail"), TLS.values(), ids=TLS)
def test_a_broken_handshake_has_its_cause(
    tmp_path: Path, file: Path, context: Callable[[Authority], ssl.SSLContext], detail: str
) -> None:
    authority = Authority(tmp_path)
    with (
        environment(SSL_CERT_FILE=str(authority.certificate)),
        run_socket_server(reply(), context(authority)) as url,
    ):
        result = run(url, file)
    assert (result.reason, detail in result.detail) == ("tls", True), result.detail


def test_an_unknown_authority_is_a_failure_of_tls(tmp_path: Path, file: Path) -> None:
    with run_socket_server(reply(), server_context(Authority(tmp_path))) as url:
        result = run(url, file)
        plain = run(url.replace("https:", "http:"), file)
    assert (result.reason, "unable to get local issuer" in result.detail) == ("tls", True)
    assert plain.reason in {"connect", "schema"}, plain.detail


def test_plain_http_at_a_port_of_tls_is_named(file: Path) -> None:
    with run_socket_server(send(b"HTTP/1.1 400 Bad\r\n\r\n")) as url:
        result = run(url.replace("http:", "https:"), file, SHORT_LIMITS)
    assert (result.reason, result.step) == ("tls", "call")


def test_the_table_has_many_kinds() -> None:
    assert len(BROKEN) + len(TLS) >= 50


def test_a_server_that_switches_the_protocol_fails_the_step(tmp_path: Path) -> None:
    headers = {"Connection": "upgrade", "Upgrade": "x"}
    parameters = [{"name": name, "in": "header"} for name in headers]
    given = [{**each, "value": headers[each["name"]]} for each in parameters]
    file = write_call(tmp_path, {"parameters": parameters}, {"parameters": given})
    with run_socket_server(send(SWITCHED)) as url:
        result = replay("calls", url, limits=SHORT_LIMITS, file=file)
    assert (result.result, result.reason) == ("failed", "schema")
    assert result.detail == "the server switched to another protocol (101)"
