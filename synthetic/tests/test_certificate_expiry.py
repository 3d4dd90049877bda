"""The end of the servers' certificates in the results of a run."""

import json
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from servicekit.testing import environment
from synthetic.probe.json_output import format_json
from synthetic.probe.replay import replay
from synthetic.probe.results import RunResult
from synthetic.probe.termination_log import format_message
from tests.support.synthetic.authority import Authority
from tests.support.synthetic.mock_api import call, write_call
from tests.support.synthetic.mock_shop import LONG_LIMITS
from tests.support.synthetic.socket_server import run_socket_server, send

OK = send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def run(folder: Path, files: tuple[Path, Path], authority: Authority) -> RunResult:
    """Replay a call against a server with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    file = write_call(folder, {})
    trusted = environment(SSL_CERT_FILE=str(authority.certificate))
    with trusted, run_socket_server(OK, context) as url:
        return replay("calls", url, None, LONG_LIMITS, file=file)


@pytest.mark.parametrize("days", [0.5, 1.5], ids=["soon", "later"])
def test_results_have_the_end_of_the_certificate(tmp_path: Path, days: float) -> None:
    authority = Authority(tmp_path)
    files = authority.issue("server", days=days)
    end = x509.load_pem_x509_certificate(files[0].read_bytes()).not_valid_after_utc
    result = run(tmp_path, files, authority)
    assert result.result == "passed", result.detail
    for text in (format_message(result), format_json([result])):
        assert json.loads(text)["certificateExpiry"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"


def test_an_expired_certificate_is_a_failure_without_an_end(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    result = run(tmp_path, authority.issue("server", days=-1), authority)
    assert (result.reason, result.certificate_expiry) == ("tls", "")
    assert "certificate has expired" in json.loads(format_message(result))["detail"]


def test_a_run_without_tls_has_no_end(tmp_path: Path) -> None:
    result, _ = call(write_call(tmp_path, {}))
    assert "certificateExpiry" not in json.loads(format_message(result))
