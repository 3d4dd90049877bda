"""Upgrades with ``--reuse-values``, which lack the values that the earlier chart did not have."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import CHARTS, HelmError, pod_specs, render
from tests.support.chart_manifests import check_manifests

LATER_VALUES = {
    *("nodeSelector", "tolerations", "affinity", "priorityClassName", "podAnnotations"),
    *("podLabels", "extraEnv", "ipFamilies", "tokenLeeway", "keepAliveSeconds"),
    *(
        "databaseTo",
        "apiServerPorts",
        "targetPorts",
        "certificateDays",
        "checkHosts",
        "checkInstance",
        "gateway",
        "gatewayApi",
        "httpRoute",
    ),
}
EXTERNAL_DATABASES = "global.postgresql=null," + ",".join(
    f"{service}.database.existingSecret=x" for service in SERVICES
)
OLD_RUNBOOKS = "docs/runbooks"  # the earlier default


def without_later_values(values: Any) -> Any:
    """Return values as an earlier chart had them."""
    if not isinstance(values, dict):
        return values
    return {
        name: OLD_RUNBOOKS if name == "runbooks" else without_later_values(value)
        for name, value in values.items()
        if name not in LATER_VALUES
    }


@pytest.fixture
def earlier_values(tmp_path: Path) -> Path:
    """A copy of the charts with the values of an earlier version."""
    shutil.copytree(CHARTS, tmp_path / "charts", symlinks=True)
    for file in (tmp_path / "charts").glob("*/values.yaml"):
        file.write_text(json.dumps(without_later_values(yaml.safe_load(file.read_text()))))
    return tmp_path / "charts"


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("test.url=http://x.example,synthetic.metrics.prometheusOperator=true",),
        ("clients.database.existingSecret=x,auth.metrics.prometheusOperator=true",),
        (EXTERNAL_DATABASES,),
    ],
)
def test_absent_values_have_their_defaults(
    helm: str, earlier_values: Path, options: tuple[str, ...]
) -> None:
    given = [part for one in options for part in ("--set", one)]
    new, reused = (
        render(helm, str(charts / "cadastro"), *given) for charts in (CHARTS, earlier_values)
    )
    check_manifests(reused)
    policies, earlier = (
        [item["spec"] for item in objects if item["kind"] == "NetworkPolicy"]
        for objects in (new, reused)
    )
    assert policies == earlier
    pods = [{name.partition("-migrate-")[0] for name, _ in pod_specs(o)} for o in (new, reused)]
    assert pods[0] == pods[1]
    assert "runbook_url" not in json.dumps(reused)


def test_the_disabled_gateway_of_an_earlier_chart_is_ignored(helm: str) -> None:
    earlier = ("--set-json", 'gateway={"enabled": false, "parentRefs": []}')
    names = [
        [(item["kind"], item["metadata"]["name"]) for item in render(helm, "cadastro", *options)]
        for options in (earlier, ())
    ]
    assert names[0] == names[1]


def test_the_gateway_of_an_earlier_chart_is_named_with_its_new_place(helm: str) -> None:
    earlier = ("--set-json", 'gateway={"enabled": true, "parentRefs": [{"name": "g"}]}')
    with pytest.raises(HelmError, match=r"set global\.gateway\.enabled and"):
        render(helm, "cadastro", *earlier)
