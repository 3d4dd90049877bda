"""Proxies and client certificates of the command, with a real proxy and a real TLS server."""

import json
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from servicekit.testing import environment
from synthetic.cli import main
from synthetic.probe.signals import Signals
from tests.support.synthetic.authority import Authority
from tests.support.synthetic.http_proxy import HttpProxy, run_http_proxy
from tests.support.synthetic.mock_api import MockApi, run_mock_api, write_call
from tests.support.synthetic.socket_server import (
    Behaviour,
    continue_without_pause,
    run_socket_server,
    send,
    silent,
)

OK = send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
LOGIN = "ana:Kq7-Zw9+Xv4"
ENCODED_LOGIN = "ana:Kq7-Zw9%2BXv4"


@pytest.fixture
def proxy() -> Iterator[HttpProxy]:
    """A proxy without a login."""
    with run_http_proxy(HttpProxy()) as served:
        yield served


@contextmanager
def tls_server(authority: Authority, *, demands_certificate: bool = False) -> Iterator[str]:
    """Serve over TLS; yield the URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    if demands_certificate:
        context.load_verify_locations(authority.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
    with run_socket_server(OK, context) as url:
        yield url


class Probe:
    """Runs `synthetic probe` in this process, and reads its result."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Write a journey of one call."""
        self._file = write_call(folder, {})
        self._log = folder / "log"
        self._capsys = capsys
        self.errors = ""

    def run(self, url: str, *options: object, **variables: str) -> dict[str, Any]:
        """Return the result; an empty one if the probe could not run."""
        command = ["synthetic", "probe", "calls", "--file", self._file, "--url", url]
        # the log, since secrets of other tests may mask words of the output
        command += ["--retries", "0", "--termination-log", self._log, *options]
        with (
            patch.object(Signals, "install"),
            patch.object(sys, "argv", list(map(str, command))),
            environment(**variables),
        ):
            main()
        printed = self._capsys.readouterr()
        self.errors = printed.err
        assert LOGIN.partition(":")[2] not in printed.out + printed.err
        found: dict[str, Any] = json.loads(self._log.read_text()) if printed.out else {}
        return found


@pytest.fixture
def probe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Probe:
    """The command."""
    return Probe(tmp_path, capsys)


def test_plain_requests_have_the_absolute_form(probe: Probe, proxy: HttpProxy) -> None:
    with run_mock_api(MockApi()) as api:
        result = probe.run(f"{api.url}/base", "--proxy", proxy.url())
    assert result["result"] == "passed", result
    assert proxy.lines == [f"GET {api.url}/base/x HTTP/1.1"]
    (request,) = api.requests
    assert request.target == "/base/x"
    assert request.headers["host"] == api.url.removeprefix("http://")


def test_requests_with_tls_go_through_a_tunnel(
    probe: Probe, proxy: HttpProxy, authority: Authority
) -> None:
    with tls_server(authority) as url:
        result = probe.run(url, "--proxy", proxy.url())
    assert result["result"] == "passed", result
    assert proxy.lines == [f"CONNECT {url.removeprefix('https://')} HTTP/1.1"]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("source", ["--proxy", "--proxy-file"])
def test_the_proxy_gets_the_login_of_its_url(
    probe: Probe, authority: Authority, tmp_path: Path, scheme: str, source: str
) -> None:
    server = tls_server(authority) if scheme == "https" else run_socket_server(OK)
    with run_http_proxy(HttpProxy(login=LOGIN)) as proxy, server as url:
        value: object = proxy.url(ENCODED_LOGIN)
        if source == "--proxy-file":
            (tmp_path / "proxy").write_text(f"{value}\n")
            value = tmp_path / "proxy"
        assert probe.run(url, source, value)["result"] == "passed"
        refused = probe.run(url, "--proxy", proxy.url())
    assert (refused["result"], refused["reason"]) == ("error", "runner")
    assert "demands other credentials (407)" in refused["detail"]


def test_the_environment_names_no_proxy(probe: Probe, proxy: HttpProxy) -> None:
    names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")
    with run_mock_api(MockApi()) as api:
        result = probe.run(api.url, **dict.fromkeys(names, proxy.url()))
    assert result["result"] == "passed"
    assert proxy.lines == []


