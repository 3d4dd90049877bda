"""`synthetic operator` as a process: watches, retries, settings and termination."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from synthetic.operator.api_client import PAGE_SIZE
from synthetic.operator.conditions import condition
from synthetic.operator.cronjob import MONITOR_LABEL
from synthetic.operator.resources import CONFIG_MAPS, CRON_JOBS, MAINTENANCES, MONITORS, Object
from tests.support.synthetic.fake_cluster import KINDS, ObjectPath
from tests.support.synthetic.kubernetes_objects import monitor, termination_message
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness
from tests.support.synthetic.operator_process import (
    COMMAND,
    environment,
    is_ready,
    operator,
    until,
    until_page_contains,
)

pytestmark = [pytest.mark.anyio, pytest.mark.covers_subprocesses]

RECONCILED = 'cadastro_synthetic_operator_reconciles_total{result="ok"}'
CONFLICT = "cadastro_synthetic_operator_conflict"


async def test_follows_events_and_restores_a_deleted_cron_job(
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
            labels = 'monitor="shop",namespace="here",result="passed",severity="critical"'
            assert f"{labels}}} 1.0" in metrics
        harness.delete(MONITORS, "shop")
        await until_page_contains(url, "There is no SyntheticMonitor yet")


async def test_lists_in_pages_and_asks_for_its_own_pods_and_jobs_alone(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    async with operator(harness, tmp_path):
        owned = ("cronjobs", "jobs", "pods")
        await until(lambda: all(harness.cluster.is_watched(kind) for kind in owned))
    asked = [(kind, query) for kind, query in harness.cluster.queries if kind in owned]
    assert {kind for kind, query in asked if "watch" in query} == set(owned)
    assert {query["labelSelector"] for _, query in asked} == {MONITOR_LABEL}
    lists = [query for _, query in harness.cluster.queries if "watch" not in query]
    assert lists
    assert all(int(query.get("limit", 0)) == PAGE_SIZE for query in lists)


def maintenance_status(harness: OperatorHarness) -> str:
    """Return the status of the monitor's condition Maintenance, or an empty text."""
    return str(condition(harness.status, "Maintenance").get("status", ""))


