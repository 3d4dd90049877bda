"""Tests of the drill's proxy, its cases and its table."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from devstack.service_catalog import SERVICES
from servicekit.testing import StubHandler
from tests.drill import faults, proxy, runner
from tests.drill.certificates import Authority
from tests.drill.experiment import Row
from tests.drill.faults import FAULTS, is_faulty

HOST = "localhost"
TOKEN = {"Authorization": "Bearer good"}


class Service(StubHandler):
    """Returns the request that it has received."""

    def do_GET(self) -> None:
        """Return the Host header."""
        self.send_json(200, {"host": self.headers["Host"]})

    def do_POST(self) -> None:
        """Return the request."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        received = {"path": self.path, "body": body, "token": self.headers["Authorization"]}
        self.send_json(201, received)


@contextmanager
def serving(server: http.server.ThreadingHTTPServer) -> Iterator[int]:
    """Serve during the block, and yield the port."""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def upstreams() -> Iterator[dict[str, str]]:
    """The URL of a service."""
    with serving(http.server.ThreadingHTTPServer((HOST, 0), Service)) as port:
        yield {"clients": f"http://{HOST}:{port}"}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority; its certificates are in a folder: a valid one, and one for another name."""
    made = Authority()
    for name, host in (("tls", HOST), ("tls-wrong", f"not-{HOST}")):
        certificate, key = made.issue(host)
        (tmp_path / f"{name}.crt").write_text(certificate)
        (tmp_path / f"{name}.key").write_text(key)
    return made


def call(fault: str, upstreams: dict[str, str], timeout: float = 10) -> httpx.Response:
    """Send a request to the service through the proxy's port for a fault."""
    server = proxy.make_server(fault, 0, upstreams, Path())
    with serving(server) as port:
        url = f"http://{HOST}:{port}/clients/create?a=b"
        return httpx.post(url, headers=TOKEN, content="{}", timeout=timeout)


def test_the_status_fault_changes_the_status_only(upstreams: dict[str, str]) -> None:
    answer = call("status", upstreams)
    assert answer.status_code == 500
    assert answer.json() == {"path": "/clients/create?a=b", "body": "{}", "token": "Bearer good"}


def test_the_contract_fault_keeps_the_status(upstreams: dict[str, str]) -> None:
    answer = call("contract", upstreams)
    assert (answer.status_code, list(answer.json())) == (201, ["spoiled"])


def test_the_token_fault_forwards_an_invalid_token(upstreams: dict[str, str]) -> None:
    assert call("token", upstreams).json()["token"] == "Bearer spoiled"


def test_the_slow_fault_responds_after_the_timeout(
    upstreams: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "DELAY_SECONDS", 1.0)
    with pytest.raises(httpx.ReadTimeout):
        call("slow", upstreams, timeout=0.2)
    assert call("slow", upstreams).status_code == 201


@pytest.mark.parametrize("fault", proxy.PORTS)
def test_detects_an_active_fault(
    upstreams: dict[str, str], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(proxy, "DELAY_SECONDS", 0.5)
    monkeypatch.setattr(faults, "SLOW_SECONDS", 0.25)
    assert not is_faulty(f"{upstreams['clients']}/clients/x", HOST, fault)
    with serving(proxy.make_server(fault, 0, upstreams, Path())) as port:
        url = f"http://{HOST}:{port}/clients/x"
        assert is_faulty(url, HOST, fault)
        assert not is_faulty(url, HOST, "another")


@pytest.mark.parametrize("fault", proxy.TLS_PORTS)
def test_a_certificate_is_accepted_for_its_host_name_only(
    authority: Authority,
    upstreams: dict[str, str],
    tmp_path: Path,
    fault: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    trust = ssl.create_default_context(cadata=authority.pem)
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        serving(proxy.make_server(fault, 0, upstreams, tmp_path)) as port,
        httpx.Client(base_url=f"https://{HOST}:{port}", verify=trust, timeout=10) as client,
    ):
        if fault == "tls":
            assert client.post("/clients/x", content="{}", headers=TOKEN).status_code == 201
        else:
            with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
                client.post("/clients/x", content="{}", headers=TOKEN)
    assert not capfd.readouterr().err  # a closed connection is no error


def test_each_fault_has_one_scheduled_case_with_the_services_in_turn() -> None:
    faults = [fault.name for fault in FAULTS]
    cases = runner.matrix(faults, SERVICES, "both")
    assert len(cases) == 32
    scheduled = [case for case in cases if case.trigger == "schedule"]
    assert [case.fault.name for case in scheduled] == faults
    assert {case.service for case in scheduled} == set(SERVICES)
    assert [case.fault.name for case in runner.one_per_fault()] == faults


def test_the_table_shows_misses() -> None:
    row = Row("slow", "auth", "request", misses=["no alert"])
    assert runner.table([row]).splitlines()[1].split() == [
        *("slow", "auth", "request", "-", "-", "-", "-", "-", "no", "alert")
    ]
