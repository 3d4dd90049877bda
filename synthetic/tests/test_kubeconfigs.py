"""Kubeconfigs of the monitor commands: users, certificates, plugins and API servers."""

import base64
import json
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.synthetic.authority import Authority
from tests.support.synthetic.kubeconfigs import write_config
from tests.support.synthetic.object_api import command, synthetic
from tests.support.synthetic.operator_harness import OperatorHarness
from tests.support.synthetic.socket_server import run_socket_server, send

pytestmark = pytest.mark.anyio

URL = "https://127.0.0.1:9"
EXEC_VERSION = "client.authentication.k8s.io/v1"
NOTHING = "There are no monitors\n"


def changed(file: Path, **cluster: Any) -> Path:
    """Change the cluster of a kubeconfig, and return its file."""
    document = json.loads(file.read_text())
    document["clusters"][0]["cluster"] |= cluster
    file.write_text(json.dumps(document))
    return file


def rejected(file: Path) -> str:
    """Return the one line of an error."""
    done = synthetic("monitors", "--kubeconfig", file)
    assert (done.code, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    return done.stderr


def printing(status: Any, **plugin: Any) -> dict[str, Any]:
    """Return a user whose plugin prints a status."""
    args = ["-c", "import sys; print(sys.argv[1])", json.dumps({"status": status})]
    return {"exec": {"apiVersion": EXEC_VERSION, "command": sys.executable, "args": args, **plugin}}


USERS: dict[str, tuple[dict[str, Any], str]] = {
    "no-status": (printing(None), "gave no credentials: its output has no status"),
    "empty-status": (printing({}), "gave no credentials: its status has neither a token nor"),
    "certificate-alone": (
        printing({"clientCertificateData": "-----BEGIN CERTIFICATE-----"}),
        "client-certificate-data has no effect without client-key",
    ),
    "mode": (printing({}, interactiveMode="x"), "interactiveMode is one of IfAvailable, Never"),
    "file": ({"client-certificate": "lost.crt"}, "/lost.crt cannot be read (No such file"),
    "base64": ({"client-key-data": "%"}, "client-key-data "),
    "no-password": ({"username": "ana"}, "username and password of the context 'a' need each"),
    "no-username": ({"password": "x"}, "username and password of the context 'a' need each"),
    "two-logins": ({"username": "a", "password": "x", "token": "x"}, "has a token and a password"),
    "colon": ({"username": "a:b", "password": "x"}, "username of the context 'a' has a colon"),
    "token-lines": ({"token": "a\nb"}, "the token of the context 'a' is no value of a header"),
    "plugin-token": (printing({"token": "a\r\nb"}), "the token of the context 'a' is no value"),
}


@pytest.mark.parametrize(("user", "message"), USERS.values(), ids=USERS)
def test_unusable_credentials_are_named(tmp_path: Path, user: dict[str, Any], message: str) -> None:
    file = tmp_path / "own"
    write_config(file, "a", {"a": URL}, **user)
    assert message in rejected(file)


CLUSTERS: dict[str, tuple[dict[str, Any], str]] = {
    "port": ({"server": "https://127.0.0.1:99999"}, "must be like https://HOST:PORT"),
    "query": ({"server": f"{URL}/?a=b"}, "must be like https://HOST:PORT"),
    "insecure": ({"insecure-skip-tls-verify": "no"}, "insecure-skip-tls-verify is true or false"),
    "lost": ({"certificate-authority": "lost.pem"}, "certificate-authority /"),
    "folder": ({"certificate-authority": "."}, "cannot be read (Is a directory)"),
    "base64": ({"certificate-authority-data": "a"}, "authority-data is not PEM as base64"),
    "empty": ({"certificate-authority-data": "YQ=="}, "authority-data has no certificates"),
}


@pytest.mark.parametrize(("cluster", "message"), CLUSTERS.values(), ids=CLUSTERS)
def test_an_unusable_cluster_is_named(
    tmp_path: Path, cluster: dict[str, Any], message: str
) -> None:
    file = tmp_path / "own"
    write_config(file, "a", {"a": URL}, token="x")
    assert message in rejected(changed(file, **cluster))


def test_the_names_of_a_command_are_checked_before_the_login(tmp_path: Path) -> None:
    file = tmp_path / "own"
    write_config(file, "a", {"a": URL}, exec={"command": "touch", "args": [str(tmp_path / "x")]})
    done = synthetic("suspend", "../x", "--kubeconfig", file)
    assert (done.code, "'../x' is no name of a monitor" in done.stderr) == (2, True)
    assert not (tmp_path / "x").exists()


async def test_the_namespace_of_a_context_is_checked(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    file = tmp_path / "own"
    write_config(file, "a", {"a": harness.url}, token=harness.cluster.token)
    file.write_text(file.read_text().replace('"here"', '"../x"'))
    done = await command("suspend", "shop", "--kubeconfig", file)
    assert (done.code, "'../x' is no name of a namespace" in done.stderr) == (2, True)
    assert harness.cluster.requests == []


def test_a_missing_user_and_a_missing_current_context_are_named(tmp_path: Path) -> None:
    file = tmp_path / "own"
    write_config(file, "", {"a": URL}, token="x")
    assert "no current-context: --context is one of a" in rejected(file)
    write_config(file, "a", {"a": URL}, token="x")
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, "users": []}))
    assert "the user 'u' of the context 'a' is not in the kubeconfig" in rejected(file)


