"""Alert rules of the charts, with their promtool tests and runbooks."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack.service_catalog import SERVICES
from scripts.charts import promtool
from scripts.charts.rendering import CHARTS, HelmError, render, rule_groups

# Options that enable the rules of each chart. Their promtool tests are in alerts/CHART.yaml.
RULES = {
    "cadastro": (
        "--set",
        ",".join(f"{part}.metrics.prometheusOperator=true" for part in (*SERVICES, "backup")),
        *("--set", "backup.enabled=true,backup.existingClaim=backups"),
        *("--set", "clients.database.replicaSecret=r,products.database.replicaSecret=r"),
    ),
    "synthetic": ("--set", "metrics.prometheusOperator=true"),
}


@pytest.fixture(params=sorted(RULES))
def chart(request: pytest.FixtureRequest) -> str:
    """A chart with rules."""
    return str(request.param)


@pytest.fixture
def groups(helm: str, chart: str) -> dict[str, Any]:
    """Rendered rule groups of the chart."""
    found: dict[str, Any] = rule_groups(render(helm, chart, *RULES[chart]))
    return found


@pytest.fixture
def cases(chart: str) -> dict[str, Any]:
    """Promtool tests of the chart's alerts."""
    text = (Path(__file__).parent / "alerts" / f"{chart}.yaml").read_text()
    read: dict[str, Any] = yaml.safe_load(text)
    return read


@pytest.mark.usefixtures("promtool")
def test_promtool_accepts_the_rules(groups: dict[str, Any]) -> None:
    assert "SUCCESS" in promtool.check_rules(groups)


@pytest.mark.usefixtures("promtool")
def test_alerts_pass_their_promtool_tests(groups: dict[str, Any], cases: dict[str, Any]) -> None:
    assert "SUCCESS" in promtool.test_rules(groups, cases)


def test_promtool_tests_cover_firing_and_not_firing_of_each_alert(
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


@pytest.mark.parametrize(("resync", "silence"), [(5, 900), (120, 900), (300, 900), (1800, 5400)])
def test_an_operator_is_not_down_before_three_resyncs(helm: str, resync: int, silence: int) -> None:
    options = (*RULES["synthetic"], "--set", f"resyncSeconds={resync}")
    (group,) = rule_groups(render(helm, "synthetic", *options))["groups"]
    expressions = {rule["alert"]: rule["expr"] for rule in group["rules"]}
    assert expressions["SyntheticOperatorDown"].endswith(f" > {silence}")


@pytest.mark.parametrize("base", ["https://books.example/runbooks", "https://books.example/"])
def test_each_alert_links_to_a_runbook(helm: str, chart: str, base: str) -> None:
    prefixes = [f"{part}." for part in (*SERVICES, "backup")] if chart == "cadastro" else [""]
    settings = ",".join(f"{prefix}metrics.runbooks={base}" for prefix in prefixes)
    groups = rule_groups(render(helm, chart, *RULES[chart], "--set", settings))
    for group in groups["groups"]:
        for rule in group["rules"]:
            url = rule["annotations"]["runbook_url"]
            assert url == f"{base.rstrip('/')}/{rule['alert']}.md"
            page = (CHARTS.parent / "docs" / "runbooks" / url.rpartition("/")[2]).read_text()
            assert page.startswith(f"# {rule['alert']}\n")
            assert re.findall("^## (.+)$", page, re.MULTILINE) == [
                "Meaning",
                "Diagnosis",
                "Mitigation",
            ]


def test_no_alert_has_a_link_that_is_not_absolute(helm: str, groups: dict[str, Any]) -> None:
    rules = [rule for group in groups["groups"] for rule in group["rules"]]
    assert not any("runbook_url" in rule["annotations"] for rule in rules)
    for base in ("docs/books", "books.example", "/runbooks"):
        with pytest.raises(HelmError, match="runbooks"):
            render(helm, "synthetic", "--set", f"metrics.runbooks={base}")


def test_each_runbook_belongs_to_an_alert(helm: str) -> None:
    alerts = {
        rule["alert"]
        for chart, options in RULES.items()
        for group in rule_groups(render(helm, chart, *options))["groups"]
        for rule in group["rules"]
    }
    pages = {page.stem for page in (CHARTS.parent / "docs" / "runbooks").glob("*.md")}
    assert pages == alerts


@pytest.mark.usefixtures("promtool")
def test_rejects_a_rule_that_fails_its_promtool_test(
    groups: dict[str, Any], cases: dict[str, Any]
) -> None:
    for group in groups["groups"]:
        for rule in group["rules"]:
            rule["expr"] = "vector(0) == 1"
    with pytest.raises(promtool.PromtoolError, match=re.escape("exp:[")):
        promtool.test_rules(groups, cases)


@pytest.mark.usefixtures("promtool")
def test_rejects_an_expression_that_does_not_parse() -> None:
    with pytest.raises(promtool.PromtoolError, match="parse error"):
        promtool.check_expression("sum by (x")
