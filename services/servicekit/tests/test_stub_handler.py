"""The stand-ins of the tests: a caller that goes in the middle is no failure of theirs."""

import socket
import struct
from http.server import HTTPServer

import pytest

from servicekit.testing import StubHandler


def test_a_connection_that_is_reset_ends_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    with HTTPServer(("127.0.0.1", 0), StubHandler) as server:
        caller = socket.create_connection(("127.0.0.1", server.server_port))
        at_once = struct.pack("ii", 1, 0)
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        caller.close()
        server.handle_request()
    assert capsys.readouterr().err == ""
