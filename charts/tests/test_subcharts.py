"""Charts as dependencies of another chart, and the removal of monitors there."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import CHARTS, HelmError, of_kind, render, standalone_options
from tests.support.chart_manifests import check_manifests

VALUES: dict[str, dict[str, Any]] = {
    "cadastro": {"test": {"url": "http://x.example"}},
    "load": {"url": "http://x.example"},
    "synthetic": {},
    **{
        service: {
            name: {"existingSecret": "x"}
            for name in (
                "database",
                "oauthClients",
                *(("signingKeys",) if service == "auth" else ()),
            )
        }
        for service in SERVICES
    },
}
FOREIGN_GLOBALS = {
    "imageRegistry": "r.example",
    "image": {"pullPolicy": "Always"},
    "postgresql": {"auth": {"username": "x"}},
    "storageClass": "fast",
    "cattle": {"systemDefaultRegistry": ""},
}


def parent(folder: Path, chart: str, *, enabled: bool = True) -> str:
    """Return the path of a chart with another one as its dependency."""
    (folder / "charts").mkdir()
    (folder / "charts" / chart).symlink_to(CHARTS / chart)
    dependency = {"name": chart, "version": "*", "condition": f"{chart}.enabled", "tags": ["shop"]}
    metadata = {"apiVersion": "v2", "name": "parent", "version": "1.0.0+local"}
    (folder / "Chart.yaml").write_text(yaml.safe_dump({**metadata, "dependencies": [dependency]}))
    values = {
        "global": FOREIGN_GLOBALS,
        "tags": {"shop": True},
        chart: {**VALUES[chart], "enabled": enabled, "tags": {"shop": True}},
    }
    (folder / "values.yaml").write_text(yaml.safe_dump(values))
    return str(folder)


@pytest.mark.parametrize("chart", sorted(VALUES))
def test_each_chart_can_be_a_dependency(helm: str, tmp_path: Path, chart: str) -> None:
    objects = render(helm, parent(tmp_path, chart))
    check_manifests(objects)
    assert len(objects) > 3


@pytest.mark.parametrize("chart", ["cadastro", "load", "synthetic", "clients"])
def test_a_dependency_can_be_disabled(helm: str, tmp_path: Path, chart: str) -> None:
    assert render(helm, parent(tmp_path, chart, enabled=False)) == []


@pytest.mark.parametrize("chart", sorted(VALUES))
@pytest.mark.parametrize("setting", ["enabled=true", "tags.shop=true", "global.other.name=x"])
def test_values_of_parent_charts_are_accepted(helm: str, chart: str, setting: str) -> None:
    required = {"load": ["--set", "url=http://x.example"]} | {
        service: standalone_options(service) for service in SERVICES
    }
    assert render(helm, chart, *required.get(chart, []), "--set", setting)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("enabled=yes", "/enabled"),
        ("global.image=x", "/global/image"),
        ("global.postgresql=x", "/global/postgresql"),
        ("global.generateSecrets=maybe", "/global/generateSecrets"),
        ("global.ipFamilies[0]=ipv6", "/global/ipFamilies"),
    ],
)
def test_an_invalid_global_value_is_named(helm: str, setting: str, named: str) -> None:
    with pytest.raises(HelmError, match=re.escape(named)):
        render(helm, "cadastro", "--set", setting)


@pytest.mark.parametrize("monitor", ["auth-health", "auth-login", "inventory-purchase"])
def test_a_monitor_can_be_disabled_at_any_depth(helm: str, tmp_path: Path, monitor: str) -> None:
    folder = parent(tmp_path, "cadastro")
    path = f"cadastro.synthetic.monitors.{monitor}.enabled"
    maps = of_kind(render(helm, folder, "--set", f"{path}=false"), "ConfigMap")
    assert len(maps["try-synthetic-monitors"]["data"]) == 7
    assert monitor not in maps["try-synthetic-monitors"]["data"]
    maps = of_kind(render(helm, folder, "--set", f"{path}=true"), "ConfigMap")
    spec = yaml.safe_load(maps["try-synthetic-monitors"]["data"][monitor])
    assert "enabled" not in spec


def test_all_monitors_can_be_disabled(helm: str) -> None:
    values = yaml.safe_load((CHARTS / "cadastro" / "values.yaml").read_text())
    names = values["synthetic"]["monitors"]
    off = ",".join(f"synthetic.monitors.{name}.enabled=false" for name in names)
    objects = render(helm, "cadastro", "--set", off)
    check_manifests(objects)
    assert "data" not in of_kind(objects, "ConfigMap")["try-synthetic-monitors"]


def test_a_disabled_monitor_that_the_release_no_longer_has_is_accepted(helm: str) -> None:
    assert render(helm, "synthetic", "--set", "monitors.former.enabled=false")
    with pytest.raises(HelmError, match="journey"):
        render(helm, "synthetic", "--set", "monitors.former.enabled=true")
