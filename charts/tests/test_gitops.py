"""Examples for Flux and Argo CD: their values render, and render the same again."""

from typing import Any

import pytest
import yaml

from scripts.charts.rendering import CHARTS, of_kind, render, render_text
from tests.support.chart_manifests import check_manifests

GITOPS = CHARTS / "examples" / "gitops"


def documents(name: str) -> dict[str, dict[str, Any]]:
    """Return the documents of an example by kind."""
    loaded = yaml.safe_load_all((GITOPS / f"{name}.yaml").read_text(encoding="utf-8"))
    return {document["kind"]: document for document in loaded}


def values(name: str) -> dict[str, Any]:
    """Return the values of the chart in an example."""
    found: dict[str, Any] = (
        documents("flux")["HelmRelease"]["spec"]["values"]
        if name == "flux"
        else documents("argocd")["Application"]["spec"]["source"]["helm"]["valuesObject"]
    )
    return found


@pytest.mark.parametrize("name", ["flux", "argocd"])
def test_an_example_renders_the_same_objects_again(helm: str, tmp_path: Any, name: str) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values(name)), encoding="utf-8")
    options = ("--values", str(file))
    assert render_text(helm, "cadastro", *options) == render_text(helm, "cadastro", *options)
    objects = render(helm, "cadastro", *options)
    check_manifests(objects)
    assert not of_kind(objects, "Secret")
    hooks = [o for o in objects if "helm.sh/hook" in (o["metadata"].get("annotations") or {})]
    assert {o["kind"] for o in hooks} <= {"Pod"}  # of `helm test`


def test_the_examples_install_the_same_release() -> None:
    assert values("flux") == values("argocd")


def test_the_source_of_flux_is_the_one_of_its_release() -> None:
    found = documents("flux")
    reference = found["HelmRelease"]["spec"]["chartRef"]
    assert reference == {
        "kind": "OCIRepository",
        "name": found["OCIRepository"]["metadata"]["name"],
    }
