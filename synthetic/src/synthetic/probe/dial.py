"""DNS look-up, TCP connection and TLS handshake, each with its own failure reason."""

import queue
import socket
import threading
from typing import TYPE_CHECKING, Any

from synthetic.probe.deadline import Deadline
from synthetic.probe.results import StepError

if TYPE_CHECKING:
    import ssl

MIN_TIMEOUT_SECONDS = 0.001  # a timeout of 0 would make the socket non-blocking

Addresses = list[tuple[socket.AddressFamily, Any]]


def resolve(host: str, port: int, deadline: Deadline) -> Addresses:
    """Return the addresses of a host, looked up in a thread because getaddrinfo has no timeout.

    Raises:
        StepError: with the reason dns.

    """
    found: queue.SimpleQueue[Addresses | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([(entry[0], entry[4]) for entry in entries])
        except OSError as error:
            found.put(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        result = found.get(timeout=max(deadline.remaining(), MIN_TIMEOUT_SECONDS))
    except queue.Empty:
        raise StepError("dns", f"the name {host} was not resolved in time") from None
    if isinstance(result, OSError):
        raise StepError("dns", f"the name {host} cannot be resolved: {result.strerror}") from result
    return result


def connect(addresses: Addresses, deadline: Deadline) -> socket.socket:
    """Return a connection to the first address that accepts one.

    Raises:
        StepError: with the reason connect.

    """
    failure = ""
    for index, (family, address) in enumerate(addresses):
        attempt = socket.socket(family, socket.SOCK_STREAM)
        try:
            attempt.settimeout(
                max(deadline.remaining() / (len(addresses) - index), MIN_TIMEOUT_SECONDS)
            )
            attempt.connect(address)
            attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            attempt.close()
            failure = "timed out" if isinstance(error, TimeoutError) else str(error.strerror)
        else:
            return attempt
    raise StepError("connect", f"no connection: {failure}")


def start_tls(
    plain: socket.socket,
    host: str,
    deadline: Deadline,
    certificate: tuple[str, str] | None = None,
) -> "ssl.SSLSocket":
    """Return a TLS connection after verifying the host's certificate.

    ``certificate`` has the files of the client's own certificate and key, for mutual TLS.

    Raises:
        StepError: with the reason tls, or auth for the client's files; the connection is closed.

    """
    import ssl  # noqa: PLC0415 - it needs 5 MB, and plain HTTP does not use it

    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if certificate is not None:
        try:
            context.load_cert_chain(*certificate, password="")
        except (OSError, ValueError) as error:
            plain.close()
            raise StepError(
                "auth", "tls.crt and tls.key are no certificate with its key"
            ) from error
    plain.settimeout(max(deadline.remaining(), MIN_TIMEOUT_SECONDS))
    try:
        # RFC 6066, 3: the name without a trailing dot, which certificates do not have either
        return context.wrap_socket(plain, server_hostname=host.removesuffix("."))
    except OSError as error:
        plain.close()
        raise StepError("tls", _tls_error_message(error)) from error


def _tls_error_message(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "the TLS handshake timed out"
    refusal = getattr(error, "verify_message", None)
    if refusal:
        return f"the certificate is not trusted: {refusal}"
    return f"the TLS handshake failed: {getattr(error, 'reason', None) or error.strerror}"
