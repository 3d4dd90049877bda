"""Credentials that a plugin of a kubeconfig prints, by client.authentication.k8s.io/v1."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from synthetic.monitors.kubeconfig_error import KubeconfigError, as_text

TIMEOUT_SECONDS = 30
ERRORS = (OSError, subprocess.SubprocessError, ValueError, TypeError, AttributeError)
INTERACTIVE_MODES = ("IfAvailable", "Never", "Always")
CONFIG_EXTENSION = "client.authentication.k8s.io/exec"  # of a cluster, for its plugin
CLUSTER_INFO = ("server", "insecure-skip-tls-verify", "certificate-authority-data")

Entry = dict[str, Any]


def plugin_credentials(plugin: Entry, cluster: Entry) -> Entry:
    """Return the credentials of a plugin as members of a user.

    Raises:
        KubeconfigError: the plugin is invalid, or prints no credentials.

    """
    try:
        command, environment, is_interactive = _prepare(plugin, cluster)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise KubeconfigError(f"exec, the plugin of a user, is invalid: {error}") from error
    try:
        done = subprocess.run(  # noqa: S603 - the user's kubeconfig names it
            command,
            env=environment,
            stdin=None if is_interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=True,
            timeout=TIMEOUT_SECONDS,
        )
        return _read_status(json.loads(done.stdout))
    except ERRORS as error:
        raise KubeconfigError(f"the plugin {command[0]} gave no credentials: {error}") from error


def _prepare(plugin: Entry, cluster: Entry) -> tuple[list[str], dict[str, str], bool]:
    """Return the command of a plugin, its environment, and whether it has a terminal."""
    is_interactive = _is_interactive(plugin.get("interactiveMode") or INTERACTIVE_MODES[0])
    spec: Entry = {"interactive": is_interactive}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = _cluster_info(cluster)
    asked = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    variables = {
        as_text(each["name"], "the name of a variable"): str(each.get("value") or "")
        for each in plugin.get("env") or []
    }
    command = [as_text(plugin.get("command"), "command"), *map(str, plugin.get("args") or [])]
    environment = {**os.environ, **variables, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
    return command, environment, is_interactive


def _is_interactive(mode: str) -> bool:
    if mode not in INTERACTIVE_MODES:
        raise ValueError(f"interactiveMode is one of {', '.join(INTERACTIVE_MODES)}")
    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    if mode == "Always" and not has_terminal:
        raise ValueError("interactiveMode is Always, and the standard input is no terminal")
    return has_terminal and mode != "Never"


def _cluster_info(cluster: Entry) -> Entry:
    """Return the cluster of an ExecCredential: address, authorities and configuration."""
    info = {name: cluster[name] for name in CLUSTER_INFO if cluster.get(name)}
    file = cluster.get("certificate-authority")
    if file and "certificate-authority-data" not in info:
        info["certificate-authority-data"] = base64.b64encode(Path(file).read_bytes()).decode()
    extensions = cluster.get("extensions") or []
    config = (each.get("extension") for each in extensions if each["name"] == CONFIG_EXTENSION)
    return info | {"config": next(config, None)}


def _read_status(printed: Entry) -> Entry:
    status = printed.get("status")
    if not isinstance(status, dict):
        raise TypeError("its output has no status")
    found = {
        name: as_text(status.get(member), member) or None
        for name, member in (
            ("token", "token"),
            ("client-certificate-data", "clientCertificateData"),
            ("client-key-data", "clientKeyData"),
        )
    }
    if not any(found.values()):
        raise ValueError("its status has neither a token nor a certificate with its key")
    return found
