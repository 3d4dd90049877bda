"""The dashboards: Grafana's JSON, expressions that Prometheus reads, and metrics that there are."""

import json
import re
from typing import Any

import promtool
import pytest
from rendering import CHARTS, of_kind, render

from localstack.catalogue import SERVICES

METRIC = re.compile(r"\b([a-z_]+)\{")
PARTS = re.compile(r"(?<=seconds)_(?:bucket|count|sum)$|_total$")


@pytest.fixture(scope="module")
def dashboards(helm: str) -> dict[str, dict[str, Any]]:
    """Those of all services, by their charts' names."""
    on = ",".join(f"{service}.metrics.dashboard=true" for service in SERVICES)
    maps = of_kind(render(helm, "cadastro", "--set", on), "ConfigMap")
    return {
        service: json.loads(maps[f"try-{service}-dashboard"]["data"][f"try-{service}.json"])
        for service in SERVICES
    }


def expressions(dashboard: dict[str, Any]) -> list[str]:
    """Return what its panels ask Prometheus."""
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


@pytest.mark.usefixtures("promtool")
def test_prometheus_reads_every_expression(dashboards: dict[str, dict[str, Any]]) -> None:
    found = [expression for each in dashboards.values() for expression in expressions(each)]
    rules = [
        {"record": f"panel:{number}:x", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(found)
    ]
    assert "SUCCESS" in promtool.check_rules({"groups": [{"name": "panels", "rules": rules}]})


def test_every_metric_that_is_shown_is_one_that_the_code_has(
    dashboards: dict[str, dict[str, Any]],
) -> None:
    code = "".join(path.read_text() for path in (CHARTS.parent / "services").glob("*/src/**/*.py"))
    shown = {
        PARTS.sub("", name)
        for each in dashboards.values()
        for expression in expressions(each)
        for name in METRIC.findall(expression)
    }
    assert len(shown) > 8
    assert [name for name in sorted(shown) if not re.search(rf'"{name}"', code)] == []


def test_panels_lie_beside_each_other_and_have_names_of_their_own(
    dashboards: dict[str, dict[str, Any]],
) -> None:
    for dashboard in dashboards.values():
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
        titles = [panel["title"] for panel in dashboard["panels"]]
        assert len(set(places)) == len(set(titles)) == len(titles)
    assert len({dashboard["uid"] for dashboard in dashboards.values()}) == len(SERVICES)
