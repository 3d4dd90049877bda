"""The sender of a relay: which responses delay all messages, and which only their own."""

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from servicekit.auth.service_token import ServiceToken
from servicekit.outbox.messages import DeliveryRejected, ReceiverUnavailable
from servicekit.outbox.relay import DeliveryRequest, HttpSender
from servicekit.testing import StubHandler


class _Peer(StubHandler):
    def do_POST(self) -> None:
        """Return a token."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_json(200, {"access_token": "a-token", "expires_in": 300})

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


def deliver(url: str, status: int, folder: Path) -> None:
    """Deliver a message that is answered with a status."""
    (folder / "secret").write_text("a-secret")
    token = ServiceToken(f"{url}/users/token", "clients", folder / "secret")
    request = DeliveryRequest("DELETE", f"{url}/{status}", lambda kind, subject: {kind: subject})
    try:
        HttpSender(request, token).deliver("client", 1)
    finally:
        token.close()


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_success_is_a_delivery(url: str, tmp_path: Path, status: int) -> None:
    deliver(url, status, tmp_path)


@pytest.mark.parametrize("status", [401, 408, 429, 500, 502, 503, 504, 599])
def test_a_temporary_error_is_an_unavailable_receiver(
    url: str, tmp_path: Path, status: int
) -> None:
    with pytest.raises(ReceiverUnavailable):
        deliver(url, status, tmp_path)


@pytest.mark.parametrize("status", [301, 302, 308, 400, 403, 404, 405, 409, 410, 413, 415, 422])
def test_another_response_is_a_rejection_of_the_message(
    url: str, tmp_path: Path, status: int
) -> None:
    with pytest.raises(DeliveryRejected, match=f"status {status}"):
        deliver(url, status, tmp_path)