def test_a_proxy_that_is_away_is_no_failure_of_the_target(probe: Probe) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    result = probe.run("http://127.0.0.1:9", "--proxy", f"http://127.0.0.1:{port}")
    assert (result["result"], result["reason"]) == ("error", "runner")
    assert f"the proxy 127.0.0.1:{port} cannot be reached: no connection" in result["detail"]


def test_a_target_that_the_proxy_cannot_reach_fails(probe: Probe, proxy: HttpProxy) -> None:
    result = probe.run("https://127.0.0.1:1", "--proxy", proxy.url())
    assert (result["result"], result["reason"]) == ("failed", "connect")
    assert "cannot reach 127.0.0.1:1: its status is 502" in result["detail"]


def test_a_proxy_that_rejects_the_target_is_no_failure_of_the_target(probe: Probe) -> None:
    with run_http_proxy(HttpProxy(forbids=True)) as proxy:
        result = probe.run("https://127.0.0.1:1", "--proxy", proxy.url())
    assert (result["result"], result["reason"]) == ("error", "runner")
    assert "does not permit the target (403)" in result["detail"]


@pytest.mark.parametrize("behave", [silent, continue_without_pause])
def test_a_proxy_that_opens_no_tunnel_in_time_is_named(probe: Probe, behave: Behaviour) -> None:
    with run_socket_server(behave) as url:
        result = probe.run("https://127.0.0.1:1", "--proxy", url, "--timeout", "1")
    assert (result["result"], result["reason"]) == ("failed", "timeout")
    assert "opened no tunnel in time" in result["detail"]


@pytest.mark.parametrize(
    "content", [b"", b"\x00garbage\r\n\r\n", b"HTTP/1.1 2"], ids=["nothing", "garbage", "part"]
)
def test_a_server_that_is_no_proxy_is_named(probe: Probe, content: bytes) -> None:
    with run_socket_server(send(content)) as url:
        result = probe.run("https://127.0.0.1:1", "--proxy", url)
    assert (result["result"], result["reason"]) == ("error", "runner")
    assert "sent no valid response to CONNECT" in result["detail"]


@pytest.mark.parametrize(
    "url",
    [
        "proxy.example:3128",
        "https://proxy.example",
        "socks5://proxy.example",
        "http://ana:Kq7-Zw9%2BXv4@proxy.example/path",
        "http://ana:Kq7-Zw9%2BXv4@[::1",
        "http://proxy.example:99999",
        "",
    ],
)
def test_an_invalid_proxy_is_an_error_without_its_password(
    probe: Probe, tmp_path: Path, url: str
) -> None:
    assert probe.run("http://127.0.0.1:9", "--proxy", url) == {}
    assert "--proxy must be like http://proxy.example:3128" in probe.errors
    (tmp_path / "proxy").write_text(url)
    assert probe.run("http://127.0.0.1:9", "--proxy-file", tmp_path / "proxy") == {}
    assert f"--proxy-file {tmp_path / 'proxy'} must be like" in probe.errors
    assert "Kq7" not in probe.errors


def test_a_certificate_is_presented_to_every_server_with_tls(
    probe: Probe, proxy: HttpProxy, authority: Authority
) -> None:
    certificate, key = authority.issue("client")
    files = ("--client-certificate", certificate, "--client-key", key)
    with tls_server(authority, demands_certificate=True) as url:
        assert probe.run(url, *files)["result"] == "passed"
        assert probe.run(url, *files, "--proxy", proxy.url())["result"] == "passed"
        refused = probe.run(url)
    assert (refused["result"], refused["reason"]) == ("failed", "auth")
    assert "certificate required" in refused["detail"]


