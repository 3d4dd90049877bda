"""Login by a kubeconfig, as kubectl chooses it: files, context, and plugins for credentials."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import kopf
import yaml
from kopf import OperatorSettings

KINDS = ("contexts", "clusters", "users")
FILES = ("certificate-authority", "client-certificate", "client-key")
PLUGIN_SECONDS = 30

Entries = dict[str, dict[str, Any]]  # by name


class KubeconfigError(kopf.LoginError):
    """A kubeconfig that cannot be used; the message has the cause and the remedy."""


def log_in(kubeconfig: str = "", context: str = "") -> kopf.ConnectionInfo:
    """Return the login of a context; without any kubeconfig, that of the pod's service account.

    Raises:
        KubeconfigError: there is no login.

    """
    paths = [Path(kubeconfig)] if kubeconfig else _default_paths()
    if kubeconfig and not paths[0].is_file():
        raise KubeconfigError(f"--kubeconfig: {kubeconfig} is not a file")
    current, entries = _merge([path for path in paths if path.is_file()])
    if not entries["contexts"] and not context:
        info = kopf.login_with_service_account(settings=OperatorSettings())
        if info is not None:
            return info
    name = context or current
    if not entries["contexts"]:
        places = ", ".join(map(str, paths))
        raise KubeconfigError(f"no kubeconfig in {places}: set KUBECONFIG or --kubeconfig")
    if name not in entries["contexts"]:
        known = ", ".join(sorted(entries["contexts"]))
        raise KubeconfigError(f"no context {name!r} in the kubeconfig: --context is one of {known}")
    chosen = entries["contexts"][name]
    cluster = entries["clusters"].get(chosen.get("cluster", ""), {})
    if not cluster.get("server"):
        raise KubeconfigError(f"the context {name!r} has no cluster with a server")
    user = entries["users"].get(chosen.get("user", ""), {})
    try:
        info = _connection(cluster, user | _from_plugin(user), chosen.get("namespace"))
        info.as_ssl_context()
    except (OSError, ValueError) as error:
        raise KubeconfigError(f"the certificates of the context {name!r}: {error}") from error
    return info


def _default_paths() -> list[Path]:
    named = os.environ.get("KUBECONFIG", "")
    paths = [Path(path).expanduser() for path in named.split(os.pathsep) if path]
    return paths or [Path("~/.kube/config").expanduser()]


def _merge(paths: list[Path]) -> tuple[str, dict[str, Entries]]:
    """Return the current context and the entries of some files; the first one of a name counts."""
    current = ""
    merged: dict[str, Entries] = {kind: {} for kind in KINDS}
    for path in paths:
        try:
            content = yaml.safe_load(path.read_text()) or {}
            current = current or content.get("current-context") or ""
            for kind in KINDS:
                for entry in content.get(kind) or []:
                    found = _with_absolute_paths(entry.get(kind[:-1]) or {}, path.parent)
                    merged[kind].setdefault(entry["name"], found)
        except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise KubeconfigError(f"{path} is not a kubeconfig: {error}") from error
    return current, merged


def _with_absolute_paths(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    return entry | {name: str(folder / entry[name]) for name in FILES if entry.get(name)}


def _from_plugin(user: dict[str, Any]) -> dict[str, Any]:
    """Return the credentials that a plugin prints (client.authentication.k8s.io)."""
    plugin = user.get("exec")
    if not plugin:
        return {}
    asked = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": {}}
    variables = {each["name"]: each["value"] for each in plugin.get("env") or []}
    environment = {**os.environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
    command = [plugin.get("command", ""), *(plugin.get("args") or [])]
    try:
        done = subprocess.run(  # noqa: S603 - the user's kubeconfig names it
            command, env=environment, stdout=subprocess.PIPE, check=True, timeout=PLUGIN_SECONDS
        )
        status = json.loads(done.stdout)["status"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise KubeconfigError(f"the plugin {command[0]} gave no credentials: {error}") from error
    return {
        "token": status.get("token"),
        "client-certificate-data": status.get("clientCertificateData"),
        "client-key-data": status.get("clientKeyData"),
    }


def _connection(
    cluster: dict[str, Any], user: dict[str, Any], namespace: str | None
) -> kopf.ConnectionInfo:
    return kopf.ConnectionInfo(
        server=cluster["server"],
        ca_path=cluster.get("certificate-authority"),
        ca_data=cluster.get("certificate-authority-data"),
        insecure=cluster.get("insecure-skip-tls-verify"),
        certificate_path=user.get("client-certificate"),
        certificate_data=user.get("client-certificate-data"),
        private_key_path=user.get("client-key"),
        private_key_data=user.get("client-key-data"),
        username=user.get("username"),
        password=user.get("password"),
        token=user.get("token"),
        default_namespace=namespace,
    )
