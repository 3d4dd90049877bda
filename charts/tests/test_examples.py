"""Figures in the example values: requests that autoscalers follow, and kept Jobs."""

from fractions import Fraction
from typing import Any

import pytest
import yaml

from scripts.charts.rendering import CHARTS, EXAMPLES, of_kind, render

MIN_CORES_PER_WORKER = Fraction(1, 4)  # some 300 fetches a second, see docs/scale.md


def cores(quantity: str) -> Fraction:
    """Return a CPU quantity in cores."""
    return Fraction(quantity.removesuffix("m")) / (1000 if quantity.endswith("m") else 1)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_autoscalers_add_pods_at_a_quarter_of_a_core_per_worker_or_more(
    helm: str, example: Any
) -> None:
    base = ["-f", str(CHARTS / "examples" / "production.yaml")] if example.stem == "scale" else []
    objects = render(helm, "cadastro", *base, "-f", str(example))
    deployments = of_kind(objects, "Deployment")
    for name, scaler in of_kind(objects, "HorizontalPodAutoscaler").items():
        (container,) = deployments[name]["spec"]["template"]["spec"]["containers"]
        workers = next(int(e["value"]) for e in container["env"] if e["name"] == "WORKERS")
        (metric,) = scaler["spec"]["metrics"]
        percent = metric["resource"]["target"]["averageUtilization"]
        requested = cores(container["resources"]["requests"]["cpu"])
        assert requested * percent / 100 >= MIN_CORES_PER_WORKER * workers, name
        assert requested * percent / 100 <= Fraction(2, 3) * workers, name
        assert container["resources"]["limits"]["memory"], name


def test_few_jobs_of_a_monitor_are_kept(helm: str) -> None:
    crd = yaml.safe_load((CHARTS / "synthetic" / "files" / "crd.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    history = schema["properties"]["spec"]["properties"]["history"]["properties"]
    assert sum(kind["default"] for kind in history.values()) <= 4
    for job in of_kind(render(helm, "cadastro"), "CronJob").values():
        kept = [job["spec"][f"{kind}JobsHistoryLimit"] for kind in ("successful", "failed")]
        assert sum(kept) <= 2
