"""Kubeconfigs of the monitor commands: choice of files and contexts, and invalid entries."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.synthetic.kubeconfigs import write_config
from tests.support.synthetic.object_api import command, synthetic
from tests.support.synthetic.operator_harness import OperatorHarness

pytestmark = pytest.mark.anyio


async def test_the_kubeconfig_and_its_context_are_those_of_the_options(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    harness.add_monitor()
    unreachable = {"bad": "http://127.0.0.1:9", "good": harness.url}
    own = write_config(tmp_path / "own", "bad", unreachable, token=harness.cluster.token)
    done = await command("monitors", "--kubeconfig", own, "--context", "good")
    assert "shop" in done.stdout, done.stderr
    assert "does not respond" in (await command("monitors", "--kubeconfig", own)).stderr
    unknown = await command("monitors", "--kubeconfig", own, "--context", "lost")
    assert (unknown.code, unknown.stdout) == (2, "")
    assert "no context 'lost' in the kubeconfig: --context is one of bad, good" in unknown.stderr


async def test_the_first_file_of_several_counts_and_missing_ones_are_ignored(
    harness: OperatorHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_config(tmp_path / "a", "a", {"a": harness.url}, token=harness.cluster.token)
    second = write_config(tmp_path / "b", "b", {"a": "http://127.0.0.1:9"}, token="x")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'missing'}:{first}:{second}")
    assert (await command("monitors")).stdout == "There are no monitors\n"


def test_without_a_kubeconfig_the_error_names_the_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    done = synthetic("monitors")
    place = tmp_path / ".kube" / "config"
    message = f"no kubeconfig in {place}: set KUBECONFIG or --kubeconfig\n"
    assert (done.code, done.stderr) == (2, f"synthetic monitors: {message}")


async def test_a_plugin_gives_the_credentials(harness: OperatorHarness, tmp_path: Path) -> None:
    program = (
        "import json, os; asked = json.loads(os.environ['KUBERNETES_EXEC_INFO'])['apiVersion'];"
        "print(json.dumps({'status': {'token': os.environ['T'] if asked == 'v1' else ''}}))"
    )
    plugin = {
        "apiVersion": "v1",
        "command": sys.executable,
        "args": ["-c", program],
        "env": [{"name": "T", "value": harness.cluster.token}],
    }
    own = write_config(tmp_path / "own", "a", {"a": harness.url}, exec=plugin)
    assert (await command("monitors", "--kubeconfig", own)).stdout == "There are no monitors\n"
    own = write_config(tmp_path / "own", "a", {"a": harness.url}, exec={"command": "/no/plugin"})
    assert (
        "the plugin /no/plugin gave no" in (await command("monitors", "--kubeconfig", own)).stderr
    )


@pytest.mark.parametrize("content", ["[", "[]", "{contexts: 1}", "{contexts: [{}]}", "{}"])
async def test_an_unusable_kubeconfig_is_named(
    harness: OperatorHarness, tmp_path: Path, content: str
) -> None:
    harness.add_monitor()
    file = tmp_path / "own"
    file.write_text(content)
    done = await command("monitors", "--kubeconfig", file)
    assert done.code == 2
    assert "kubeconfig" in done.stderr
    assert "Traceback" not in done.stderr
    missing = await command("monitors", "--kubeconfig", tmp_path / "lost")
    assert f"--kubeconfig: {tmp_path / 'lost'} is not a file" in missing.stderr


CLUSTER: dict[str, Any] = {"server": "https://127.0.0.1:9"}
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "server": ({"server": 5}, {}, "server is no text"),
    "scheme": ({"server": "127.0.0.1:9"}, {}, "must be like https://HOST:PORT"),
    "ipv6": ({"server": "https://[::1"}, {}, "must be like https://HOST:PORT"),
    "login": ({"server": "https://a:b@127.0.0.1:9"}, {}, "must be like https://HOST:PORT"),
    "ca-type": ({"certificate-authority-data": 5}, {}, "certificate-authority-data is no text"),
    "ca": (
        {"certificate-authority-data": "YWJj"},
        {},
        "authority-data has no certificates, as PEM",
    ),
    "proxy": ({"proxy-url": "http://127.0.0.1:3128"}, {}, "has proxy-url, which only kubectl"),
    "tls-name": ({"tls-server-name": "a"}, {}, "has tls-server-name, which only kubectl"),
    "impersonation": ({}, {"as": "ana"}, "has as, which only kubectl"),
    "groups": ({}, {"as-groups": ["a"]}, "has as-groups, which only kubectl"),
    "auth-provider": ({}, {"auth-provider": {"name": "gcp"}}, "has auth-provider, which only"),
    "token-type": ({}, {"token": 5}, "token is no text"),
    "token-file": ({}, {"tokenFile": "lost"}, "lost cannot be read"),
    "exec-type": ({}, {"exec": "x"}, "exec, the plugin of a user, is invalid"),
    "exec-env": ({}, {"exec": {"command": "true", "env": ["a"]}}, "exec, the plugin of a user"),
    "exec-null": ({}, {"exec": {"command": "echo", "args": ['{"status": null}']}}, "gave no"),
    "exec-token": ({}, {"exec": {"command": "echo", "args": ['{"status": {"token": 5}}']}}, "gave"),
}


@pytest.mark.parametrize(("cluster", "user", "message"), CHANGES.values(), ids=CHANGES)
def test_an_invalid_or_unsupported_entry_of_a_kubeconfig_is_named(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], message: str
) -> None:
    own = tmp_path / "own"
    document = json.loads(Path(write_config(own, "a", {"a": ""}, **user)).read_text())
    document["clusters"][0]["cluster"] = CLUSTER | cluster
    own.write_text(json.dumps(document))
    done = synthetic("monitors", "--kubeconfig", own)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_error_in_a_kubeconfig_does_not_repeat_its_line(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("users:\n- name: u\n  user: {token: Kq7Zw9Xv4}}\n")
    done = synthetic("monitors", "--kubeconfig", own)
    assert done.code == 2
    assert f"{own} is not a kubeconfig: line 3" in done.stderr
    assert "Kq7Zw9Xv4" not in done.stderr


async def test_a_file_gives_the_token(harness: OperatorHarness, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{harness.cluster.token}\n")
    own = write_config(tmp_path / "own", "a", {"a": harness.url}, token="x", tokenFile="token")
    assert (await command("monitors", "--kubeconfig", own)).stdout == "There are no monitors\n"
