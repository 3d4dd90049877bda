"""The alerts of the charts: Prometheus reads them, and they fire when they must and only then."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from localstack.catalogue import SERVICES
from scripts.charts import promtool
from scripts.charts.rendering import CHARTS, render, rule_groups

# By chart: the options that make it bring its rules. Their tests are alerts/CHART.yaml.
RULES = {
    "cadastro": (
        "--set",
        ",".join(f"{service}.metrics.prometheusOperator=true" for service in SERVICES),
    ),
    "synthetic": ("--set", "metrics.prometheusOperator=true,credentials.existingSecret=x"),
}


@pytest.fixture(params=sorted(RULES))
def chart(request: pytest.FixtureRequest) -> str:
    """A chart that brings rules."""
    return str(request.param)


@pytest.fixture
def groups(helm: str, chart: str) -> dict[str, Any]:
    """Its rules, as it renders them."""
    found: dict[str, Any] = rule_groups(render(helm, chart, *RULES[chart]))
    return found


@pytest.fixture
def cases(chart: str) -> dict[str, Any]:
    """What its alerts must do."""
    text = (Path(__file__).parent / "alerts" / f"{chart}.yaml").read_text()
    read: dict[str, Any] = yaml.safe_load(text)
    return read


@pytest.mark.usefixtures("promtool")
def test_prometheus_takes_the_rules(groups: dict[str, Any]) -> None:
    assert "SUCCESS" in promtool.check_rules(groups)


@pytest.mark.usefixtures("promtool")
def test_each_alert_fires_when_it_must_and_only_then(
    groups: dict[str, Any], cases: dict[str, Any]
) -> None:
    assert "SUCCESS" in promtool.test_rules(groups, cases)


def test_each_alert_is_seen_to_fire_and_to_be_silent(
    groups: dict[str, Any], cases: dict[str, Any]
) -> None:
    alerts = {
        rule["alert"] for group in groups["groups"] for rule in group["rules"] if "alert" in rule
    }
    seen: dict[bool, set[str]] = {True: set(), False: set()}
    for test in cases["tests"]:
        for each in test["alert_rule_test"]:
            seen[bool(each["exp_alerts"])].add(each["alertname"])
    assert seen == {True: alerts, False: alerts}


def test_each_alert_leads_to_a_page_that_says_what_to_do(groups: dict[str, Any]) -> None:
    for group in groups["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"
            page = (CHARTS.parent / rule["annotations"]["runbook_url"]).read_text()
            assert page.startswith(f"# {rule['alert']}\n")
            assert re.findall("^## (.+)$", page, re.MULTILINE) == [
                "Meaning",
                "Diagnosis",
                "Mitigation",
            ]


def test_every_page_belongs_to_an_alert(helm: str) -> None:
    alerts = {
        rule["alert"]
        for chart, options in RULES.items()
        for group in rule_groups(render(helm, chart, *options))["groups"]
        for rule in group["rules"]
    }
    pages = {page.stem for page in (CHARTS.parent / "docs" / "runbooks").glob("*.md")}
    assert pages == alerts


@pytest.mark.usefixtures("promtool")
def test_a_rule_that_does_not_do_what_is_expected_of_it_is_told(
    groups: dict[str, Any], cases: dict[str, Any]
) -> None:
    for group in groups["groups"]:
        for rule in group["rules"]:
            rule["expr"] = "vector(0) == 1"
    with pytest.raises(promtool.PromtoolError, match=re.escape("exp:[")):
        promtool.test_rules(groups, cases)


@pytest.mark.usefixtures("promtool")
def test_an_expression_that_does_not_parse_is_told() -> None:
    with pytest.raises(promtool.PromtoolError, match="parse error"):
        promtool.check_expression("sum by (x")
