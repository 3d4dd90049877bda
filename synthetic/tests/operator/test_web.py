"""The operator's HTTP server: status page, metrics and health checks."""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import aiohttp

from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.status_article import STATES
from synthetic.operator.web import serve
from tests.support.synthetic.kubernetes_objects import monitor

PLAIN = ("passed", "none")  # bars without a tooltip
STATUS: dict[str, Any] = {
    "conditions": [
        {"type": "Healthy", "status": "False", "reason": "Failing", "message": "<b>3</b> of 3"}
    ],
    "totals": {"passed": 1, "failed": 3, "error": 0, "disrupted": 0},
    "runs": [
        "2026-01-31T10:00:00Z passed 80",
        *[f"2026-01-31T10:0{n}:00Z failed 90 health dns" for n in range(1, 4)],
    ],
    "certificateExpiry": "2026-03-01T00:00:00Z",
    "failures": [
        {
            "finishedAt": "2026-01-31T10:03:01Z",
            "result": "failed",
            "job": "shop-29",
            "step": "health",
            "reason": "schema",
            "httpStatus": 200,
            "evidence": {"pointer": "/<b>", "keyword": "type", "schema": "api.yaml#/Thing/type"},
        }
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
    (passed, empty) = (re.findall(f'<path class="{kind}" d="(.*?)"', page) for kind in PLAIN)
    assert [path.count("M") for path in (*passed, *empty)] == [1, 86]
    assert "<script" not in page
    assert "2026-03-01 00:00:00 UTC" in page
    assert "health schema 200<br><code>/&lt;b&gt; violates type (schema api.yaml#/Thing" in page


def with_last_run(name: str = "shop", **spec: Any) -> dict[str, Any]:
    """Return a monitor that has failed, with its last run."""
    last = {
        "job": "shop-29",
        "result": "failed",
        "durationMs": 90,
        "traceId": "ab" * 16,
        "finishedAt": "2026-01-31T10:03:00Z",
    }
    return monitor(name, status={**STATUS, "lastRun": last}, **spec)


def test_the_page_names_the_namespace_and_the_job_and_trace_of_a_failure_with_its_date() -> None:
    cache = MonitorCache()
    cache.upsert(with_last_run())
    _, page = get(cache, "/")
    assert '<span class="namespace">here/</span>shop' in page
    assert "<code>shop-29</code>" in page
    assert f"<code>{'ab' * 16}</code>" in page
    assert "2026-01-31 10:03:00 UTC" in page
    first, last = re.findall(r'<p class="scale">.*?</p>', page)[0].split("</span><span>")
    assert "2026-01-31 10:00:00 UTC" in first
    assert "2026-01-31 10:03:00 UTC" in last


def test_a_paused_monitor_is_a_state_of_its_own() -> None:
    cache = MonitorCache()
    cache.upsert(with_last_run(suspend=True))
    _, page = get(cache, "/")
    assert "No monitors run, 1 paused" in page
    assert "Paused</span>" in page
    _, metrics = get(cache, "/metrics")
    assert 'cadastro_synthetic_monitor_suspended{journey="clients-crud",monitor="shop"' in metrics
    assert "cadastro_synthetic_monitor_up{" not in metrics
    passing = {**STATUS["conditions"][0], "status": "True", "reason": "Passing"}
    cache.upsert(monitor("other", status={"conditions": [passing]}))
    assert "All monitors pass, 1 paused" in get(cache, "/")[1]


def test_maintenance_is_a_state_of_its_own() -> None:
    cache = MonitorCache()
    shown = {"reason": "Upgrade", "until": "2026-01-31T12:00:00Z", "runs": "Continue"}
    message = "Upgrade (until 2026-01-31T12:00:00Z, spec.maintenance[0]): runs go on"
    healthy = {"type": "Healthy", "status": "Unknown", "reason": "Maintenance", "message": message}
    runs = ["2026-01-31T10:00:00Z failed/maintenance 80 createClient"]
    status = {
        "conditions": [healthy],
        "maintenance": shown,
        "runs": runs,
        "totals": {"maintenance": 1},
    }
    cache.upsert(monitor(status=status))
    _, page = get(cache, "/")
    assert "No results count, 1 in maintenance" in page
    assert "Maintenance</span>" in page
    assert message in page
    assert "2026-01-31T10:00:00Z failed 80 ms in maintenance createClient" in page
    _, metrics = get(cache, "/metrics")
    labels, severity = (
        'journey="clients-crud",monitor="shop",namespace="here"',
        'severity="critical"',
    )
    assert f"cadastro_synthetic_monitor_in_maintenance{{{labels},{severity}}} 1.0" in metrics
    assert (
        f'cadastro_synthetic_monitor_runs_total{{{labels},result="maintenance",{severity}}} 1.0'
        in metrics
    )
    assert "cadastro_synthetic_monitor_up{" not in metrics
    assert "cadastro_synthetic_monitor_uptime_ratio{" not in metrics
    cache.upsert(monitor())
    metrics = get(cache, "/metrics")[1]
    assert f"cadastro_synthetic_monitor_in_maintenance{{{labels},{severity}}} 0.0" in metrics


def test_bars_have_a_shape_for_each_result_and_mark_slow_runs() -> None:
    results = ("passed", "failed", "error", "disrupted")
    runs = [f"2026-01-31T10:0{n}:00Z {result} 80 why" for n, result in enumerate(results)]
    cache = MonitorCache()
    other = ["2026-01-31T10:04:00Z passed 900", "2026-01-31T10:05:00Z failed/maintenance 80"]
    cache.upsert(monitor(status={"runs": [*runs, *other]}, thresholds={"degradedMs": 500}))
    _, page = get(cache, "/")
    shapes = re.findall(
        r'<rect class="(\w+)" x="\d+" y="([\d.]+)" width="\d+" height="([\d.]+)"', page
    )
    shapes += re.findall(r'<path class="(passed)" d="M\d+ ([\d.]+)h8v([\d.]+)h-8z"/>', page)
    found = {kind: (top, height) for kind, top, height in shapes}
    assert found.keys() == {*results, "slow", "maintenance"}
    assert len(set(found.values())) == len(found)


def test_each_state_has_a_symbol() -> None:
    symbols = [text.split()[0] for text in STATES.values()]
    assert len(set(symbols)) == len(symbols)


def test_exports_the_build_and_the_process() -> None:
    _, metrics = get(MonitorCache(), "/metrics")
    assert re.search(r'cadastro_synthetic_operator_build_info{python="3[.\d]+",version="', metrics)
    assert "process_resident_memory_bytes " in metrics
    assert "process_cpu_seconds_total " in metrics


def test_shows_a_page_without_monitors() -> None:
    assert "There is no SyntheticMonitor yet" in get(MonitorCache(), "/")[1]


def test_exports_the_counters_of_the_status() -> None:
    _, metrics = get(shop(), "/metrics")
    labels, severity = (
        'journey="clients-crud",monitor="shop",namespace="here"',
        'severity="critical"',
    )
    name = "cadastro_synthetic_monitor"
    assert f'{name}_runs_total{{{labels},result="failed",{severity}}} 3.0' in metrics
    assert f"{name}_up{{{labels},{severity}}} 0.0" in metrics


def test_the_severity_is_a_label_and_orders_the_page() -> None:
    cache = shop()
    for name, severity in (("a", "info"), ("b", "warning")):
        cache.upsert(monitor(name, status=STATUS, severity=severity))
    page = get(cache, "/")[1]
    shown = re.findall(r"</span>(a|b|shop)</h3>", page)
    assert shown == ["shop", "b", "a"]
    assert "· warning ·" in page
    metrics = get(cache, "/metrics")[1]
    assert re.search(r'_up\{[^}]*monitor="b"[^}]*severity="warning"\} 0', metrics)


def test_a_monitor_without_data_is_neither_up_nor_down() -> None:
    cache = MonitorCache()
    cache.upsert(monitor())
    assert "cadastro_synthetic_monitor_up{" not in get(cache, "/metrics")[1]


def test_reports_liveness_and_readiness() -> None:
    assert get(MonitorCache(), "/-/live")[0] == 200
    assert get(MonitorCache(), "/-/live", Health(alive=False))[0] == 503
    assert get(MonitorCache(), "/-/ready", Health(ready=False))[0] == 503
