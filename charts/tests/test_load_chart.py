"""The chart of the load: a master whose exit code is the verdict, and its workers."""

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


def arguments(objects: list[dict[str, Any]], part: str) -> str:
    """Return the arguments of a part, in one line."""
    pod = next(pod for name, pod in pod_specs(objects) if name.endswith(part))
    (container,) = containers(pod)
    return " ".join(container["args"])


@pytest.mark.parametrize("options", VARIANTS)
def test_every_object_fits_kubernetes_schemas_and_the_restricted_standard(
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


def test_the_master_waits_for_as_many_workers_as_there_are(helm: str) -> None:
    objects = render(helm, "load", *URL, "--set", "workers=5")
    jobs = of_kind(objects, "Job")
    assert jobs["try-load-1-worker"]["spec"]["parallelism"] == 5
    assert "--expect-workers 5" in arguments(objects, "master")
    (service,) = of_kind(objects, "Service")
    assert arguments(objects, "worker") == f"worker --master {service}"


def test_its_verdict_is_not_tried_again(helm: str) -> None:
    jobs = of_kind(render(helm, "load", *URL), "Job")
    assert jobs["try-load-1-master"]["spec"]["backoffLimit"] == 0


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ("load=30", "--rate 30"),
        ("model=closed,load=30", "--users 30"),
        ("seconds=600", "--duration 600"),
        ("shape=spike", "--shape spike"),
        ("credentials.existingSecret=x", "--secret-file /run/secrets/load/secret"),
    ],
)
def test_each_value_is_told_to_the_master(helm: str, values: str, told: str) -> None:
    assert told in arguments(render(helm, "load", *URL, "--set", values), "master")
    assert told not in arguments(render(helm, "load", *URL), "master")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("workers=2", "set url"),
        ("url=cadastro.example", "url"),
        ("url=http://x,shape=wild", "shape"),
        ("url=http://x,workers=0", "workers"),
        ("url=http://x,rate=5", "rate"),
    ],
)
def test_a_wrong_or_missing_value_is_named(all_helms: list[str], setting: str, told: str) -> None:
    for helm in all_helms:
        with pytest.raises(HelmError, match=re.escape(told)):
            render(helm, "load", "--set", setting)
