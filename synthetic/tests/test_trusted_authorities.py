"""The certificates that the probe trusts, and the files that name them."""

import ssl
from pathlib import Path

import pytest

from servicekit.testing import environment
from servicekit.testing.certificates import self_signed, strict_by_default
from synthetic.probe.replay import replay
from synthetic.probe.results import RunResult
from tests.support.synthetic.authority import Authority
from tests.support.synthetic.mock_api import write_call
from tests.support.synthetic.mock_shop import LONG_LIMITS
from tests.support.synthetic.socket_server import run_socket_server, send

OK = send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def run(folder: Path, files: tuple[Path, Path], trusted: str, host: str = "127.0.0.1") -> RunResult:
    """Replay a call against a server with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    file = write_call(folder, {})
    with environment(SSL_CERT_FILE=trusted), run_socket_server(OK, context) as url:
        return replay("calls", url.replace("127.0.0.1", host), None, LONG_LIMITS, file=file)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "has no certificate, as PEM"),
        (b"# our authority\n", "has no certificate, as PEM"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB", "has no certificate, as PEM"),
    ],
)
def test_an_unusable_file_of_authorities_is_an_error_of_the_probe(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_bytes(content)
    result = run(tmp_path, Authority(tmp_path).issue("server"), str(file))
    assert (result.result, result.reason) == ("error", "runner")
    assert result.detail == f"the file of trusted authorities {file} {problem}"


def test_a_file_of_authorities_may_have_comments_and_several(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    several = f"# ours\n{other.certificate.read_text()}\n{authority.certificate.read_text()}"
    (tmp_path / "both.pem").write_text(several)
    result = run(tmp_path, authority.issue("server"), str(tmp_path / "both.pem"))
    assert result.result == "passed", result.detail


def test_the_name_of_a_subject_does_not_count(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = authority.issue("localhost", address="")
    result = run(tmp_path, files, str(authority.certificate), "localhost")
    assert (result.result, result.reason) == ("failed", "tls")


def test_certificates_need_no_extensions_that_browsers_do_not_demand(tmp_path: Path) -> None:
    authority, alone = Authority(tmp_path), self_signed(tmp_path)
    without_key_identifiers = authority.issue("server"), authority.certificate
    without_key_usage = (alone, alone), alone
    for files, trusted in (without_key_identifiers, without_key_usage):
        with strict_by_default():
            result = run(tmp_path, files, str(trusted))
        assert result.result == "passed", result.detail
