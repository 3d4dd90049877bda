"""DNS look-up, TCP connection and TLS handshake, each with its own failure reason."""

import errno
import os
import queue
import re
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthetic.probe.deadline import Deadline
from synthetic.probe.results import StepError, public_error

if TYPE_CHECKING:
    import ssl

MIN_TIMEOUT_SECONDS = 0.001  # a timeout of 0 would make the socket non-blocking
NO_TLS = "the port does not speak TLS"
NO_VERSION = "there is no TLS version that both sides support"
TLS_FAILURES = {
    "WRONG_VERSION_NUMBER": NO_TLS,
    "PACKET_LENGTH_TOO_LONG": NO_TLS,
    "RECORD_LAYER_FAILURE": NO_TLS,
    "HTTP_REQUEST": NO_TLS,
    "UNSUPPORTED_PROTOCOL": NO_VERSION,
    "TLSV1_ALERT_PROTOCOL_VERSION": NO_VERSION,
    "NO_PROTOCOLS_AVAILABLE": NO_VERSION,
    "UNEXPECTED_EOF_WHILE_READING": "the server closed the connection",
}
# alerts of a server about certificates (RFC 8446, 6.2) concern the client's
_CERTIFICATE_ALERT = re.compile(r"ALERT_.*(?:CERTIFICATE|UNKNOWN_CA)")

# this machine cannot use an address, such as one of IPv6: no evidence about the server
NO_ROUTE = frozenset((errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.ENETUNREACH))

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
        timeout = max(deadline.remaining() / (len(addresses) - index), MIN_TIMEOUT_SECONDS)
        try:
            return _connect(family, address, timeout)
        except OSError as error:
            reason = "timed out" if isinstance(error, TimeoutError) else str(error.strerror)
            if error.errno not in NO_ROUTE or not failure:
                failure = reason
    raise StepError("connect", f"no connection: {failure}")


def _connect(family: socket.AddressFamily, address: Any, timeout: float) -> socket.socket:  # noqa: ANN401 - of its family
    attempt = socket.socket(family, socket.SOCK_STREAM)  # fails where IPv6 is disabled
    try:
        attempt.settimeout(timeout)
        attempt.connect(address)
        attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        attempt.close()
        raise
    return attempt


def start_tls(
    plain: socket.socket,
    host: str,
    deadline: Deadline,
    certificate: tuple[str, str] | None = None,
) -> "ssl.SSLSocket":
    """Return a TLS connection after verifying the host's certificate.

    ``certificate`` has the files of the client's own certificate and key, for mutual TLS.

    Raises:
        StepError: with the reason tls, auth if the server rejects the client's certificate, or
            runner if its files or the one of SSL_CERT_FILE are unusable; the connection is closed.

    """
    try:
        context = _client_context(certificate)
    except StepError:
        plain.close()
        raise
    plain.settimeout(max(deadline.remaining(), MIN_TIMEOUT_SECONDS))
    try:
        # RFC 6066, 3: the name without a trailing dot, which certificates do not have either
        return context.wrap_socket(plain, server_hostname=host.removesuffix("."))
    except OSError as error:
        plain.close()
        raise rejection(error) or StepError("tls", _tls_error_message(error)) from error


def _client_context(certificate: tuple[str, str] | None) -> "ssl.SSLContext":
    """Return the settings of a connection; the name in a certificate's subject does not count."""
    import ssl  # noqa: PLC0415 - it needs 5 MB, and plain HTTP does not use it

    from synthetic.trust import client_context  # noqa: PLC0415 - as above

    context = client_context()
    context.set_alpn_protocols(["http/1.1"])
    context.hostname_checks_common_name = False  # RFC 9525, 2: browsers ignore it too
    if authorities := os.environ.get("SSL_CERT_FILE"):
        try:
            context.load_verify_locations(authorities)  # OpenSSL ignores an unusable file
        except OSError as error:
            problem = "has no certificate, as PEM"
            if not isinstance(error, ssl.SSLError):
                problem = f"cannot be read ({error.strerror})"
            raise public_error(
                "runner", f"the file of trusted authorities {authorities} {problem}"
            ) from error
    if certificate is not None:
        try:
            context.load_cert_chain(*certificate, password="")
        except (OSError, ValueError) as error:
            raise public_error("runner", _certificate_problem(*certificate, error)) from error
    return context


def certificate_expiry(connection: "ssl.SSLSocket") -> str:
    """Return until when the server's certificate is valid, as RFC 3339 in UTC."""
    import ssl  # noqa: PLC0415 - as above

    certificate = connection.getpeercert() or {}
    end = ssl.cert_time_to_seconds(str(certificate["notAfter"]))  # each certificate has it
    return f"{datetime.fromtimestamp(end, UTC):%Y-%m-%dT%H:%M:%SZ}"


def rejection(error: OSError) -> StepError | None:
    """Return the failure if a server has rejected the client's certificate, or None.

    With TLS 1.3 it does so after the client's handshake (RFC 8446, 4.4.2.4).
    """
    reason = str(getattr(error, "reason", None))
    if _CERTIFICATE_ALERT.search(reason) is None:
        return None
    alert = reason.rpartition("ALERT_")[2].replace("_", " ").lower()
    return public_error("auth", f"the server rejected the client's certificate: {alert}")


def _certificate_problem(certificate: str, key: str, error: Exception) -> str:
    for name, file in (("certificate", certificate), ("key", key)):
        try:
            content = Path(file).read_bytes()
        except OSError as missing:
            return f"the client's {name} {file} cannot be read ({missing.strerror})"
        if name == "key" and b"ENCRYPTED" in content:
            return f"the client's key {file} is encrypted: the probe needs one without a password"
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return f"the client's key {key} is not the key of the certificate {certificate}"
    return f"{certificate} and {key} are no certificate with its key, as PEM"


def _tls_error_message(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "the TLS handshake timed out"
    refusal = getattr(error, "verify_message", None)
    if refusal:
        return f"the certificate is not trusted: {refusal}"
    reason = str(getattr(error, "reason", None) or error.strerror)
    return f"the TLS handshake failed: {TLS_FAILURES.get(reason, reason)}"
