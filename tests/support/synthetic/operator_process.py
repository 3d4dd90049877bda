"""`synthetic operator` as a process, for a fake cluster."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.support.synthetic.operator_harness import IMAGE, NAMESPACE, OperatorHarness

PATIENCE = 20.0  # seconds
COMMAND = (sys.executable, "-m", "synthetic.cli", "operator")


@dataclass
class Running:
    """A running operator."""

    process: asyncio.subprocess.Process
    log: Path

    async def url(self) -> str:
        """Return the URL of the status page, from the log."""
        prefix = '"the status page is on port '
        await until(lambda: prefix in self.log.read_text())
        port = self.log.read_text().split(prefix)[1].split('"')[0]
        return f"http://127.0.0.1:{port}"


def environment(harness: OperatorHarness, **more: str) -> dict[str, str]:
    """Return the environment of the operator."""
    return {
        **os.environ,
        "KUBECONFIG": str(harness.kubeconfig),
        "PROBE_IMAGE": IMAGE.name,
        "WATCH_NAMESPACES": NAMESPACE,
        "POD_NAMESPACE": NAMESPACE,
        "PORT": "0",
        **more,
    }


@asynccontextmanager
async def operator(harness: OperatorHarness, folder: Path, **more: str) -> AsyncIterator[Running]:
    """Run the operator while the block runs; it must exit with 0 after SIGTERM."""
    log = folder / "operator.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, env=environment(harness, **more), stdout=out, stderr=out
        )
    try:
        yield Running(process, log)
        process.terminate()
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0, log.read_text()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(happened: Callable[[], object]) -> None:
    """Wait until a condition is true."""
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110 - the fake cluster has no notifications
            await asyncio.sleep(0.02)


async def until_page_contains(url: str, text: str) -> None:
    """Wait until a page contains a text."""
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        while text not in await (await session.get(url)).text():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)


def is_ready(harness: OperatorHarness) -> bool:
    """Return whether the monitor's condition Ready is True."""
    return bool(harness.status) and harness.ready() == ("True", "Scheduled")
