"""Rendered objects of the load chart."""

import re
from typing import Any

import kubernetes_validate
import pytest

from scripts.charts.rendering import HelmError, containers, of_kind, pod_specs, render

URL = ("--set", "url=http://cadastro.example")
VARIANTS = [
    URL,
    (*URL, "--set", "credentials.existingSecret=monitors,results.existingClaim=reports"),
    (*URL, "--set", "model=closed,load=30,seconds=60,workers=5,shape=spike"),
]


def arguments(objects: list[dict[str, Any]], component: str) -> str:
    """Return the arguments of the master or a worker in one line."""
    pod = next(pod for name, pod in pod_specs(objects) if name.endswith(component))
    (container,) = containers(pod)
    return " ".join(container["args"])


@pytest.mark.parametrize("options", VARIANTS)
def test_objects_match_kubernetes_schemas_and_the_restricted_standard(
    all_helms: list[str], options: tuple[str, ...]
) -> None:
    for helm in all_helms:
        objects = render(helm, "load", *options)
        for item in objects:
            kubernetes_validate.validate(item, "1.34", strict=True)
        for name, pod in pod_specs(objects):
            assert pod["automountServiceAccountToken"] is False, name
            assert pod["securityContext"]["runAsNonRoot"] is True, name
            for container in containers(pod):
                assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
                assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
                assert container["resources"]["limits"]["memory"], name


def test_the_master_waits_for_all_workers(helm: str) -> None:
    objects = render(helm, "load", *URL, "--set", "workers=5")
    jobs = of_kind(objects, "Job")
    assert jobs["try-load-1-worker"]["spec"]["parallelism"] == 5
    assert "--expect-workers 5" in arguments(objects, "master")
    (service,) = of_kind(objects, "Service")
    assert arguments(objects, "worker") == f"worker --master {service}"


def test_the_master_job_is_not_retried(helm: str) -> None:
    jobs = of_kind(render(helm, "load", *URL), "Job")
    assert jobs["try-load-1-master"]["spec"]["backoffLimit"] == 0


@pytest.mark.parametrize(
    ("values", "passed"),
    [
        ("load=30", "--rate 30"),
        ("model=closed,load=30", "--users 30"),
        ("seconds=600", "--duration 600"),
        ("shape=spike", "--shape spike"),
        ("credentials.existingSecret=x", "--secret-file /run/secrets/load/secret"),
    ],
)
def test_each_value_is_passed_to_the_master(helm: str, values: str, passed: str) -> None:
    assert passed in arguments(render(helm, "load", *URL, "--set", values), "master")
    assert passed not in arguments(render(helm, "load", *URL), "master")


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("workers=2", "set url"),
        ("url=cadastro.example", "url"),
        ("url=http://[fe80::1%25eth0]:8080", "url"),
        ("url=http://x,shape=wild", "shape"),
        ("url=http://x,workers=0", "workers"),
        ("url=http://x,rate=5", "rate"),
    ],
)
def test_invalid_or_missing_value_is_named_in_the_error(
    all_helms: list[str], setting: str, named: str
) -> None:
    for helm in all_helms:
        with pytest.raises(HelmError, match=re.escape(named)):
            render(helm, "load", "--set", setting)
