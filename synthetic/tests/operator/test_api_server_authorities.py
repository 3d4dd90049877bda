"""A cluster that rotates the authority of its API server's certificate."""

import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import kopf
import pytest
from aiohttp import web

from servicekit.testing.certificates import self_signed
from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.api_session import connect
from synthetic.operator.resources import CONFIG_MAPS
from tests.support.ports import free_port

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def api_server(port: int, certificate: Path) -> AsyncIterator[None]:
    """Serve empty lists with a certificate."""

    async def respond(_: web.Request) -> web.Response:
        kind = {"apiVersion": "v1", "kind": "ConfigMapList"}
        return web.json_response({**kind, "items": [], "metadata": {}})

    application = web.Application()
    application.router.add_get("/{path:.*}", respond)
    runner = web.AppRunner(application)
    await runner.setup()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
def certificates(tmp_path: Path) -> tuple[Path, Path]:
    """Certificates of two authorities."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    return self_signed(tmp_path / "old"), self_signed(tmp_path / "new")


async def test_a_new_authority_is_trusted_without_a_restart(
    certificates: tuple[Path, Path], tmp_path: Path
) -> None:
    old, new = certificates
    port, file = free_port(), tmp_path / "ca.crt"
    shutil.copy(old, file)

    def log_in() -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=f"https://127.0.0.1:{port}", ca_path=str(file))

    watching = connect(log_in)  # as kopf's
    async with ApiClient(log_in) as client, watching.aiohttp_session:
        async with api_server(port, old):
            assert await client.list(CONFIG_MAPS, "shop") == []
        async with api_server(port, new):
            with pytest.raises(ApiError, match="not trusted"):
                await client.list(CONFIG_MAPS, "shop")
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await watching.aiohttp_session.get(watching.server)
            shutil.copy(new, file)
            assert await client.list(CONFIG_MAPS, "shop") == []
            assert watching.aiohttp_session.closed  # kopf renews the login of a closed session
            async with connect(log_in).aiohttp_session as renewed:
                assert (await renewed.get(watching.server)).ok


async def test_an_unreadable_file_of_authorities_is_an_untrusted_certificate(
    certificates: tuple[Path, Path], tmp_path: Path
) -> None:
    old, new = certificates
    port, file = free_port(), tmp_path / "ca.crt"
    shutil.copy(old, file)
    info = kopf.ConnectionInfo(server=f"https://127.0.0.1:{port}", ca_path=str(file))
    async with ApiClient(lambda: info) as client, api_server(port, new):
        for content in ("", "no certificate"):
            file.write_text(content)
            with pytest.raises(ApiError, match="not trusted"):
                await client.list(CONFIG_MAPS, "shop")
        file.unlink()
        with pytest.raises(ApiError, match="not trusted"):
            await client.list(CONFIG_MAPS, "shop")
