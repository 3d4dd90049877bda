"""TLS certificates for test servers."""

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOCALHOST = x509.DNSName("localhost")


@contextmanager
def strict_by_default() -> Iterator[None]:
    """Let default settings of TLS check certificates strictly, as those of Python 3.13."""
    create = ssl.create_default_context

    def create_strict(*args: object, **kwargs: object) -> ssl.SSLContext:
        context: ssl.SSLContext = create(*args, **kwargs)  # type: ignore[arg-type] # as its own
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    with mock.patch.object(ssl, "create_default_context", create_strict):
        yield


def self_signed(folder: Path) -> Path:
    """Write a key and a self-signed certificate for this machine to a PEM file; return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address, LOCALHOST]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = folder / "tls.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    return path
