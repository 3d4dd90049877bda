"""Mutual TLS: a client's certificate from a Secret's folder or from options."""

import shutil
import ssl
from pathlib import Path

import pytest

from synthetic.probe.credentials import gather_credentials
from synthetic.probe.replay import replay
from synthetic.probe.results import ProbeError, RunResult
from tests.support.synthetic.authority import Authority
from tests.support.synthetic.mock_api import write_call
from tests.support.synthetic.mock_shop import LONG_LIMITS
from tests.support.synthetic.socket_server import run_socket_server, send

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
OK = send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder like a mounted Secret."""
    path = tmp_path / "secret"
    path.mkdir()
    return path


def run(
    authority: Authority,
    folder: Path | None,
    options: dict[str, str] | None = None,
    *,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> RunResult:
    """Replay a call against a server that requires a certificate of the authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    contract = {"components": {"securitySchemes": {"key": {"type": "mutualTLS"}}}}
    where = authority.certificate.parent
    file = write_call(where, {"security": [{"key": []}]}, contract=contract)
    credentials = gather_credentials(folder, options, {})
    with run_socket_server(OK, context) as url:
        return replay("calls", url, credentials, LONG_LIMITS, file=file)


def fill(folder: Path, certificate: Path, key: Path) -> Path:
    """Copy a certificate and a key to a folder under the names of a Secret."""
    shutil.copy(certificate, folder / "tls.crt")
    shutil.copy(key, folder / "tls.key")
    return folder


@pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])
def test_a_certificate_from_a_folder_is_accepted(
    authority: Authority, folder: Path, version: ssl.TLSVersion
) -> None:
    result = run(authority, fill(folder, *authority.issue("client")), version=version)
    assert result.result == "passed", result.detail


@pytest.mark.parametrize("prefix", ["", "key."], ids=["all", "scheme"])
def test_a_certificate_from_options_is_accepted(authority: Authority, prefix: str) -> None:
    certificate, key = map(str, authority.issue("client"))
    result = run(authority, None, {f"{prefix}tls.crt": certificate, f"{prefix}tls.key": key})
    assert result.result == "passed", result.detail


@pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])
def test_a_certificate_of_another_authority_is_rejected_by_the_server(
    authority: Authority, tmp_path: Path, folder: Path, version: ssl.TLSVersion
) -> None:
    other = Authority(tmp_path, "other")
    result = run(authority, fill(folder, *other.issue("client")), version=version)
    assert result.reason == "auth", result.detail
    assert result.detail == "the server rejected the client's certificate: unknown ca"


def test_an_expired_certificate_is_rejected_by_the_server(
    authority: Authority, folder: Path
) -> None:
    result = run(authority, fill(folder, *authority.issue("client", days=-0.5)))
    assert result.reason == "auth"
    assert result.detail == "the server rejected the client's certificate: certificate expired"


def test_a_server_that_gets_no_certificate_says_so(authority: Authority, folder: Path) -> None:
    result = run(authority, folder)
    assert result.reason == "auth"
    assert result.detail == "the server rejected the client's certificate: certificate required"


@pytest.mark.parametrize("missing", ["tls.crt", "tls.key"])
def test_half_of_a_pair_is_an_error_before_the_first_request(
    authority: Authority, folder: Path, missing: str
) -> None:
    fill(folder, *authority.issue("client"))
    (folder / missing).unlink()
    with pytest.raises(ProbeError, match=f"mutual TLS needs tls.crt and tls.key, and {missing}"):
        run(authority, folder)


def test_a_pair_that_is_unusable_is_an_error_of_the_probe(
    authority: Authority, folder: Path
) -> None:
    certificate, key = authority.issue("client")
    _, other = authority.issue("other")
    locked_certificate, locked = authority.issue("locked", password="pw")
    der = folder / "client.der"
    der.write_bytes(ssl.PEM_cert_to_DER_cert(certificate.read_text()))
    lost = folder / "lost"
    for pair, detail in (
        ((certificate, lost), f"the client's key {lost} cannot be read (No such file"),
        ((certificate, other), f"the client's key {other} is not the key of the certificate"),
        ((locked_certificate, locked), f"the client's key {locked} is encrypted"),
        ((key, key), f"{key} and {key} are no certificate with its key, as PEM"),
        ((der, key), f"{der} and {key} are no certificate with its key, as PEM"),
    ):
        given = dict(zip(("tls.crt", "tls.key"), map(str, pair), strict=True))
        result = run(authority, None, given)
        assert (result.result, result.reason) == ("error", "runner")
        assert detail in result.detail
