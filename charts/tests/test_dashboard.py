"""Metrics and labels in the alerts and the dashboard of the synthetic monitors."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from scripts.charts import promtool
from scripts.charts.rendering import dashboards, of_kind, render, rule_groups
from synthetic.operator import operator_metrics
from synthetic.operator.exposition import exposition
from synthetic.operator.monitor_cache import MonitorCache
from tests.support.synthetic.kubernetes_objects import monitor

OPTIONS = ("--set", "metrics.dashboard.enabled=true,metrics.prometheusOperator=true")
VARIABLES = {"$__rate_interval": "5m", "$namespace": ".*", "$monitor": ".*"}
SELECTOR = re.compile(r"\b(cadastro_synthetic_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


@pytest.fixture
def objects(helm: str) -> list[dict[str, Any]]:
    """Rendered objects with alerts and dashboard."""
    found: list[dict[str, Any]] = render(helm, "synthetic", *OPTIONS)
    return found


@pytest.fixture
def dashboard(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """The parsed dashboard."""
    (found,) = dashboards(objects)
    return found


@pytest.fixture
def exposed() -> str:
    """Metrics of the operator and of one monitor with a completed run at its location."""
    now = datetime.now(UTC)
    conditions = [
        {"type": kind, "status": "True", "reason": "Any", "message": ""}
        for kind in ("Healthy", "Ready")
    ]
    status = {
        "conditions": conditions,
        "runs": [f"{now:%Y-%m-%dT%H:%M:%SZ} passed 80"],
        "windows": {"hours": [f"{now:%Y-%m-%dT%H} 1 0 0"], "days": [f"{now:%Y-%m-%d} 1 0 0"]},
        "lastRun": {"durationMs": 80},
        "lastSuccessTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "failureReasons": {"dns": 1},
        "durations": {
            "runs": "1 0 0 0 0 0 0 0 80000",
            "steps": ["createClient 0 1 0 0 0 0 0 0 70000"],
            "phases": ["first_byte 0 1 0 0 0 0 0 0 60000"],
        },
        "certificateExpiry": "2027-01-31T10:00:00Z",
        "locations": [{"name": "rio", "conditions": conditions}],
    }
    store = MonitorCache()
    store.upsert(monitor(status=status, locations=[{"name": "rio"}]))
    operator_metrics.API_REQUESTS.labels("GET", "200")
    operator_metrics.RECONCILES.labels("ok")
    operator_metrics.CONFLICTS.labels("other")
    return b"".join([*exposition(store, now), generate_latest(operator_metrics.REGISTRY)]).decode()


def expressions(dashboard: dict[str, Any]) -> Iterator[str]:
    """Yield the expressions of a dashboard with its variables replaced."""
    targets = [target for panel in dashboard["panels"] for target in panel["targets"]]
    for query in [*targets, *dashboard["annotations"]["list"]]:
        expression = query["expr"]
        for name, value in VARIABLES.items():
            expression = expression.replace(name, value)
        yield expression


def labels_of(exposed: str) -> dict[str, set[str]]:
    """Return the labels of each metric."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(exposed):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.usefixtures("promtool")
def test_dashboard_expressions_parse(dashboard: dict[str, Any]) -> None:
    found = list(expressions(dashboard))
    assert len(found) > len(dashboard["panels"])
    for expression in found:
        promtool.check_expression(expression)


def test_alerts_and_dashboard_use_existing_metrics_and_labels(
    objects: list[dict[str, Any]], dashboard: dict[str, Any], exposed: str
) -> None:
    known, used = labels_of(exposed), set()
    (monitor_of_operator,) = of_kind(objects, "ServiceMonitor").values()
    (endpoint,) = monitor_of_operator["spec"]["endpoints"]
    # the Prometheus operator adds the label service to every target of a ServiceMonitor
    target_labels = {"service", *(rule["targetLabel"] for rule in endpoint["relabelings"])}
    alerts = [rule["expr"] for group in rule_groups(objects)["groups"] for rule in group["rules"]]
    for expression in [*alerts, *expressions(dashboard)]:
        for name, matchers in SELECTOR.findall(expression):
            assert name in known, expression
            assert set(MATCHER.findall(matchers)) <= known[name] | target_labels, expression
            used.add(name)
    prefix = "cadastro_synthetic_monitor_"
    unused = {name for name in known if name.startswith(prefix)} - used
    # up and condition already apply the threshold, and a suspended monitor has no alert
    kinds, parts = ("run", "step", "phase"), ("count", "sum")
    histogram = {f"{prefix}{kind}_duration_seconds_{part}" for kind in kinds for part in parts}
    few = ("consecutive_failures", "location_consecutive_failures", "suspended", "quorum")
    assert unused - histogram == {f"{prefix}{name}" for name in few}


def test_panels_do_not_overlap_and_have_units(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        rows = range(place["y"], place["y"] + place["h"])
        cells = {(column, row) for column in columns for row in rows}
        assert not cells & taken, panel["title"]
        assert max(columns) < 24, panel["title"]
        if panel["type"] != "state-timeline":
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        taken |= cells


@pytest.mark.usefixtures("promtool")
def test_promtool_accepts_the_operators_metrics(exposed: str) -> None:
    assert promtool.check_metrics(exposed) == ""