@pytest.mark.parametrize(
    ("hosts", "is_run"), [("127.0.0.1", True), ("a.example", False), ("", False)]
)
def test_a_certificate_is_used_for_allowed_hosts_alone(
    probe: Probe, authority: Authority, hosts: str, *, is_run: bool
) -> None:
    certificate, key = authority.issue("client")
    files = ("--client-certificate", certificate, "--client-key", key)
    with tls_server(authority, demands_certificate=True) as url:
        result = probe.run(url, *files, CERTIFICATE_HOSTS=hosts)
    assert bool(result) is is_run
    assert ("may not be used for 127.0.0.1" in probe.errors) is not is_run


def test_a_certificate_does_not_follow_a_redirect_to_another_origin(
    probe: Probe, authority: Authority
) -> None:
    certificate, key = authority.issue("client")
    with tls_server(authority, demands_certificate=True) as other:
        moved = send(f"HTTP/1.1 302 Found\r\nLocation: {other}/x\r\n\r\n".encode())
        with run_socket_server(moved) as url:
            result = probe.run(
                url,
                *("--follow-redirects", "1"),
                *("--client-certificate", certificate, "--client-key", key),
            )
    assert (result["reason"], "certificate required" in result["detail"]) == ("auth", True)


def test_half_of_a_certificate_or_a_missing_file_is_an_error(
    probe: Probe, authority: Authority
) -> None:
    certificate, key = authority.issue("client")
    for given in (("--client-certificate", certificate), ("--client-key", key)):
        assert probe.run("https://127.0.0.1:9", *given) == {}
        assert "--client-certificate and --client-key need each other" in probe.errors
    lost = key.with_name("lost")
    files = ("--client-certificate", certificate, "--client-key", lost)
    assert probe.run("https://127.0.0.1:9", *files) == {}
    assert f"--client-key: {lost} cannot be read: name a PEM file" in probe.errors


def test_a_key_of_another_certificate_is_no_failure_of_the_system(
    probe: Probe, authority: Authority
) -> None:
    (certificate, _), (_, other) = authority.issue("client"), authority.issue("other")
    files = ("--client-certificate", certificate, "--client-key", other)
    with tls_server(authority, demands_certificate=True) as url:
        result = probe.run(url, *files)
    assert (result["result"], result["reason"]) == ("error", "runner")
    assert f"key {other} is not the key of the certificate {certificate}" in result["detail"]


def test_two_proxies_are_an_error(probe: Probe, tmp_path: Path) -> None:
    both = ("--proxy", "http://127.0.0.1:9", "--proxy-file", tmp_path / "x")
    assert probe.run("http://127.0.0.1:9", *both) == {}
    assert "--proxy and --proxy-file exclude each other" in probe.errors


@pytest.mark.parametrize(("hosts", "is_run"), [("127.0.0.1", False), ("127.0.0.1,localhost", True)])
@pytest.mark.parametrize("kind", ["CREDENTIALS_HOSTS", "INPUTS_HOSTS"])
def test_a_proxy_has_to_be_a_host_that_may_receive_the_secrets(
    probe: Probe, proxy: HttpProxy, tmp_path: Path, kind: str, hosts: str, *, is_run: bool
) -> None:
    (tmp_path / "secret").mkdir()
    option = "--credentials" if kind == "CREDENTIALS_HOSTS" else "--inputs-from"
    given = (option, tmp_path / "secret", "--proxy", f"http://localhost:{proxy.port}")
    with run_mock_api(MockApi()) as api:
        result = probe.run(api.url, *given, **{kind: hosts})
    assert bool(result) is is_run
    assert ("may not be sent to localhost" in probe.errors) is not is_run
    assert len(proxy.lines) == is_run


def test_contracts_at_urls_are_downloaded_through_the_proxy(
    probe: Probe, proxy: HttpProxy, tmp_path: Path
) -> None:
    contract = MockApi(body=(tmp_path / "api.yaml").read_bytes())
    with run_mock_api(contract) as web, run_mock_api(MockApi()) as api:
        file = tmp_path / "calls.arazzo.yaml"
        file.write_text(file.read_text().replace("url: api.yaml", f"url: {web.url}/api.yaml"))
        assert probe.run(api.url, "--proxy", proxy.url())["result"] == "passed"
    assert proxy.lines == [f"GET {web.url}/api.yaml HTTP/1.1", f"GET {api.url}/x HTTP/1.1"]