@pytest.mark.parametrize("namespaces", [NAMESPACE, "*"], ids=["one-namespace", "all-namespaces"])
async def test_follows_cluster_wide_maintenance(
    harness: OperatorHarness, tmp_path: Path, namespaces: str
) -> None:
    harness.add_monitor()
    always = {"start": "2026-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
    settings = {"RESYNC_SECONDS": "3600", "WATCH_NAMESPACES": namespaces}
    path = ObjectPath.of(MAINTENANCES.path("", "upgrade"))
    async with operator(harness, tmp_path, **settings):
        await until(lambda: harness.cluster.is_watched("syntheticmaintenances"))
        await until(lambda: is_ready(harness))
        harness.add_maintenance(**always)
        await until(lambda: maintenance_status(harness) == "True")
        await until(lambda: harness.cluster.get(path).get("status"))
        assert harness.maintenance_conditions()["Active"][0] == "True"
    before = harness.cluster.writes[:]
    harness.cluster.watched.clear()
    async with operator(harness, tmp_path, **settings) as running:
        await until_page_contains(f"{await running.url()}/metrics", RECONCILED)
        await until(lambda: harness.cluster.is_watched("syntheticmaintenances"))
        assert harness.cluster.writes == before
        harness.cluster.delete(path)
        await until(lambda: maintenance_status(harness) == "False")


async def test_notifies_a_webhook_of_a_failure_and_not_again_after_a_restart(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    received: list[bytes] = []

    async def receive(request: web.Request) -> web.Response:
        received.append(await request.read())
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/hook", receive)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    thresholds = {"failures": 1, "outOf": 1}
    harness.add_monitor(
        notify=[{"name": "ops", "webhook": {"url": url}}],
        thresholds=thresholds,
        schedule="0 0 1 1 *",
    )
    failure = termination_message("failed", reason="dns")
    harness.finish_run("job-1", failure, ended="Failed")
    settings = {"RESYNC_SECONDS": "5", "NOTIFY_NETWORKS": "127.0.0.0/8"}
    async with operator(harness, tmp_path, **settings):
        await until(lambda: harness.status.get("notified"))
    assert harness.status["notified"][0]["health"] == "False"
    async with operator(harness, tmp_path, **settings) as running:
        await until_page_contains(f"{await running.url()}/metrics", RECONCILED)
    assert len(received) == 1
    await runner.cleanup()


async def test_runs_without_the_definition_of_cluster_wide_maintenance(
    harness: OperatorHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(KINDS[MAINTENANCES.prefix], MAINTENANCES.plural)
    for _ in range(2):  # the fake API server has the path nevertheless
        harness.cluster.fail("GET", f"*/{MAINTENANCES.plural}", 404)
    async with operator(harness, tmp_path, RESYNC_SECONDS="3600"):
        await until(lambda: harness.cluster.is_watched("syntheticmonitors"))
        harness.add_monitor()
        await until(lambda: is_ready(harness))


async def test_retries_after_errors_and_conflicts(harness: OperatorHarness, tmp_path: Path) -> None:
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
        assert "rejected with 500; will be retried" in log
        assert "rejected with 429; will be retried" in log
    assert harness.status["totals"]["passed"] == 1
    assert harness.cron_job


async def test_creates_the_releases_monitors_and_writes_nothing_after_a_restart(
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
        # the counter increases after the writes of a reconciliation
        await until_page_contains(f"{await running.url()}/metrics", RECONCILED)
    assert harness.cluster.writes == before


async def test_starts_with_unreadable_statuses_and_shows_every_monitor(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    statuses: tuple[Object, ...] = (
        {"runs": ["nonsense"]},
        {"lastRun": {"job": "x"}},
        {"totals": {"passed": 2**63 - 1}, "windows": {"hours": ["x"], "days": [""]}},
        {"lastSuccessTime": "9999-12-31T23:59:59Z", "conditions": [{"type": "Healthy"}]},
    )
    for number, status in enumerate(statuses):
        stored = {**monitor(f"m{number}"), "status": status}
        stored["metadata"]["uid"] = f"uid-{number}"
        harness.add(MONITORS, stored)
    harness.add_monitor()
    harness.finish_run("job-1", termination_message("passed"))
    async with operator(harness, tmp_path) as running:
        url = await running.url()
        await until(
            lambda: all(
                condition(each.get("status") or {}, "Ready").get("status") == "True"
                for each in harness.cluster.list_kind("syntheticmonitors")
            )
        )
        await until_page_contains(f"{url}/-/ready", "ok")
        async with aiohttp.ClientSession() as session:
            page = await (await session.get(url)).text()
            metrics = await (await session.get(f"{url}/metrics")).text()
    assert page.count("<article") == len(statuses) + 1
    assert metrics.count('result="passed"') == len(statuses) + 1
    assert harness.status["totals"]["passed"] == 1
    assert harness.events().count("StatusUnreadable") == len(statuses)


async def test_two_operators_of_one_namespace_do_not_write_in_turn(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    harness.add_monitor()
    other = tmp_path / "other"
    other.mkdir()
    async with operator(harness, tmp_path, OPERATOR_NAME="one", RESYNC_SECONDS="5"):
        await until(lambda: is_ready(harness))
        image = {"PROBE_IMAGE": "r.example/another:2", "RESYNC_SECONDS": "5"}
        async with operator(harness, other, OPERATOR_NAME="two", **image) as second:
            url = await second.url()
            before = harness.cluster.writes[:]
            await until_page_contains(f"{url}/metrics", RECONCILED)
            await until_page_contains(
                f"{url}/metrics", f'{CONFLICT}{{conflict_namespace="here"}} 1'
            )
            await until_page_contains(url, f"The operator {NAMESPACE}/one manages the namespace")
            await until(lambda: condition(harness.status, "OperatorConflict"))
            await until(lambda: harness.events() == ["OperatorConflict"])
            writes = harness.cluster.writes[len(before) :]
            assert len([path for _, path in writes if "/syntheticmonitors/" in path]) == 1
            assert not [path for _, path in writes if "/cronjobs" in path]
            assert "another:2" not in str(harness.cron_job)
    message = condition(harness.status, "OperatorConflict")["message"]
    assert f"The operator {NAMESPACE}/two also watches this namespace" in message


async def test_lists_missing_settings_and_exits(harness: OperatorHarness) -> None:
    wrong = environment(harness, PROBE_IMAGE="", WORKERS="many", NOTIFY_NETWORKS="10.0.0.1/8")
    process = await asyncio.create_subprocess_exec(
        *COMMAND, env=wrong, stderr=asyncio.subprocess.PIPE
    )
    _, stderr = await process.communicate()
    assert process.returncode == 78
    assert b"PROBE_IMAGE" in stderr
    assert b"WORKERS" in stderr
    assert b"'10.0.0.1/8' is no network like 10.0.0.0/8" in stderr


async def test_without_a_cluster_the_error_names_the_setting(
    harness: OperatorHarness, tmp_path: Path
) -> None:
    alone = environment(harness, KUBECONFIG="", HOME=str(tmp_path))
    process = await asyncio.create_subprocess_exec(
        *COMMAND, env=alone, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, stderr = await process.communicate()
    assert process.returncode == 78
    assert b"set KUBECONFIG" in stderr
