"""Helm, and what it makes of our charts."""

import functools
import importlib.util
import io
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHARTS = Path(__file__).parents[1]
SERVICES = ("auth", "clients", "products", "inventory")
KUBERNETES = "1.34.0"
WHEEL = "aws_cdk"  # one of its packages carries Helm 4


class HelmError(Exception):
    """Helm refused; the message is what it says."""


def helms(folder: Path) -> list[str]:
    """Return every Helm there is: those of the PATH, or else the one of a wheel."""
    found = [shutil.which("helm"), shutil.which("helm4")]
    on_path = [path for path in found if path is not None]
    return on_path or [_out_of_wheel(str(folder))]


def render(helm: str, chart: str, *options: str, release: str = "try") -> list[dict[str, Any]]:
    """Return the objects of a chart.

    Raises:
        HelmError: the chart cannot be rendered with these options.

    """
    command = [helm, "template", release, str(CHARTS / chart), "--kube-version", KUBERNETES]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HelmError(done.stderr)
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Return the objects of a kind by their names."""
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the pod spec of everything that makes pods."""
    for item in objects:
        template = item.get("spec", {}).get("template", {})
        if "spec" in template:
            yield f"{item['kind']}/{item['metadata']['name']}", template["spec"]


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every container of a pod."""
    found: list[dict[str, Any]] = [*pod.get("initContainers", []), *pod["containers"]]
    return found


@functools.cache
def _out_of_wheel(folder: str) -> str:
    spec = importlib.util.find_spec(WHEEL)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    places = [Path(place) for place in spec.submodule_search_locations]
    (bundle,) = [
        path for place in places for path in place.glob("lambda_layer_kubectl_*/_jsii/*.tgz")
    ]
    with tarfile.open(bundle) as archive:
        (member,) = [name for name in archive.getnames() if name.endswith("layer.zip")]
        layer = archive.extractfile(member)
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            program = Path(files.extract("helm/helm", folder))
    program.chmod(0o755)
    return str(program)
