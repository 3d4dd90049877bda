"""Values of another type or form: converted to the strings that are needed, or rejected by name."""

import re
from typing import Any

import pytest
import yaml

from scripts.charts.rendering import (
    HelmError,
    containers,
    of_kind,
    pod_specs,
    render,
    standalone_options,
)
from tests.support.chart_manifests import check_manifests

NUMBERS = '{"off": false, "on": true, "large": 1200000, "huge": 9007199254740991, "ratio": 0.5}'
STRINGS = {
    "off": "false",
    "on": "true",
    "large": "1200000",
    "huge": "9007199254740991",
    "ratio": "0.5",
}
CLIENTS = standalone_options("clients")
AUTH = standalone_options("auth")


def pod_template(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the pod template of the first Deployment."""
    found: dict[str, Any] = next(i for i in objects if i["kind"] == "Deployment")["spec"][
        "template"
    ]
    return found


def test_annotations_of_the_ingress_become_strings(helm: str) -> None:
    values = '{"nginx.ingress.kubernetes.io/ssl-redirect": false, "large": 1200000}'
    objects = render(helm, "cadastro", "--set-json", f"ingress.annotations={values}")
    (ingress,) = of_kind(objects, "Ingress").values()
    assert ingress["metadata"]["annotations"] == {
        "nginx.ingress.kubernetes.io/ssl-redirect": "false",
        "large": "1200000",
    }


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("podAnnotations", lambda objects: pod_template(objects)["metadata"]["annotations"]),
        ("podLabels", lambda objects: pod_template(objects)["metadata"]["labels"]),
        ("nodeSelector", lambda objects: pod_template(objects)["spec"]["nodeSelector"]),
        (
            "metrics.labels",
            lambda objects: of_kind(objects, "PodMonitor")["try-clients"]["metadata"]["labels"],
        ),
    ],
)
def test_values_of_string_maps_become_strings(helm: str, value: str, found: Any) -> None:
    options = ("--set", "metrics.prometheusOperator=true", "--set-json", f"{value}={NUMBERS}")
    objects = render(helm, "clients", *CLIENTS, *options)
    check_manifests(objects)
    assert STRINGS.items() <= found(objects).items()


def test_values_of_environment_variables_become_strings(helm: str) -> None:
    given = (
        '[{"name": "LARGE", "value": 1200000}, {"name": "OFF", "value": false}, {"name": "EMPTY"}]'
    )
    objects = render(helm, "clients", *CLIENTS, "--set-json", f"extraEnv={given}")
    check_manifests(objects)
    for _, pod in pod_specs(objects):
        for container in containers(pod):
            env = {variable["name"]: variable.get("value") for variable in container["env"]}
            assert env["LARGE"] == "1200000"
            assert env["OFF"] == "false"
            assert env["EMPTY"] is None


@pytest.mark.parametrize(
    "registry",
    ["r.example", "r.example/", "r.example:5000/team", "r.example:5000/team/", "[::1]:5000/"],
)
@pytest.mark.parametrize("value", ["global.image.registry", "image.registry"])
def test_a_registry_may_end_with_a_slash(helm: str, value: str, registry: str) -> None:
    objects = render(helm, "clients", *CLIENTS, "--set-json", f'{value}="{registry}"')
    for _, pod in pod_specs(objects):
        for container in containers(pod):
            assert container["image"] == f"{registry.rstrip('/')}/cadastro/clients:1.0.0"


@pytest.mark.parametrize(
    ("chart", "setting", "expected"),
    [
        ("auth", "tokenTtl=8.64e4", {"name": "TOKEN_TTL", "value": "86400"}),
        ("auth", "tokenTtl=3600.0", {"name": "TOKEN_TTL", "value": "3600"}),
        ("clients", "threads=1.6e1", {"name": "THREADS", "value": "16"}),
        ("clients", 'database.existingSecret="123"', {"name": "123", "key": "DATABASE_URL"}),
        ("clients", 'priorityClassName="1e3"', "1e3"),
        ("cadastro", "postgresql.maxConnections=1e4", "max_connections=10000"),
        ("cadastro", 'postgresql.storageClassName="true"', "true"),
        ("cadastro", 'ingress.className="1"', "1"),
        ("load", "load=1e5", "100000"),
        ("load", "seconds=604800", "604800"),
    ],
)
def test_numbers_and_names_like_numbers_keep_their_value(
    helm: str, chart: str, setting: str, expected: Any
) -> None:
    required = {"auth": AUTH, "clients": CLIENTS, "load": ["--set", "url=http://x.example"]}
    objects = render(helm, chart, *required.get(chart, []), "--set-json", setting)
    check_manifests(objects)
    assert expected in list(every_value(objects))


def every_value(value: Any) -> Any:
    """Yield a value, and all values in it."""
    yield value
    for one in value.values() if isinstance(value, dict) else value:
        if isinstance(one, (dict, list)):
            yield from every_value(one)
        else:
            yield one


@pytest.mark.parametrize(
    ("chart", "setting", "named"),
    [
        ("auth", "tokenTtl=1.2e6", "/tokenTtl"),
        ("auth", 'tokenTtl="1.2e3"', "/tokenTtl"),
        ("auth", "tokenTtl=90.5", "/tokenTtl"),
        ("auth", 'tokenTtl="1h"', "/tokenTtl"),
        ("auth", 'trustedProxies="1"', "/trustedProxies"),
        ("clients", 'drainSeconds="15s"', "/drainSeconds"),
        ("clients", 'image.registry="https://r.example"', "/image/registry"),
        ("clients", 'image.registry="r.example//"', "/image/registry"),
        ("clients", 'global.image.registry="http://r.example/"', "/global/image/registry"),
        ("clients", 'image.repository="/cadastro/clients"', "/image/repository"),
        ("clients", 'image.repository="cadastro/clients/"', "/image/repository"),
        ("clients", 'image.repository="cadastro/clients:1.2"', "/image/repository"),
        ("clients", 'image.repository="Cadastro/Clients"', "/image/repository"),
        ("clients", "image.tag=1.10", "/image/tag"),
        ("clients", 'image.tag=":v1"', "/image/tag"),
        ("clients", 'image.tag="1.0.0+build"', "/image/tag"),
        ("clients", 'podLabels={"a": {"b": 1}}', "/podLabels/a"),
        ("clients", "podAnnotations=[1]", "/podAnnotations"),
        ("clients", 'tolerations=[{"key": "spot", "value": true}]', "/tolerations/0/value"),
        ("clients", 'affinity={"nodeAfinity": {}}', "/affinity"),
        ("clients", "priorityClassName=5", "/priorityClassName"),
        ("clients", 'extraEnv={"A": "b"}', "/extraEnv"),
        ("clients", 'extraEnv=[{"name": "A", "vaule": "b"}]', "/extraEnv/0"),
        ("clients", 'extraEnv=[{"name": "LOG_LEVEL", "value": "x"}]', "LOG_LEVEL"),
        ("clients", 'extraEnv=[{"name": "A"}, {"name": "A"}]', "extraEnv"),
        ("cadastro", 'ingress.host="https://x.example"', "/ingress/host"),
        ("cadastro", 'ingress.host="*.x.example"', "synthetic.target.url"),
        ("cadastro", 'ingress.host="x.example/"', "/ingress/host"),
        ("cadastro", 'ingress.host="192.0.2.10"', "ingress.host: 192.0.2.10 is an IP address"),
        ("cadastro", f'ingress.host="{"a." * 127}example"', "/ingress/host"),
        ("clients", 'resources.limits.memory="512MB"', "/resources/limits/memory"),
        ("clients", 'resources.requests.cpu="half"', "/resources/requests/cpu"),
        ("load", 'resources.limits.memory="1 Gi"', "/resources/limits/memory"),
        ("synthetic", 'resources.requests.memory="128MiB"', "/resources/requests/memory"),
        ("clients", 'podLabels.team="a b"', "/podLabels/team"),
        ("clients", 'nodeSelector.zone="-a"', "/nodeSelector/zone"),
        ("synthetic", 'metrics.labels.team="x/y"', "/metrics/labels/team"),
        ("load", f'podLabels.team="{"a" * 64}"', "/podLabels/team"),
        ("clients", 'networkPolicy.ingressFrom=[{"ipBlock": {"cidr": "192.0.2.1"}}]', "/cidr"),
        ("clients", 'networkPolicy.databaseTo=[{"ipBlock": {"cidr": "192.0.2.0/33"}}]', "/cidr"),
        ("clients", 'metrics.ingressFrom=[{"ipBlock": {"cidr": "2001:db8::/129"}}]', "/cidr"),
        ("synthetic", 'networkPolicy.ingressFrom=[{"ipBlock": {}}]', "/ipBlock"),
        ("clients", 'peers.auth="http://auth:99999"', "99999 is no port"),
        ("clients", 'tracing.endpoint="http://otel:0"', "0 is no port"),
        ("clients", 'tracing.endpoint="http://otel:4318 "', "/tracing/endpoint"),
        ("synthetic", 'target.url="http://shop.example:65536"', "65536 is no port"),
        ("cadastro", 'postgresql.resources.limits.memory="1g"', "/limits/memory"),
        ("cadastro", 'ingress.host="x.example:8080"', "/ingress/host"),
        ("cadastro", 'ingress.annotations={"a": ["b"]}', "/ingress/annotations/a"),
        ("cadastro", 'postgresql.extraEnv=[{"name": "PGDATA", "value": "/x"}]', "PGDATA"),
        ("load", "load=1e6", "/load"),
        ("cadastro", 'test.url="http://[fe80::1%25eth0]:8080"', "/test/url"),
        ("synthetic", 'target.url="http://[fe80::1%25eth0]:8080"', "/target/url"),
        ("synthetic", "resyncSeconds=1e4", "/resyncSeconds"),
        ("synthetic", 'monitors.a={"journey": "own", "interval": "90s"}', "/monitors/a/interval"),
        ("synthetic", 'monitors.a={"journey": "own", "suspend": "yes"}', "/monitors/a/suspend"),
    ],
)
def test_a_value_of_another_form_is_named(
    all_helms: list[str], chart: str, setting: str, named: str
) -> None:
    required = {"auth": AUTH, "clients": CLIENTS, "load": ["--set", "url=http://x.example"]}
    for helm in all_helms:
        with pytest.raises(HelmError, match=re.escape(named)):
            render(helm, chart, *required.get(chart, []), "--set-json", setting)


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ("5m", "five fields"),
        ("*/15 * * * * *", "five fields"),
        ("@never", "five fields"),
        ("@every 5", "five fields"),
        ("TZ=UTC 0 4 * * *", "five fields"),
        ("60 * * * *", '"60" is no minute (0-59)'),
        ("*/0 * * * *", '"*/0" is no minute (0-59)'),
        ("30-10 * * * *", '"30-10" is no minute (0-59)'),
        ("0 0,24 * * *", '"24" is no hour (0-23)'),
        ("0 0 L * *", "is no day of the month (1-31)"),
        ("0 0 0 * *", "is no day of the month (1-31)"),
        ("0 0 1 13 *", '"13" is no month (1-12)'),
        ("0 0 * * 7", '"7" is no day of the week (0-6)'),
        ("0 0 * * fri-mon", '"fri-mon" is no day of the week (0-6)'),
        ("0 0 * * monday", '"monday" is no day of the week (0-6)'),
    ],
)
def test_a_schedule_that_kubernetes_rejects_is_named(
    all_helms: list[str], schedule: str, problem: str
) -> None:
    for helm in all_helms:
        with pytest.raises(HelmError) as raised:
            render(helm, "clients", *CLIENTS, "--set-json", f'sweep.schedule="{schedule}"')
        assert "clients: sweep.schedule:" in str(raised.value)
        assert problem in str(raised.value)


@pytest.mark.parametrize(
    "schedule",
    [
        "@midnight",
        "@yearly",
        "@annually",
        "@hourly",
        "@every 1h30m",
        "*/15  * * * *",
        " 0 4 * * * ",
        "08 09 * * *",
        "3/10,1-5/2 * ? * *",
        "0 0 * JAN,mar-Dec Mon-FRI/2",
        "*/60 */24 */31 */12 */7",
    ],
)
def test_a_schedule_that_kubernetes_accepts_is_kept(helm: str, schedule: str) -> None:
    objects = render(helm, "clients", *CLIENTS, "--set-json", f'sweep.schedule="{schedule}"')
    assert of_kind(objects, "CronJob")["try-clients-sweep"]["spec"]["schedule"] == schedule


@pytest.mark.parametrize("storage", ["10G", "1.5Gi", "2147483648", "1Pi"])
def test_the_volume_takes_any_quantity_of_kubernetes(helm: str, storage: str) -> None:
    objects = render(helm, "cadastro", "--set-json", f'postgresql.storage="{storage}"')
    check_manifests(objects)
    assert storage in list(every_value(objects))


@pytest.mark.parametrize("memory", ['"268435456"', "268435456", '"1.5Gi"', '"500M"', '"1e9"'])
def test_resources_take_any_quantity_of_kubernetes(helm: str, memory: str) -> None:
    setting = f"resources.limits.memory={memory}"
    check_manifests(render(helm, "clients", *CLIENTS, "--set-json", setting))


def test_quantities_and_the_objective_of_a_monitor_become_strings(helm: str) -> None:
    limits = '{"memory": 268435456, "cpu": 0.5}'
    own = f'"slo": {{"objective": 99.9}}, "resources": {{"limits": {limits}}}'
    spec = f'{{"journey": "auth-health", "interval": "1m", {own}}}'
    (data,) = [
        item["data"]["own"]
        for item in render(helm, "synthetic", "--set-json", f"monitors.own={spec}")
        if item["metadata"]["name"] == "try-synthetic-monitors"
    ]
    found = yaml.safe_load(data)
    assert found["slo"] == {"objective": "99.9"}
    assert found["resources"] == {"limits": {"memory": "268435456", "cpu": "0.5"}}


def test_a_switch_without_a_value_is_off(helm: str) -> None:
    objects = render(helm, "synthetic", "--set-json", "watch.allNamespaces=null")
    assert of_kind(objects, "Role")


def test_a_wildcard_host_is_no_url_of_the_release(helm: str) -> None:
    options = (
        "--set",
        "synthetic.target.url=http://a.x.example",
        "--set",
        "ingress.host=*.x.example",
    )
    pods = [item for item in render(helm, "cadastro", *options) if item["kind"] == "Pod"]
    assert "*.x.example" not in str(pods)


@pytest.mark.parametrize("ratio", ["0.0001", "1e-5", "0", "1"])
def test_set_takes_a_fraction_that_helm_reads_as_text(helm: str, ratio: str) -> None:
    options = ("--set", f"tracing.ratio={ratio},tracing.endpoint=http://collector:4318")
    (container,) = pod_template(render(helm, "clients", *CLIENTS, *options))["spec"]["containers"]
    sampler = {v["name"]: v.get("value") for v in container["env"]}["OTEL_TRACES_SAMPLER_ARG"]
    assert sampler == ratio