def test_a_pair_of_certificate_and_key_is_checked_without_a_prompt(tmp_path: Path) -> None:
    authority, file = Authority(tmp_path), tmp_path / "own"
    certificate, key = authority.issue("client")
    _, other = authority.issue("other")
    locked_certificate, locked = authority.issue("locked", password="pw")
    for pair, message in (
        ((certificate, None), f"client-certificate {certificate} has no effect without client-key"),
        ((None, key), f"client-key {key} has no effect without client-certificate"),
        ((certificate, other), "client-certificate and client-key of the context 'a' are no pair"),
        ((locked_certificate, locked), f"client-key {locked} is encrypted"),
    ):
        names = ("client-certificate", "client-key")
        user = {name: str(each) for name, each in zip(names, pair, strict=True) if each}
        write_config(file, "a", {"a": URL}, **user)
        assert message in rejected(file)


async def test_data_replace_files(harness: OperatorHarness, tmp_path: Path) -> None:
    authority, file = Authority(tmp_path), tmp_path / "own"
    write_config(file, "a", {"a": harness.url}, token=harness.cluster.token)
    data = base64.b64encode(authority.certificate.read_bytes()).decode()
    names = {"certificate-authority": "lost.pem", "certificate-authority-data": data}
    done = await command("monitors", "--kubeconfig", changed(file, **names))
    assert (done.stdout, done.stderr) == (NOTHING, "")


async def test_a_plugin_is_relative_to_its_kubeconfig(
    harness: OperatorHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = json.dumps({"status": {"token": harness.cluster.token}})
    (tmp_path / "plug.sh").write_text(f"#!/bin/sh\necho '{status}'\n")
    (tmp_path / "plug.sh").chmod(0o700)
    plugin = {"command": "./plug.sh", "env": [{"name": "A"}]}
    own = write_config(tmp_path / "own", "a", {"a": harness.url}, exec=plugin)
    assert (await command("monitors", "--kubeconfig", own)).stdout == NOTHING
    monkeypatch.chdir(tmp_path)
    assert (await command("monitors", "--kubeconfig", "own")).stdout == NOTHING


async def test_a_plugin_gets_the_cluster_that_it_asks_for(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    program = (
        "import json, os, sys; from pathlib import Path;"
        "Path(sys.argv[1]).write_text(os.environ['KUBERNETES_EXEC_INFO']);"
        "print(json.dumps({'status': {'token': sys.argv[2]}}))"
    )
    seen, file = tmp_path / "seen", tmp_path / "own"
    args = ["-c", program, str(seen), harness.cluster.token]
    plugin = {"apiVersion": EXEC_VERSION, "command": sys.executable, "args": args}
    authority = Authority(tmp_path).certificate
    for provides in (False, True):
        own = {**plugin, "provideClusterInfo": provides, "interactiveMode": "Never"}
        write_config(file, "a", {"a": harness.url}, exec=own)
        extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}
        changed(file, extensions=[extension], **{"certificate-authority": str(authority)})
        assert (await command("monitors", "--kubeconfig", file)).stdout == NOTHING
        spec: dict[str, Any] = {"interactive": False}
        if provides:
            data = base64.b64encode(authority.read_bytes()).decode()
            spec["cluster"] = {
                "server": harness.url,
                "certificate-authority-data": data,
                "config": {"audience": "x"},
            }
        asked = {"apiVersion": EXEC_VERSION, "kind": "ExecCredential", "spec": spec}
        assert json.loads(seen.read_text()) == asked


async def test_a_path_of_the_server_may_end_with_a_slash(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    own = write_config(tmp_path / "own", "a", {"a": f"{harness.url}/"}, token=harness.cluster.token)
    assert (await command("monitors", "--kubeconfig", own)).stdout == NOTHING
    assert {path[:6] for _, path in harness.cluster.requests} == {"/apis/"}


@pytest.mark.parametrize(
    "body", ["<html>Log in</html>", "[]", "{}"], ids=["html", "list", "object"]
)
def test_a_response_of_another_server_is_named(tmp_path: Path, body: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    file = tmp_path / "own"
    with run_socket_server(send(f"{head}{body}".encode())) as url:
        write_config(file, "a", {"a": url}, token="x")
        assert "the response is not of the Kubernetes API" in rejected(file)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<html>\n<p>Bad</p>\n", "the API server responded with 502: <html> <p>Bad</p>"),
        ("", "the API server responded with 502: no content"),
        ('{"message": ""}', "the API server responded with 502"),
    ],
    ids=["html", "empty", "no-message"],
)
def test_an_error_of_another_server_is_one_line(tmp_path: Path, body: str, message: str) -> None:
    head = f"HTTP/1.1 502 Bad Gateway\r\nContent-Length: {len(body)}\r\n\r\n"
    file = tmp_path / "own"
    with run_socket_server(send(f"{head}{body}".encode())) as url:
        write_config(file, "a", {"a": url}, token="x")
        assert rejected(file) == f"synthetic monitors: {message}\n"


def test_an_untrusted_certificate_of_the_server_is_named(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority(tmp_path).issue("server"))
    file = tmp_path / "own"
    with run_socket_server(send(b""), context) as url:
        write_config(file, "a", {"a": url}, token="x")
        assert "the API server has a certificate that is not trusted: " in rejected(file)
