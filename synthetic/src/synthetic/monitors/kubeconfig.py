"""Login by a kubeconfig, as kubectl chooses it: files, context, and plugins for credentials."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kopf
import yaml
from kopf import OperatorSettings

from synthetic.monitors.client_certificates import check_certificates
from synthetic.monitors.credential_plugin import plugin_credentials
from synthetic.monitors.kubeconfig_error import KubeconfigError, as_text

INSECURE = "insecure-skip-tls-verify"
KINDS = ("contexts", "clusters", "users")
FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
TEXTS = (
    *("server", "certificate-authority-data", *FILES),
    *("cluster", "user", "namespace"),
    *("client-certificate-data", "client-key-data", "token", "tokenFile", "username", "password"),
)
# kubectl would connect elsewhere, or as another user
UNSUPPORTED = (
    *("proxy-url", "tls-server-name", "auth-provider"),
    *("as", "as-uid", "as-groups", "as-user-extra"),
)
Entries = dict[str, dict[str, Any]]  # by name


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
        missing = f"no context {name!r} in the kubeconfig" if name else "no current-context"
        known = ", ".join(sorted(entries["contexts"]))
        raise KubeconfigError(f"{missing}: --context is one of {known}")
    chosen = entries["contexts"][name]
    cluster = entries["clusters"].get(chosen.get("cluster", ""), {})
    if not cluster.get("server"):
        raise KubeconfigError(f"the context {name!r} has no cluster with a server")
    named = chosen.get("user", "")
    if named and named not in entries["users"]:
        raise KubeconfigError(
            f"the user {named!r} of the context {name!r} is not in the kubeconfig"
        )
    user = entries["users"].get(named, {})
    _check_supported(name, cluster | user)
    cluster, user = check_certificates(cluster), user | _from_file(user)
    if user.get("exec"):
        user |= plugin_credentials(user["exec"], cluster)
    _check_login(name, user)
    info = _connection(cluster | check_certificates(user), chosen.get("namespace"))
    try:
        info.as_ssl_context()
    except (OSError, ValueError) as error:
        what = "client-certificate and client-key"
        raise KubeconfigError(f"{what} of the context {name!r} are no pair: {error}") from error
    return info


def _check_supported(name: str, entries: dict[str, Any]) -> None:
    given = next((each for each in UNSUPPORTED if entries.get(each)), None)
    if given is not None:
        raise KubeconfigError(f"the context {name!r} has {given}, which only kubectl supports")
    try:
        server = urlsplit(entries["server"])
        is_url = server.scheme in {"http", "https"} and server.hostname and server.username is None
        is_url = is_url and server.port != 0 and not server.query and not server.fragment
    except ValueError:
        is_url = False
    if not is_url:
        raise KubeconfigError(f"the server of the context {name!r} must be like https://HOST:PORT")


def _check_login(name: str, user: dict[str, Any]) -> None:
    """Raise ``KubeconfigError`` for a login that would be another one, or none."""
    username, password, token = (user.get(n) or "" for n in ("username", "password", "token"))
    if bool(username) != bool(password):
        raise KubeconfigError(f"username and password of the context {name!r} need each other")
    if username and token:
        raise KubeconfigError(f"the context {name!r} has a token and a password: omit one")
    if ":" in username:
        raise KubeconfigError(f"the username of the context {name!r} has a colon (RFC 7617)")
    if not (token.isascii() and token.isprintable()):
        raise KubeconfigError(f"the token of the context {name!r} is no value of a header")


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
            current = current or as_text(content.get("current-context"), "current-context")
            for kind in KINDS:
                for entry in content.get(kind) or []:
                    found = _checked(entry.get(kind[:-1]) or {}, path.absolute().parent)
                    merged[kind].setdefault(as_text(entry["name"], "name"), found)
        except yaml.MarkedYAMLError as error:  # without the line, which may have a token
            place = f"line {error.problem_mark.line + 1}" if error.problem_mark else "YAML"
            raise KubeconfigError(f"{path} is not a kubeconfig: {place}: {error.problem}") from None
        except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
            what = " ".join(str(error).split())
            raise KubeconfigError(f"{path} is not a kubeconfig: {what}") from error
    return current, merged


def _checked(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return an entry whose texts are texts, with absolute paths."""
    texts: dict[str, Any] = {name: as_text(entry[name], name) for name in TEXTS if name in entry}
    if not isinstance(entry.get(INSECURE) or False, bool):
        raise TypeError(f"{INSECURE} is true or false")
    plugin = entry.get("exec")
    if isinstance(plugin, dict) and os.sep in str(plugin.get("command")):  # otherwise of PATH
        texts["exec"] = {**plugin, "command": str(folder / plugin["command"])}
    return entry | texts | {name: str(folder / texts[name]) for name in FILES if texts.get(name)}


def _from_file(user: dict[str, Any]) -> dict[str, Any]:
    """Return the token of a file, which kubectl prefers to the one of the kubeconfig."""
    file = user.get("tokenFile")
    try:
        return {"token": Path(file).read_text().strip()} if file else {}
    except (OSError, ValueError) as error:
        raise KubeconfigError(f"tokenFile: {file} cannot be read") from error


def _connection(entries: dict[str, Any], namespace: str | None) -> kopf.ConnectionInfo:
    found = {name: value or None for name, value in entries.items()}
    return kopf.ConnectionInfo(
        server=entries["server"],
        ca_path=found.get("certificate-authority"),
        ca_data=found.get("certificate-authority-data"),
        insecure=found.get(INSECURE),
        certificate_path=found.get("client-certificate"),
        certificate_data=found.get("client-certificate-data"),
        private_key_path=found.get("client-key"),
        private_key_data=found.get("client-key-data"),
        username=found.get("username"),
        password=found.get("password"),
        token=found.get("token"),
        default_namespace=namespace or None,
    )
