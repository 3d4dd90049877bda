"""Sessions with the API server, by the login of a pod's service account or of a kubeconfig."""

import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from weakref import WeakKeyDictionary

import aiohttp
import kopf
from kopf import OperatorSettings

IN_CLUSTER = "https://kubernetes.default.svc"  # kopf's default
Login = Callable[[], kopf.ConnectionInfo]

# the file of trusted authorities of each session, and its content
_authorities: WeakKeyDictionary[aiohttp.ClientSession, tuple[Path, bytes]] = WeakKeyDictionary()


def log_in() -> kopf.ConnectionInfo:
    """Return the login of the pod's service account, or of the kubeconfig.

    Raises:
        kopf.LoginError: there is neither a service account nor a kubeconfig.

    """
    settings = OperatorSettings()
    info = kopf.login_with_service_account(settings=settings)
    if info is None and (os.environ.get("KUBECONFIG") or os.environ.get("HOME")):
        info = kopf.login_with_kubeconfig(settings=settings)
    if info is None:
        raise kopf.LoginError("no service account and no kubeconfig: set KUBECONFIG")
    return info


def connect(login: Login = log_in) -> kopf.AiohttpSession:
    """Return a session with the API server for kopf and for ``ApiClient``.

    Raises:
        kopf.LoginError: there is no login.

    """
    info = login()
    file = Path(os.fsdecode(info.ca_path)) if info.ca_path else None
    authorities = file.read_bytes() if file else b""
    trust = info.as_ssl_context()
    # Python 3.13 rejects certificates without a key usage, and many clusters have such
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=trust, limit=0), headers=info.as_http_headers()
    )
    if file:
        _authorities[session] = file, authorities
    return kopf.AiohttpSession(
        server=_direct_address(info.server).rstrip("/"),
        default_namespace=info.default_namespace,
        aiohttp_session=session,
    )


def is_outdated(login: kopf.AiohttpSession | None) -> bool:
    """Return whether the authorities of the cluster are no longer those that a session trusts."""
    return login is not None and _has_other_authorities(login.aiohttp_session)


async def close_outdated() -> None:
    """Close all sessions that trust former authorities; kopf then logs in again."""
    for session in list(_authorities):
        if _has_other_authorities(session):
            await session.close()
            del _authorities[session]


def _has_other_authorities(session: aiohttp.ClientSession) -> bool:
    """Return whether the file has other authorities now; false while it has none."""
    file, authorities = _authorities.get(session, (None, b""))
    with suppress(OSError):  # also ssl.SSLError
        if file and file.read_bytes() != authorities:
            ssl.create_default_context(cafile=file)
            return True
    return False


def _direct_address(server: str) -> str:
    """Return the API server's IP address in a pod: it works during an outage of DNS."""
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
    if not host or server != IN_CLUSTER:
        return server
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
