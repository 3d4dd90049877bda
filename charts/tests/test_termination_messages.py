"""Termination messages of containers: the reason of a failure stays readable."""

from typing import Any

import pytest
import yaml

from scripts.charts.rendering import containers, pod_specs, render
from tests.support.commands import ROOT

CHARTS = {
    "cadastro": ("--set", "test.url=http://x.example,inventory.relay=true"),
    "load": ("--set", "url=http://x.example"),
}
JOB_KINDS = ("Job/", "CronJob/", "Pod/")


@pytest.fixture(params=[*CHARTS, "robot"])
def pods(helm: str, request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """The pod specs of a chart, or of the acceptance suite's Job, by the name of their object."""
    if request.param == "robot":
        return dict(pod_specs([yaml.safe_load((ROOT / "robot" / "job.yaml").read_text())]))
    return dict(pod_specs(render(helm, request.param, *CHARTS[request.param])))


def test_a_failed_container_has_the_end_of_its_log_as_message(
    pods: dict[str, dict[str, Any]],
) -> None:
    policies = {
        f"{name} {container['name']}": container.get("terminationMessagePolicy")
        for name, pod in pods.items()
        for container in containers(pod)
    }
    assert set(policies.values()) == {"FallbackToLogsOnError"}, policies


def test_the_pod_of_a_failed_job_stays(pods: dict[str, dict[str, Any]]) -> None:
    policies = {
        name: pod["restartPolicy"] for name, pod in pods.items() if name.startswith(JOB_KINDS)
    }
    assert set(policies.values()) == {"Never"}, policies  # OnFailure deletes it with the last one
