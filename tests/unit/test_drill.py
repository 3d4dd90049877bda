"""The drill's proxy over HTTP, each of its ports before a service that is well; and its table."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from localstack.catalogue import SERVICES
from servicekit.testing import StandIn
from tests.drill import faults, proxy, runner
from tests.drill.certificates import Authority
from tests.drill.experiment import Row
from tests.drill.faults import FAULTS, is_spoiled

HOST = "localhost"
TOKEN = {"Authorization": "Bearer good"}


class Service(StandIn):
    """Tells who has called it."""

    def do_GET(self) -> None:
        """Answer."""
        self.answer(200, {"host": self.headers["Host"]})

    def do_POST(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        told = {"path": self.path, "body": body, "token": self.headers["Authorization"]}
        self.answer(201, told)


@contextmanager
def serving(server: http.server.ThreadingHTTPServer) -> Iterator[int]:
    """Serve while the block runs, at the port that it is given."""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def places() -> Iterator[dict[str, str]]:
    """Where a service is."""
    with serving(http.server.ThreadingHTTPServer((HOST, 0), Service)) as port:
        yield {"clients": f"http://{HOST}:{port}"}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority whose certificates are in a folder: for the right name, and for another."""
    made = Authority()
    for name, host in (("tls", HOST), ("tls-wrong", f"not-{HOST}")):
        certificate, key = made.issue(host)
        (tmp_path / f"{name}.crt").write_text(certificate)
        (tmp_path / f"{name}.key").write_text(key)
    return made


def ask(fault: str, places: dict[str, str], patience: float = 10) -> httpx.Response:
    """Call the service through the proxy's port for a fault, and wait so many seconds."""
    server = proxy.make_server(fault, 0, places, Path())
    with serving(server) as port:
        url = f"http://{HOST}:{port}/clients/create?a=b"
        return httpx.post(url, headers=TOKEN, content="{}", timeout=patience)


def test_a_wrong_status_is_all_that_is_wrong(places: dict[str, str]) -> None:
    answer = ask("status", places)
    assert answer.status_code == 500
    assert answer.json() == {"path": "/clients/create?a=b", "body": "{}", "token": "Bearer good"}


def test_a_broken_contract_keeps_the_status(places: dict[str, str]) -> None:
    answer = ask("contract", places)
    assert (answer.status_code, list(answer.json())) == (201, ["spoiled"])


def test_a_spoiled_token_reaches_the_service(places: dict[str, str]) -> None:
    assert ask("token", places).json()["token"] == "Bearer spoiled"


def test_a_slow_service_answers_when_nobody_waits_any_more(
    places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "DELAY", 1.0)
    with pytest.raises(httpx.ReadTimeout):
        ask("slow", places, patience=0.2)
    assert ask("slow", places).status_code == 201


@pytest.mark.parametrize("fault", proxy.PORTS)
def test_a_fault_is_known_to_be_in_force(
    places: dict[str, str], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(proxy, "DELAY", 0.5)
    monkeypatch.setattr(faults, "SLOW", 0.25)
    assert not is_spoiled(f"{places['clients']}/clients/x", HOST, fault)
    with serving(proxy.make_server(fault, 0, places, Path())) as port:
        url = f"http://{HOST}:{port}/clients/x"
        assert is_spoiled(url, HOST, fault)
        assert not is_spoiled(url, HOST, "another")


@pytest.mark.parametrize("fault", proxy.TLS_PORTS)
def test_a_certificate_is_accepted_by_its_name_alone(
    authority: Authority,
    places: dict[str, str],
    tmp_path: Path,
    fault: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    trust = ssl.create_default_context(cadata=authority.pem)
    trust.verify_flags |= ssl.VERIFY_X509_STRICT
    with (
        serving(proxy.make_server(fault, 0, places, tmp_path)) as port,
        httpx.Client(base_url=f"https://{HOST}:{port}", verify=trust, timeout=10) as client,
    ):
        if fault == "tls":
            assert client.post("/clients/x", content="{}", headers=TOKEN).status_code == 201
        else:
            with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
                client.post("/clients/x", content="{}", headers=TOKEN)
    assert not capfd.readouterr().err  # who hangs up is nobody's fault here


def test_every_fault_is_drilled_once_by_schedule_and_each_service_takes_its_turn() -> None:
    faults = [fault.name for fault in FAULTS]
    parts = runner.whole(faults, SERVICES, "both")
    assert len(parts) == 32
    scheduled = [part for part in parts if part.started_by == "schedule"]
    assert [part.fault.name for part in scheduled] == faults
    assert {part.service for part in scheduled} == set(SERVICES)
    assert [part.fault.name for part in runner.diagonal()] == faults


def test_a_miss_stands_in_the_table() -> None:
    row = Row("slow", "auth", "request", misses=["no alert"])
    assert runner.table([row]).splitlines()[1].split() == [
        *("slow", "auth", "request", "-", "-", "-", "-", "-", "no", "alert")
    ]
