"""Certificates and keys of a kubeconfig, checked so that messages name the entry and the file."""

import base64
import ssl
from pathlib import Path
from typing import Any

from synthetic.monitors.kubeconfig_error import KubeconfigError

AUTHORITY, CERTIFICATE, KEY = "certificate-authority", "client-certificate", "client-key"

Entry = dict[str, Any]


def check_certificates(entries: Entry) -> Entry:
    """Return the entries without the files that data replace, as kubectl reads them.

    Raises:
        KubeconfigError: a file or data are unusable, or a certificate lacks its key.

    """
    kept = {n: value for n, value in entries.items() if not entries.get(f"{n}-data")}
    authority, certificate, key = (_read_pem(kept, name) for name in (AUTHORITY, CERTIFICATE, KEY))
    if authority:
        _check_authority(*authority)
    if key and "ENCRYPTED" in key[1]:
        raise KubeconfigError(f"{key[0]} is encrypted: name a key without a password")
    for given, other, missing in ((certificate, key, KEY), (key, certificate, CERTIFICATE)):
        if given and not other:
            raise KubeconfigError(f"{given[0]} has no effect without {missing}")
    return kept


def _check_authority(source: str, content: str) -> None:
    try:
        ssl.create_default_context(cadata=content)
    except (ssl.SSLError, ValueError) as error:
        raise KubeconfigError(f"{source} has no certificates, as PEM") from error


def _read_pem(entries: Entry, name: str) -> tuple[str, str] | None:
    """Return the source and the content of a file or of data, if one of them is given."""
    file, data = entries.get(name), entries.get(f"{name}-data")
    source = f"{name}-data" if data else f"{name} {file}"
    try:
        if data:
            is_pem = data.startswith("-----BEGIN ")  # of a plugin
            content = data if is_pem else base64.b64decode(data).decode("ascii")
        elif file:
            content = Path(file).read_text()
        else:
            return None
    except OSError as error:
        raise KubeconfigError(f"{source} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise KubeconfigError(f"{source} is not PEM{' as base64' * bool(data)}") from error
    return source, content
