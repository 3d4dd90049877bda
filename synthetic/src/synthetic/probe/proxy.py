"""Tunnels through an HTTP proxy (RFC 9110, 9.3.6)."""

import socket

import h11

from synthetic.probe.deadline import Deadline
from synthetic.probe.dial import MIN_TIMEOUT_SECONDS
from synthetic.probe.results import StepError, public_error
from synthetic.probe.target import Target
from synthetic.probe.transport import Proxy

CHUNK_BYTES = 65_536
SUCCESSFUL = range(200, 300)
FORBIDDEN, AUTHENTICATION_REQUIRED = 403, 407


def open_tunnel(
    connection: socket.socket, proxy: Proxy, target: Target, deadline: Deadline
) -> None:
    """Open a tunnel to a target through the proxy of a connection.

    Raises:
        StepError: with the reason connect if the proxy cannot reach the target, timeout, or
            runner if the proxy refuses; the connection is closed.

    """
    try:
        status = _connect(connection, proxy, target, deadline)
    except TimeoutError as error:
        connection.close()
        raise StepError("timeout", f"{_name(proxy)} opened no tunnel in time") from error
    except (OSError, h11.RemoteProtocolError) as error:
        connection.close()
        raise public_error("runner", f"{_name(proxy)} sent no valid response to CONNECT") from error
    if status not in SUCCESSFUL:
        connection.close()
        raise refusal(proxy, status) or StepError(
            "connect", f"{_name(proxy)} cannot reach {_authority(target)}: its status is {status}"
        )


def refusal(proxy: Proxy, status: int) -> StepError | None:
    """Return the error of a proxy that refuses the probe, which is no failure of the target."""
    if status == AUTHENTICATION_REQUIRED:
        return public_error("runner", f"{_name(proxy)} demands other credentials (407)")
    if status == FORBIDDEN:
        return public_error("runner", f"{_name(proxy)} does not permit the target (403)")
    return None


def unreachable(proxy: Proxy, error: StepError) -> StepError:
    """Return the error of a proxy without a connection."""
    return public_error("runner", f"{_name(proxy)} cannot be reached: {error}")


def _connect(connection: socket.socket, proxy: Proxy, target: Target, deadline: Deadline) -> int:
    protocol = h11.Connection(h11.CLIENT)
    headers = [("Host", _authority(target))]
    if proxy.authorization:
        headers.append(("Proxy-Authorization", proxy.authorization))
    request = h11.Request(method="CONNECT", target=_authority(target), headers=headers)
    connection.settimeout(max(deadline.remaining(), MIN_TIMEOUT_SECONDS))
    connection.sendall((protocol.send(request) or b"") + (protocol.send(h11.EndOfMessage()) or b""))
    while True:
        event = protocol.next_event()
        if isinstance(event, h11.Response):
            return event.status_code
        if deadline.expired:  # the proxy may send informational responses without an end
            raise TimeoutError
        if event is h11.NEED_DATA:
            connection.settimeout(max(deadline.remaining(), MIN_TIMEOUT_SECONDS))
            protocol.receive_data(connection.recv(CHUNK_BYTES))


def _authority(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{host}:{target.port}"


def _name(proxy: Proxy) -> str:
    host = f"[{proxy.host}]" if ":" in proxy.host else proxy.host
    return f"the proxy {host}:{proxy.port}"
