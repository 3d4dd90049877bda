"""Backups of the umbrella chart: objects, invalid values, and the example with CloudNativePG."""

from typing import Any

import pytest
import yaml

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import CHARTS, HelmError, of_kind, render
from tests.support.chart_manifests import check_manifests

VOLUME = "backup.enabled=true,backup.existingClaim=backups"
S3 = (
    "backup.enabled=true,backup.s3.bucket=store,backup.s3.endpoint=https://x.example,"
    "backup.s3.existingSecret=keys,backup.s3.caConfigMap=ca"
)
EXAMPLES = CHARTS / "examples"
EXTERNAL = ",".join(f"{service}.database.existingSecret=x" for service in SERVICES)


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the pod templates of backups and restores."""
    jobs = of_kind(objects, "CronJob")
    return {
        name: jobs[f"try-{name}"]["spec"]["jobTemplate"]["spec"]["template"]
        for name in ("backup", "restore")
    }


@pytest.mark.parametrize("options", [VOLUME, S3], ids=("volume", "S3"))
def test_backups_and_restores_are_valid_objects(helm: str, options: str) -> None:
    objects = render(helm, "cadastro", "--set", options)
    check_manifests(objects)
    for pod in pods(objects).values():
        spec = pod["spec"]
        mounted = {volume["name"] for volume in spec["volumes"]}
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= mounted
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True


def test_a_restore_never_starts_by_itself(helm: str) -> None:
    jobs = of_kind(render(helm, "cadastro", "--set", S3), "CronJob")
    assert jobs["try-restore"]["spec"]["suspend"] is True
    assert "suspend" not in jobs["try-backup"]["spec"]
    assert "try-restore" not in of_kind(render(helm, "cadastro"), "CronJob")


def test_a_restore_reconciles_with_the_credentials_of_the_inventory(helm: str) -> None:
    objects = render(helm, "cadastro", "--set", VOLUME)
    (restored,) = pods(objects)["restore"]["spec"]["containers"]
    jobs = of_kind(objects, "CronJob")["try-inventory-reconcile"]["spec"]["jobTemplate"]
    (scheduled,) = jobs["spec"]["template"]["spec"]["containers"]
    for name in ("image", "env", "volumeMounts"):
        assert restored[name] == scheduled[name]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("backup.enabled=true", "set either backup.existingClaim or backup.s3.bucket"),
        (f"{S3},backup.existingClaim=x", "set either backup.existingClaim or backup.s3.bucket"),
        (f"{S3},backup.s3.endpoint=", "backup.s3.bucket needs backup.s3.endpoint"),
        (f"{S3},backup.s3.existingSecret=", "backup.s3.existingSecret"),
        (f"{S3},backup.s3.endpoint=s3.example", "backup/s3/endpoint|backup.s3.endpoint"),
        (f"{VOLUME},backup.schedule=tomorrow", 'backup.schedule: "tomorrow" is not a cron'),
        (f"{VOLUME},backup.keep=0", "backup/keep|backup.keep"),
        (f"{VOLUME},backup.timeZone=+02:00", "timeZone"),
        (f"{VOLUME},clients.database.existingSecret=x", "clients has an external database"),
        (
            f"{VOLUME},global.postgresql.enabled=false,{EXTERNAL}",
            "set backup.database.existingSecret",
        ),
        (
            f"{VOLUME},backup.extraEnv[0].name=DATABASE_URL,backup.extraEnv[0].value=x",
            "backup.extraEnv: the chart already sets DATABASE_URL",
        ),
    ],
)
def test_an_invalid_value_is_named(helm: str, options: str, error: str) -> None:
    with pytest.raises(HelmError) as caught:
        render(helm, "cadastro", "--set", options)
    assert any(text in str(caught.value) for text in error.split("|")), caught.value


def test_a_server_with_all_databases_needs_no_bundled_one(helm: str) -> None:
    options = f"{S3},global.postgresql.enabled=false,{EXTERNAL},backup.database.existingSecret=root"
    check_manifests(objects := render(helm, "cadastro", "--set", options))
    (container,) = pods(objects)["backup"]["spec"]["containers"]
    urls = [one["valueFrom"] for one in container["env"] if one["name"] == "DATABASE_URL"]
    assert urls == [{"secretKeyRef": {"name": "root", "key": "DATABASE_URL"}}]


def test_the_cluster_of_cloudnativepg_has_the_databases_of_the_values(helm: str) -> None:
    manifests = (EXAMPLES / "cloudnativepg" / "cluster.yaml").read_text()
    kinds: dict[str, list[dict[str, Any]]] = {}
    for item in yaml.safe_load_all(manifests):
        kinds.setdefault(item["kind"], []).append(item)
    (cluster,), (store,), (schedule,) = (
        kinds[kind] for kind in ("Cluster", "ObjectStore", "ScheduledBackup")
    )
    name, spec = cluster["metadata"]["name"], cluster["spec"]
    first = spec["bootstrap"]["initdb"]
    secrets = {first["owner"]: first["secret"]["name"]}
    secrets |= {role["name"]: role["passwordSecret"]["name"] for role in spec["managed"]["roles"]}
    assert secrets == {service: f"{service}-database" for service in SERVICES}
    databases = {item["spec"]["name"]: item["spec"]["owner"] for item in kinds["Database"]}
    assert {first["database"]: first["owner"]} | databases == {one: one for one in SERVICES}
    clusters = {item["spec"]["cluster"]["name"] for item in [schedule, *kinds["Database"]]}
    assert clusters == {name}
    (plugin,) = spec["plugins"]
    assert plugin["parameters"] == {"barmanObjectName": store["metadata"]["name"]}
    assert plugin["name"] == schedule["spec"]["pluginConfiguration"]["name"]

    objects = render(helm, "cadastro", "-f", str(EXAMPLES / "cloudnativepg.yaml"))
    for service in SERVICES:
        policy = of_kind(objects, "NetworkPolicy")[f"try-{service}-egress"]
        peers = [peer for rule in policy["spec"]["egress"] for peer in rule.get("to", [])]
        assert {"podSelector": {"matchLabels": {"cnpg.io/cluster": name}}} in peers
    assert "StatefulSet" not in {item["kind"] for item in objects}
