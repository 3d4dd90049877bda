"""`synthetic operator` as a process: it watches, retries, and ends when it is told to."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from synthetic.operator.resources import CONFIG_MAPS, CRON_JOBS, MONITORS
from tests.support.synthetic.kubernetes_objects import termination_message
from tests.support.synthetic.operator_harness import IMAGE, NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio

PATIENCE = 20.0  # seconds until what should happen has to have happened
RECONCILED = 'cadastro_synthetic_operator_reconciles_total{result="ok"}'
COMMAND = (sys.executable, "-m", "synthetic.cli", "operator")


@dataclass
class Running:
    """The operator's process."""

    process: asyncio.subprocess.Process
    log: Path

    async def url(self) -> str:
        """Return the address of its status page, as it tells it."""
        told = '"the status page is on port '
        await until(lambda: told in self.log.read_text())
        port = self.log.read_text().split(told)[1].split('"')[0]
        return f"http://127.0.0.1:{port}"


def environment(harness: OperatorHarness, **more: str) -> dict[str, str]:
    """Return the operator's settings."""
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
    """Run it while the block runs; it must then end well by SIGTERM."""
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
    """Wait for something to happen."""
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110 - the cluster tells nobody of its changes
            await asyncio.sleep(0.02)


async def until_told(url: str, text: str) -> None:
    """Wait until a page has a text."""
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
        while text not in await (await session.get(url)).text():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)


def is_ready(harness: OperatorHarness) -> bool:
    """Tell whether the monitor says that it is ready."""
    return bool(harness.status) and harness.ready() == ("True", "Scheduled")


async def test_events_are_followed_and_what_others_change_is_put_back(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    async with operator(harness, tmp_path, RESYNC_SECONDS="3600") as running:
        url = await running.url()
        watches = ("syntheticmonitors", "cronjobs", "jobs", "pods", "deployments")
        await until(lambda: all(harness.cluster.is_watched(kind) for kind in watches))
        harness.add_monitor()
        await until(lambda: is_ready(harness))
        harness.finish_run("job-1", termination_message("passed"))
        await until(lambda: harness.status["totals"]["passed"] == 1)
        harness.delete(CRON_JOBS, harness.cron_job["metadata"]["name"])
        await until(lambda: harness.events() == ["CronJobRestored"])
        assert harness.cron_job
        async with aiohttp.ClientSession() as session:
            assert (await session.get(f"{url}/-/live")).status == 200
            assert (await session.get(f"{url}/-/ready")).status == 200
            metrics = await (await session.get(f"{url}/metrics")).text()
            assert 'monitor="shop",namespace="here",result="passed"} 1.0' in metrics
        harness.delete(MONITORS, "shop")
        await until_told(url, "No SyntheticMonitor is there yet")


async def test_refusals_and_conflicts_are_outlived(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    harness.add_monitor()
    harness.finish_run("job-1", termination_message("passed"))
    harness.cluster.fail("GET", MONITORS.prefix, 503)
    harness.cluster.fail("GET", "*/cronjobs/*", 500)
    harness.cluster.fail("POST", "*/cronjobs", 429, wait=1)
    harness.cluster.fail("PUT", "*/status", 409)
    async with operator(harness, tmp_path) as running:
        await until(lambda: is_ready(harness))
        assert running.process.returncode is None
        log = running.log.read_text()
        assert "rejected with 500; it is tried again" in log
        assert "rejected with 429; it is tried again" in log
    assert harness.status["totals"]["passed"] == 1
    assert harness.cron_job


async def test_a_restart_writes_nothing_and_the_releases_monitors_are_made(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    text = "journey: login\ntarget: {url: 'http://shop.example'}\n"
    harness.add(
        CONFIG_MAPS,
        {"metadata": {"name": "release", "namespace": NAMESPACE}, "data": {"shop": text}},
    )
    settings = {"MONITORS_CONFIG_MAP": "release", "WATCH_NAMESPACES": "*"}
    async with operator(harness, tmp_path, **settings):
        await until(lambda: harness.cluster.list_kind("syntheticmonitors") and is_ready(harness))
    before = list(harness.cluster.writes)
    async with operator(harness, tmp_path, **settings) as running:
        # whatever a look writes, it has written when it is counted
        await until_told(f"{await running.url()}/metrics", RECONCILED)
    assert harness.cluster.writes == before


async def test_settings_that_are_missing_are_listed(harness: OperatorHarness) -> None:
    wrong = environment(harness, PROBE_IMAGE="", WORKERS="many")
    process = await asyncio.create_subprocess_exec(
        *COMMAND, env=wrong, stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    assert process.returncode == 78
    assert b"PROBE_IMAGE" in told
    assert b"WORKERS" in told


async def test_without_a_cluster_it_says_what_to_set(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    alone = environment(harness, KUBECONFIG="", HOME=str(tmp_path))
    process = await asyncio.create_subprocess_exec(
        *COMMAND, env=alone, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    assert process.returncode == 78
    assert b"set KUBECONFIG" in told
