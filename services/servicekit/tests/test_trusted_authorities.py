"""Trust of the HTTP clients of a service: all of them read SSL_CERT_FILE."""

import ssl
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from servicekit.auth.service_token import ServiceToken
from servicekit.outbox.messages import ReceiverUnavailable
from servicekit.outbox.relay import DeliveryRequest, HttpSender
from servicekit.problems import Unavailable
from servicekit.testing import StubHandler, environment
from servicekit.testing.certificates import self_signed


class _Peer(StubHandler):
    def do_POST(self) -> None:
        """Return a token."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_json(200, {"access_token": "a-token", "expires_in": 300})

    def do_DELETE(self) -> None:
        """Receive a message."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_json(200, {"msg": "done"})


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """The key and the certificate of a private authority."""
    return self_signed(tmp_path)


@pytest.fixture
def url(certificate: Path) -> Iterator[str]:
    """The base URL of another service, with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Peer) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def new_token(url: str, folder: Path) -> ServiceToken:
    """Return a token of the other service."""
    (folder / "secret").write_text("a-secret")
    return ServiceToken(f"{url}/users/token", "clients", folder / "secret")


def new_sender(url: str, token: ServiceToken) -> HttpSender:
    """Return the sender of a relay to the other service."""
    request = DeliveryRequest(
        "DELETE", f"{url}/inventory/remove_many", lambda kind, subject_id: {kind: subject_id}
    )
    return HttpSender(request, token)


def test_a_token_and_a_delivery_trust_a_private_authority(
    url: str, certificate: Path, tmp_path: Path
) -> None:
    with environment(SSL_CERT_FILE=str(certificate)):
        token = new_token(url, tmp_path)
        assert token.get() == "a-token"
        new_sender(url, token).deliver("client", 1)
        token.close()


def test_neither_trusts_an_unknown_authority(url: str, certificate: Path, tmp_path: Path) -> None:
    token = new_token(url, tmp_path)
    with pytest.raises(Unavailable):
        token.get()
    token.close()
    with environment(SSL_CERT_FILE=str(certificate)):
        trusted = new_token(url, tmp_path)
    with pytest.raises(ReceiverUnavailable):
        new_sender(url, trusted).deliver("client", 1)
    trusted.close()
