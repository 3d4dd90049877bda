"""Parse the options of the transport; imported only if one of them is given."""

import os
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from synthetic.probe.allowed_hosts import parse_hosts
from synthetic.probe.credentials import basic_authorization
from synthetic.probe.masking import MASK
from synthetic.probe.results import ProbeError
from synthetic.probe.target import parse_endpoint
from synthetic.probe.transport import Proxy, Transport

HOSTS_VARIABLE = "CERTIFICATE_HOSTS"
MAX_URL_BYTES = 4096


def parse_transport(options: Namespace, environment: Mapping[str, str] | None = None) -> Transport:
    """Return the transport of the options of a command.

    The environment variable CERTIFICATE_HOSTS restricts the hosts that get the client's
    certificate.

    Raises:
        ProbeError: an option is invalid, lacks another one, or its file cannot be read.

    """
    environment = os.environ if environment is None else environment
    certificate = _certificate(options.client_certificate, options.client_key)
    return Transport(
        options.follow_redirects,
        _proxy(options.proxy, options.proxy_file),
        certificate,
        parse_hosts(environment, HOSTS_VARIABLE) if certificate else None,
    )


def _proxy(url: str | None, file: Path | None) -> Proxy | None:
    if url is not None and file is not None:
        raise ProbeError("--proxy and --proxy-file exclude each other")
    if file is not None:
        return _parse_proxy(_read(file), f"the URL in --proxy-file {file}")
    return None if url is None else _parse_proxy(url, "--proxy")


def _parse_proxy(url: str, what: str) -> Proxy:
    """Parse the URL of a proxy; errors name ``what`` without the URL, which may have a password."""
    try:
        parts = urlsplit(url.strip())
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        MASK.add(password)
        target, path = parse_endpoint(bare.geturl(), what)
    except (ValueError, ProbeError):
        raise _invalid_proxy(what) from None
    if target.secure or path != "/" or parts.fragment:
        raise _invalid_proxy(what)
    has_user = parts.username is not None
    port = target.port if parts.port is not None else 80
    return Proxy(target.host, port, basic_authorization(user, password) if has_user else "")


def _invalid_proxy(what: str) -> ProbeError:
    return ProbeError(
        f"{what} must be like http://proxy.example:3128, with user:password@ if needed"
    )


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_URL_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ProbeError(f"--proxy-file: {file} cannot be read ({why})") from error


def _certificate(certificate: Path | None, key: Path | None) -> tuple[str, str] | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ProbeError("--client-certificate and --client-key need each other")
    for option, file in (("--client-certificate", certificate), ("--client-key", key)):
        if not os.access(file, os.R_OK) or file.is_dir():
            raise ProbeError(f"{option}: {file} cannot be read: name a PEM file")
    return str(certificate), str(key)
