"""Empty lists, maps and sections: each means no rule, or is rejected by name."""

import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import CHARTS, HelmError, of_kind, render, standalone_options
from tests.support.chart_manifests import check_manifests

REQUIRED_OPTIONS = {
    **{service: standalone_options(service) for service in SERVICES},
    "cadastro": ["--set", "test.url=http://x.example"],
    "load": ["--set", "url=http://x.example"],
    "synthetic": [],
}
METRICS = {
    **dict.fromkeys(SERVICES, "metrics.prometheusOperator=true,metrics.dashboard=true"),
    "synthetic": "metrics.prometheusOperator=true,metrics.dashboard.enabled=true",
}


def options(chart: str) -> list[str]:
    """Return the options with which every template of a chart is rendered."""
    return [*REQUIRED_OPTIONS[chart], *(["--set", METRICS[chart]] if chart in METRICS else [])]


def collections(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and default of each list and map in the values of a chart."""
    for name, value in values.items():
        if isinstance(value, (dict, list)):
            yield f"{prefix}{name}", value
        if isinstance(value, dict):
            yield from collections(value, f"{prefix}{name}.")


@functools.cache
def paths(chart: str) -> dict[str, Any]:
    """Return default by path of each list and map in the values of a chart."""
    return dict(
        collections(
            yaml.load((CHARTS / chart / "values.yaml").read_text(), Loader=yaml.CSafeLoader)
        )
    )


def settings(values: dict[str, Any]) -> list[str]:
    """Return the options that set values."""
    return [part for path, one in values.items() for part in ("--set-json", f"{path}={one}")]


def ingress(objects: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the ingress rules of a network policy."""
    found: list[dict[str, Any]] = of_kind(objects, "NetworkPolicy")[name]["spec"].get("ingress", [])
    return found


@pytest.mark.parametrize("empty", ["empty", "null"])
@pytest.mark.parametrize("chart", sorted(REQUIRED_OPTIONS))
def test_all_lists_and_maps_may_be_empty_at_once(helm: str, chart: str, empty: str) -> None:
    leaves = {
        path: json.dumps(None if empty == "null" else type(value)())
        for path, value in paths(chart).items()
        if isinstance(value, list) or not value or path.endswith(("requests", "limits"))
    }
    check_manifests(render(helm, chart, *options(chart), *settings(leaves)))


@pytest.mark.parametrize(
    ("chart", "path"),
    [
        (chart, path)
        for chart in ("cadastro", "load", "synthetic", "auth", "clients", "inventory")
        for path in paths(chart)
        # the services share most values
        if chart == "clients" or chart not in SERVICES or path not in paths("clients")
    ],
)
def test_a_section_without_values_renders_valid_objects_or_is_named(
    helm: str, chart: str, path: str
) -> None:
    # `--set` cannot add to a section that is null
    given = REQUIRED_OPTIONS[chart] if path.startswith(("metrics", "test")) else options(chart)
    given = [] if path == "test" else given
    try:
        objects = render(helm, chart, *given, "--set-json", f"{path}=null")
    except HelmError as error:
        assert path.rpartition(".")[2] in str(error)  # noqa: PT017 - either outcome is right
        assert ".Values." not in str(error)  # noqa: PT017 - a template, not a message
    else:
        check_manifests(objects)


@pytest.mark.parametrize("empty", ["[]", "null"])
def test_without_peers_only_the_services_of_the_release_are_admitted(helm: str, empty: str) -> None:
    given = settings({"networkPolicy.ingressFrom": empty, "metrics.ingressFrom": empty})
    objects = render(helm, "clients", *standalone_options("clients"), *given)
    (rule,) = ingress(objects, "try-clients")
    assert rule["ports"] == [{"port": 8000}]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "try"


@pytest.mark.parametrize("empty", ["[]", "null"])
def test_without_peers_the_status_page_admits_nothing(helm: str, empty: str) -> None:
    objects = render(helm, "synthetic", "--set-json", f"networkPolicy.ingressFrom={empty}")
    assert ingress(objects, "try-synthetic") == []


def test_without_peers_of_the_database_no_port_of_a_database_is_open(helm: str) -> None:
    given = settings({"networkPolicy.databaseTo": "[]", "database.poolerSecret": '"x"'})
    objects = render(helm, "clients", *standalone_options("clients"), *given)
    rules = of_kind(objects, "NetworkPolicy")["try-clients-egress"]["spec"]["egress"]
    assert not {5432, 6432} & {port["port"] for rule in rules for port in rule["ports"]}


@pytest.mark.parametrize(
    ("value", "port"), [("networkPolicy.apiServerPorts", 6443), ("networkPolicy.targetPorts", 8443)]
)
def test_without_ports_only_dns_is_open(helm: str, value: str, port: int) -> None:
    def ports(*given: str) -> set[int]:
        policies = of_kind(render(helm, "synthetic", *given), "NetworkPolicy").values()
        rules = [rule for policy in policies for rule in policy["spec"]["egress"]]
        return {one["port"] for rule in rules for one in rule["ports"]}

    assert port in ports()
    assert port not in ports("--set-json", f"{value}=[]")


@pytest.mark.parametrize("peer", ["{}", '{"podSelectr": {}}', '"10.0.0.0/8"'])
def test_a_peer_that_is_empty_or_misspelt_is_named(helm: str, peer: str) -> None:
    with pytest.raises(HelmError, match="ingressFrom"):
        render(
            helm,
            "clients",
            *standalone_options("clients"),
            *settings({"networkPolicy.ingressFrom": f"[{peer}]"}),
        )


@pytest.mark.parametrize(
    "path", ["networkPolicy.ingressFrom", "resources", "podLabels", "extraEnv"]
)
def test_an_empty_value_below_the_umbrella_renders_valid_objects(helm: str, path: str) -> None:
    for empty in ("null", "[]" if path in {"networkPolicy.ingressFrom", "extraEnv"} else "{}"):
        check_manifests(render(helm, "cadastro", "--set-json", f"clients.{path}={empty}"))


@pytest.mark.parametrize(
    "nothing",
    [
        "null",
        '{"image": null, "postgresql": null, "generateSecrets": null, "ipFamilies": null}',
        '{"image": {"registry": null, "tag": null}, "postgresql": {"enabled": null}}',
    ],
    ids=["all", "sections", "values"],
)
@pytest.mark.parametrize("chart", sorted(REQUIRED_OPTIONS.keys() - {"cadastro"}))
def test_global_values_of_a_single_chart_may_be_null(helm: str, chart: str, nothing: str) -> None:
    given = REQUIRED_OPTIONS[chart]
    assert render(helm, chart, *given, *settings({"global": nothing})) == render(
        helm, chart, *given
    )


def objects_of(helm: str, *given: str) -> set[tuple[str, str]]:
    """Return kind and name of each object of the umbrella, Jobs without their hashes."""
    found = render(helm, "cadastro", *given)
    return {(item["kind"], item["metadata"]["name"].partition("-migrate-")[0]) for item in found}


@pytest.mark.parametrize(
    "path", ["global", "global.image", "global.postgresql", "global.generateSecrets"]
)
def test_null_global_values_of_the_umbrella_have_their_defaults(
    all_helms: list[str], path: str
) -> None:
    for helm in all_helms:
        assert objects_of(helm, "--set-json", f"{path}=null") == objects_of(helm)


def test_the_umbrella_may_have_no_monitors(helm: str) -> None:
    objects = render(helm, "cadastro", "--set-json", "synthetic.monitors=null")
    check_manifests(objects)
    assert "data" not in of_kind(objects, "ConfigMap")["try-synthetic-monitors"]
    hosts = of_kind(objects, "Secret")["try-synthetic-credentials"]["metadata"]["annotations"]
    assert hosts["monitoring.cadastro.dev/hosts"] == "ingress/try"
