"""CEL rules of the definition of monitors: the chart rejects what they reject, by name."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from scripts.charts.rendering import CHARTS, HelmError, of_kind, render
from tests.support.monitor_values import (
    BASE,
    SINGLE,
    URL_FROM,
    options,
    receiver,
    scheduled,
    window,
)

Place = tuple[str, str]


def urls(place: str, names: tuple[str, ...]) -> dict[Place, tuple[dict[str, Any], str]]:
    """Return an example of each rule of URLs at a place."""
    examples = {
        "self.startsWith('http://') || self.startsWith('https://')": "ftp://shop.example",
        "!self.contains('@')": "http://ana:pw@shop.example",
        "!self.matches('[?#]')": "http://shop.example/?q",
        r"!self.matches('^[a-z]+://\\[[^]]*%')": "http://[fe80::1%25eth0]/",
        "self.matches('^[a-z]+://([A-Za-z0-9._-]+|"
        r"\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?(/\\S*)?$')": "http://shop.example/a b",
    }
    nested = [(rule, {names[-1]: url}) for rule, url in examples.items()]
    at = "/".join(names)
    return {(place, rule): ({names[0]: value}, f"/monitors/m/{at}'") for rule, value in nested}


FIVE_FIELDS = r"self.matches('^[^@\\s]\\S*(\\s+\\S+){4}$')"
DURATION = (
    "self.matches('^([0-9]{1,3}h)?([0-9]{1,5}m)?$') && self != ''"
    " && duration(self) >= duration('%s') && duration(self) <= duration('168h')"
)
PROXY = r"self.matches('^http://([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?/?$')"
EXACTLY_ONE = (
    "[has(self.url), has(self.ingress), has(self.httpRoute), has(self.gateway), "
    "has(self.service)].filter(given, given).size() == 1"
)
HTTPS = "!has(self.clientCertificateSecretRef) || !has(self.url) || self.url.startsWith('https://')"
OWN_LABELS = (
    "self.all(name, !name.startsWith('app.kubernetes.io/') "
    "&& !name.startsWith('monitoring.cadastro.dev/'))"
)
OBJECTIVE = "self.objective.matches('^[0-9]{1,2}([.][0-9]{1,5})?$') && double(self.objective) > 0.0"
NAME = "self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')"
# an invalid change of BASE, and what the error names; the rule's message follows `m...: `
EXAMPLES: dict[Place, tuple[dict[str, Any], str]] = {
    ("", "has(self.schedule) != has(self.interval)"): ({"interval": None}, "m: "),
    ("", "!has(self.proxy) || !has(self.proxyFrom)"): (
        {"proxy": "http://proxy.example", "proxyFrom": URL_FROM},
        "m: ",
    ),
    ("", "!has(self.timeZone) || has(self.schedule)"): ({"timeZone": "UTC"}, "m: "),
    ("", "!has(self.quorum) || has(self.locations)"): ({"quorum": 1}, "m: "),
    ("", "!has(self.quorum) || !has(self.locations) || self.quorum <= size(self.locations)"): (
        {"locations": [{"name": "rio"}], "quorum": 2},
        "m: ",
    ),
    ("target", EXACTLY_ONE): (
        {"target": {**BASE["target"], "ingress": {"name": "a"}}},
        "m.target: ",
    ),
    ("target", HTTPS): (
        {"target": {"url": "http://a", "clientCertificateSecretRef": {"name": "a"}}},
        "m.target: ",
    ),
    **urls("target.url", ("target", "url")),
    **urls("servers.*", ("servers", "api")),
    ("journey", "self.matches('^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$')"): (
        {"journey": "read a book"},
        "/monitors/m/journey'",
    ),
    ("target.service.name", "self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')"): (
        {"target": {"service": {"name": "1", "port": 80}}},
        "/monitors/m/target/service/name'",
    ),
    ("notify[0].name", NAME): (receiver(name="A b"), "/monitors/m/notify/0/name'"),
    ("locations[0].name", NAME): (
        {"locations": [{"name": "Rio"}]},
        "/monitors/m/locations/0/name'",
    ),
    **{
        (f"resources.{kind}.*", "type(self) == int || isQuantity(self)"): (
            {"resources": {kind: {"memory": "much"}}},
            f"/monitors/m/resources/{kind}/memory'",
        )
        for kind in ("requests", "limits")
    },
    ("target.service.path", r"self.matches('^/[^\\s?#@]*$')"): (
        {"target": {"service": {"name": "a", "port": 80, "path": "v1"}}},
        "/monitors/m/target/service/path'",
    ),
    ("servers", "self.all(name, !name.contains('='))"): (
        {"servers": {"a=b": "http://shop.example"}},
        "m.servers: ",
    ),
    ("schedule", FIVE_FIELDS): (scheduled("@daily"), "m.schedule: "),
    ("schedule", "!self.contains('=')"): (scheduled("TZ=UTC 0 4 * *"), "m.schedule: "),
    ("proxy", "!self.contains('@')"): ({"proxy": "http://u:p@x:1"}, "/monitors/m/proxy'"),
    ("proxy", PROXY): ({"proxy": "https://x"}, "/monitors/m/proxy'"),
    ("maintenance[0]", "has(self.start) != has(self.schedule)"): (
        {"maintenance": [{"reason": "Backup"}]},
        "m.maintenance[0]: ",
    ),
    ("maintenance[0]", "has(self.start) == has(self.end)"): (
        window(end=SINGLE["end"]),
        "m.maintenance[0]: ",
    ),
    ("maintenance[0]", "has(self.schedule) == has(self.duration)"): (
        window(duration=None),
        "m.maintenance[0]: ",
    ),
    ("maintenance[0]", "!has(self.timeZone) || has(self.schedule)"): (
        {"maintenance": [{**SINGLE, "timeZone": "UTC"}]},
        "m.maintenance[0]: ",
    ),
    ("maintenance[0]", "!has(self.start) || !has(self.end) || self.end > self.start"): (
        # the offsets matter: the text of this end is the larger one
        {"maintenance": [{**SINGLE, "end": "2026-03-01T23:00:00+02:00"}]},
        "m.maintenance[0]: ",
    ),
    ("maintenance[0].schedule", FIVE_FIELDS): (
        window(schedule="0 2 * *"),
        "m.maintenance[0].schedule: ",
    ),
    ("maintenance[0].schedule", "!self.contains('=')"): (
        window(schedule="TZ=UTC 0 4 * *"),
        "m.maintenance[0].schedule: ",
    ),
    ("maintenance[0].duration", DURATION % "1m"): (
        window(duration="168h1m"),
        "m.maintenance[0].duration: ",
    ),
    ("notify[0].resendInterval", DURATION % "5m"): (
        receiver(resendInterval="4m"),
        "m.notify[0].resendInterval: ",
    ),
    ("notify[0]", "has(self.webhook) != has(self.apprise)"): (
        receiver(webhook=None),
        "m.notify[0]: ",
    ),
    ("notify[0].webhook", "has(self.url) != has(self.urlFrom)"): (
        receiver(webhook={"url": "https://hooks.example", "urlFrom": URL_FROM}),
        "m.notify[0].webhook: ",
    ),
    ("notify[0].webhook.url", "self.startsWith('https://') || self.startsWith('http://')"): (
        receiver(webhook={"url": "ftp://hooks.example"}),
        "/monitors/m/notify/0/webhook/url'",
    ),
    ("notify[0].webhook.url", "!self.contains('@')"): (
        receiver(webhook={"url": "https://u:p@hooks.example"}),
        "/monitors/m/notify/0/webhook/url'",
    ),
    ("thresholds", "self.failures <= self.outOf"): (
        {"thresholds": {"failures": 9}},
        "m.thresholds: ",
    ),
    ("slo", OBJECTIVE): (
        {"slo": {"objective": "0.00"}},
        "m.slo: ",
    ),
    ("pod.labels", OWN_LABELS): (
        {"pod": {"labels": {"app.kubernetes.io/name": "a"}}},
        "m.pod.labels: ",
    ),
}


def rules(schema: dict[str, Any], place: str = "") -> Iterator[tuple[Place, str]]:
    """Yield place, rule and message of each CEL rule in a schema."""
    for one in schema.get("x-kubernetes-validations", []):
        yield (place, one["rule"]), one["message"]
    parts = [(f".{name}", part) for name, part in schema.get("properties", {}).items()]
    if isinstance(schema.get("additionalProperties"), dict):
        parts.append((".*", schema["additionalProperties"]))
    if "items" in schema:
        parts.append(("[0]", schema["items"]))
    for name, part in parts:
        yield from rules(part, f"{place}{name}".removeprefix("."))


def rules_of_specs() -> dict[Place, str]:
    """Return the message of each rule in the schema of specs, by place and rule."""
    definition = yaml.safe_load((CHARTS / "synthetic" / "files" / "crd.yaml").read_text())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return dict(rules(schema["properties"]["spec"]))


RULES = rules_of_specs()


def test_each_rule_of_the_definition_has_an_example() -> None:
    assert sorted(EXAMPLES) == sorted(RULES)


@pytest.mark.parametrize("chart", ["synthetic", "cadastro"])
@pytest.mark.parametrize("rule", EXAMPLES, ids=lambda rule: f"{rule[0]}-{rule[1][:40]}")
def test_a_monitor_that_a_rule_rejects_is_rejected_by_the_chart(
    all_helms: list[str], chart: str, rule: Place
) -> None:
    changes, beginning = EXAMPLES[rule]
    is_message = beginning.startswith("m")
    error = f"synthetic: monitors.{beginning}{RULES[rule]}" if is_message else beginning
    for helm in all_helms:
        with pytest.raises(HelmError, match=re.escape(error)):
            render(helm, chart, *options(chart, changes))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (scheduled("61 * * * *"), 'monitors.m.schedule: "61 * * * *" is not a cron schedule'),
        (window(schedule="0 2 * * 7"), '"7" is no day of the week (0-6)'),
        (window(duration=""), "monitors.m.maintenance[0].duration:"),
        (
            window(schedule=None, duration=None, start="Sunday", end="Monday"),
            "/maintenance/0/start",
        ),
        ({"notify": receiver()["notify"] * 2}, "monitors.m.notify[1].name: chat is the name of"),
        (
            {"locations": [{"name": "rio"}] * 2},
            "monitors.m.locations[1].name: rio is the name of another location too",
        ),
        ({"runOnRollout": {"deployments": ["a", "a"]}}, "/monitors/m/runOnRollout/deployments"),
        ({"target": {"caFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}}, "m.target: give"),
        ({"thresholds": {"outOf": 2}}, "monitors.m.thresholds:"),
        ({"pod": {"foo": 1}}, "/monitors/m/pod'"),
    ],
    ids=str,
)
def test_a_monitor_that_the_operator_rejects_is_rejected_by_the_chart(
    all_helms: list[str], changes: dict[str, Any], error: str
) -> None:
    for helm in all_helms:
        with pytest.raises(HelmError, match=re.escape(error)):
            render(helm, "synthetic", *options("synthetic", changes))


def test_a_name_that_is_too_long_is_rejected_by_the_chart(helm: str) -> None:
    with pytest.raises(HelmError, match="maxLength: got 64, want 63"):
        render(helm, "synthetic", *options("synthetic", {}, "m" * 64))


@pytest.mark.parametrize(
    "changes",
    [
        {**scheduled("*/5 9-17 * * MON-FRI"), "timeZone": "America/Sao_Paulo"},
        {"maintenance": [SINGLE, {**SINGLE, "end": "2026-03-01T22:30:00.5-03:00"}]},
        window(duration="168h"),
        window(duration="1m", timeZone="UTC"),
        receiver(resendInterval="1h30m", webhook={"urlFrom": URL_FROM}),
        receiver(webhook=None, apprise={"urlFrom": URL_FROM}),
        {"thresholds": {"failures": 2, "outOf": 2}},
        {"slo": {"objective": "0.001"}},
        {"target": {"url": "https://a", "clientCertificateSecretRef": {"name": "a"}}},
        {"target": {"ingress": {"name": "a"}, "clientCertificateSecretRef": {"name": "a"}}},
        {"target": {"service": {"name": "a", "port": 80, "path": "/"}}},
        {"pod": {"labels": {"app.kubernetes.io": "a"}}},
        {"enabled": False, "interval": None},
    ],
    ids=str,
)
def test_a_monitor_within_the_rules_is_rendered(helm: str, changes: dict[str, Any]) -> None:
    assert render(helm, "synthetic", *options("synthetic", changes))


def test_a_schedule_replaces_the_interval_of_a_monitor_of_the_umbrella(
    all_helms: list[str],
) -> None:
    changes = '{"interval": null, "schedule": "0 9 * * *"}'
    for helm in all_helms:
        objects = render(
            helm, "cadastro", "--set-json", f"synthetic.monitors.auth-health={changes}"
        )
        monitors = of_kind(objects, "ConfigMap")["try-synthetic-monitors"]["data"]
        spec = yaml.safe_load(monitors["auth-health"])
        assert "interval" not in spec
        assert spec["schedule"] == "0 9 * * *"
