"""The sender of a relay: its trust, and which responses delay all messages or only their own."""

import ssl
import threading
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from servicekit.auth.service_token import ServiceToken
from servicekit.http.http_connection import HttpConnection, Origin
from servicekit.outbox.messages import DeliveryRejected, ReceiverUnavailable
from servicekit.outbox.relay import DeliveryRequest, HttpSender
from servicekit.problems import Unavailable
from servicekit.testing import StubHandler, environment
from servicekit.testing.certificates import strict_by_default
from tests.support.synthetic.authority import Authority


class _Peer(StubHandler):
    def do_POST(self) -> None:
        """Return a token."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_json(200, {"access_token": "a-token", "expires_in": 300})

    def do_GET(self) -> None:
        """Return an empty object."""
        self.send_json(200, {})

    def do_DELETE(self) -> None:
        """Return the status that the path ends with."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_json(int(self.path.rpartition("/")[2]), {})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The base URL of a receiver that is also auth."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Peer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A private authority, whose certificates have no key identifiers."""
    return Authority(tmp_path)


@pytest.fixture
def secure_url(authority: Authority) -> Iterator[str]:
    """The base URL of a receiver with a certificate of the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("receiver"))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Peer) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def token(url: str, tmp_path: Path) -> Iterator[ServiceToken]:
    """A token of the receiver without TLS."""
    found = new_token(url, tmp_path)
    yield found
    found.close()


def new_token(url: str, folder: Path) -> ServiceToken:
    """Return a token of a receiver."""
    (folder / "secret").write_text("a-secret")
    return ServiceToken(f"{url}/users/token", "clients", folder / "secret")


def deliver(url: str, status: int, token: ServiceToken) -> None:
    """Deliver a message that is answered with a status."""
    request = DeliveryRequest("DELETE", f"{url}/{status}", lambda kind, subject: {kind: subject})
    HttpSender(request, token).deliver("client", 1)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_success_is_a_delivery(url: str, token: ServiceToken, status: int) -> None:
    deliver(url, status, token)


@pytest.mark.parametrize("status", [401, 408, 429, 500, 502, 503, 504, 599])
def test_a_temporary_error_is_an_unavailable_receiver(
    url: str, token: ServiceToken, status: int
) -> None:
    with pytest.raises(ReceiverUnavailable):
        deliver(url, status, token)


@pytest.mark.parametrize("status", [301, 302, 308, 400, 403, 404, 405, 409, 410, 413, 415, 422])
def test_another_response_is_a_rejection_of_the_message(
    url: str, token: ServiceToken, status: int
) -> None:
    with pytest.raises(DeliveryRejected, match=f"status {status}"):
        deliver(url, status, token)


def test_all_calls_trust_a_private_authority(
    secure_url: str, authority: Authority, tmp_path: Path
) -> None:
    with environment(SSL_CERT_FILE=str(authority.certificate)), strict_by_default():
        token = new_token(secure_url, tmp_path)
        assert token.get() == "a-token"
        deliver(secure_url, 200, token)
        connection = HttpConnection(Origin.from_url(secure_url))
        deadline = time.monotonic() + 5
        connection.send("/200", {}, deadline)
        assert connection.receive(deadline).status == 200
    connection.close()
    token.close()


def test_neither_trusts_an_unknown_authority(
    secure_url: str, token: ServiceToken, tmp_path: Path
) -> None:
    with pytest.raises(ReceiverUnavailable):
        deliver(secure_url, 200, token)
    refused = new_token(secure_url, tmp_path)
    with pytest.raises(Unavailable):
        refused.get()
    refused.close()
