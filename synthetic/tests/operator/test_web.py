"""The operator's HTTP server: status page, metrics and health checks."""

import asyncio
from dataclasses import dataclass

import aiohttp

from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.web import serve
from tests.support.synthetic.kubernetes_objects import monitor

STATUS = {
    "conditions": [
        {"type": "Healthy", "status": "False", "reason": "Failing", "message": "<b>3</b> of 3"}
    ],
    "totals": {"passed": 1, "failed": 3, "error": 0, "disrupted": 0},
    "runs": [
        "2026-01-31T10:00:00Z passed 80",
        *[f"2026-01-31T10:0{n}:00Z failed 90 health dns" for n in range(1, 4)],
    ],
}


@dataclass
class Health:
    """Liveness and readiness of the operator."""

    alive: bool = True
    ready: bool = True


def get(cache: MonitorCache, path: str, health: Health | None = None) -> tuple[int, str]:
    """Return status and text of a response."""

    async def fetch() -> tuple[int, str]:
        async with serve(0, cache, health or Health()) as port, aiohttp.ClientSession() as session:
            response = await session.get(f"http://127.0.0.1:{port}{path}")
            return response.status, await response.text()

    return asyncio.run(fetch())


def shop() -> MonitorCache:
    """Return a cache with one failing monitor."""
    cache = MonitorCache()
    cache.upsert(monitor(status=STATUS))
    return cache


def test_the_page_shows_a_failing_monitor_and_escapes_markup() -> None:
    status, page = get(shop(), "/")
    assert status == 200
    assert "1 of 1 monitors failing" in page
    assert "&lt;b&gt;3&lt;/b&gt; of 3" in page
    assert page.count('<rect class="failed"') == 3
    assert page.count("<rect ") == 90
    assert "<script" not in page


def test_shows_a_page_without_monitors() -> None:
    assert "There is no SyntheticMonitor yet" in get(MonitorCache(), "/")[1]


def test_exports_the_counters_of_the_status() -> None:
    _, metrics = get(shop(), "/metrics")
    labels = 'journey="clients-crud",monitor="shop",namespace="here"'
    assert f'cadastro_synthetic_monitor_runs_total{{{labels},result="failed"}} 3.0' in metrics
    assert f"cadastro_synthetic_monitor_up{{{labels}}} 0.0" in metrics


def test_a_monitor_without_data_is_neither_up_nor_down() -> None:
    cache = MonitorCache()
    cache.upsert(monitor())
    assert "cadastro_synthetic_monitor_up{" not in get(cache, "/metrics")[1]


def test_reports_liveness_and_readiness() -> None:
    assert get(MonitorCache(), "/-/live")[0] == 200
    assert get(MonitorCache(), "/-/live", Health(alive=False))[0] == 503
    assert get(MonitorCache(), "/-/ready", Health(ready=False))[0] == 503
