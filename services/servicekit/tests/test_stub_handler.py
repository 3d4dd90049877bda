"""Stub handler: a disconnected client is not an error."""

import socket
import struct
from http.server import HTTPServer

import pytest

from servicekit.testing import StubHandler


def test_reset_connection_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with HTTPServer(("127.0.0.1", 0), StubHandler) as server:
        caller = socket.create_connection(("127.0.0.1", server.server_port))
        reset = struct.pack("ii", 1, 0)
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        caller.close()
        server.handle_request()
    assert capsys.readouterr().err == ""
