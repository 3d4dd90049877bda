"""What the operator's port shows, over HTTP."""

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
    """What the operator says of itself."""

    alive: bool = True
    ready: bool = True


def get(store: MonitorCache, path: str, health: Health | None = None) -> tuple[int, str]:
    """Return the status and the text of an answer."""

    async def ask() -> tuple[int, str]:
        async with serve(0, store, health or Health()) as port, aiohttp.ClientSession() as session:
            answer = await session.get(f"http://127.0.0.1:{port}{path}")
            return answer.status, await answer.text()

    return asyncio.run(ask())


def shop() -> MonitorCache:
    """Return a store with one monitor that fails."""
    store = MonitorCache()
    store.put(monitor(status=STATUS))
    return store


def test_the_page_shows_a_failing_monitor_its_runs_and_no_markup_of_others() -> None:
    status, page = get(shop(), "/")
    assert status == 200
    assert "1 of 1 monitors failing" in page
    assert "&lt;b&gt;3&lt;/b&gt; of 3" in page
    assert page.count('<rect class="failed"') == 3
    assert page.count("<rect ") == 90
    assert "<script" not in page


def test_a_page_without_monitors_says_so() -> None:
    assert "No SyntheticMonitor is there yet" in get(MonitorCache(), "/")[1]


def test_counters_are_those_of_the_status() -> None:
    _, metrics = get(shop(), "/metrics")
    labels = 'journey="clients-crud",monitor="shop",namespace="here"'
    assert f'cadastro_synthetic_monitor_runs_total{{{labels},result="failed"}} 3.0' in metrics
    assert f"cadastro_synthetic_monitor_up{{{labels}}} 0.0" in metrics


def test_a_monitor_of_which_nothing_is_known_is_neither_up_nor_down() -> None:
    store = MonitorCache()
    store.put(monitor())
    assert "cadastro_synthetic_monitor_up{" not in get(store, "/metrics")[1]


def test_liveness_and_readiness_are_told() -> None:
    assert get(MonitorCache(), "/-/live")[0] == 200
    assert get(MonitorCache(), "/-/live", Health(alive=False))[0] == 503
    assert get(MonitorCache(), "/-/ready", Health(ready=False))[0] == 503
