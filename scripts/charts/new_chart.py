"""Generator of the chart of a new service, which it also adds to the umbrella chart.

The chart is a copy of products without the relay; the service calls only auth. The routes are
those of the contract. Adjust values.yaml if the service needs more, then `make docs`.
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path

import yaml

from devstack import service_catalog
from scripts.charts.rendering import CHARTS

TEMPLATE_SERVICE = "products"
UMBRELLA = CHARTS / "cadastro"
FOLLOWING_CHART = "synthetic"  # the umbrella lists it after the services


def main() -> int:
    """Create the chart, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make chart", description=__doc__)
    parser.add_argument("name", help="the service, which needs a contract in openapi/")
    name = parser.parse_args().name
    if name not in service_catalog.SERVICES:
        sys.stderr.write(f"chart: NAME={name} has no contract: write openapi/{name}.yaml first\n")
        return 1
    if (CHARTS / name).exists():
        sys.stderr.write(f"chart: {CHARTS / name} already exists: remove it to create it again\n")
        return 1
    create_chart(name)
    add_to_umbrella(name)
    print(f"chart: created charts/{name}; next: make docs")
    return 0


def create_chart(name: str) -> None:
    """Copy the template chart under the new name, without its relay and its peer inventory."""
    chart = CHARTS / name
    shutil.copytree(
        CHARTS / TEMPLATE_SERVICE, chart, symlinks=True, ignore=lambda *_: ["README.md"]
    )
    contract = yaml.safe_load((service_catalog.CONTRACTS / f"{name}.yaml").read_text())
    description = contract["info"]["description"].strip().splitlines()[0].rstrip(".")
    for file in (chart / "Chart.yaml", chart / "values.yaml"):
        lines = file.read_text().replace(TEMPLATE_SERVICE, name).splitlines()
        kept = [line for line in lines if "inventory" not in line]
        text = "\n".join([*kept, ""]).replace("relay: true", "relay: false")
        file.write_text(re.sub(r"(?m)^description: .*", f"description: {description}", text))
    schema = json.loads((chart / "values.schema.json").read_text())
    del schema["properties"]["peers"]["properties"]["inventory"]
    _write_json(chart / "values.schema.json", schema)


def add_to_umbrella(name: str) -> None:
    """Add the service to the dependencies, values, routes and schema of the umbrella chart."""
    (UMBRELLA / "charts" / name).symlink_to(f"../../{name}")
    dependency = f"  - name: {name}\n    version: 1.0.0\n    repository: file://../{name}\n"
    _insert(UMBRELLA / "Chart.yaml", dependency, before=f"  - name: {FOLLOWING_CHART}\n")
    values = f"# -- Values of the chart [{name}](../{name})\n{name}: {{}}\n"
    _insert(
        UMBRELLA / "values.yaml", values, before=f"# -- Values of the chart [{FOLLOWING_CHART}]"
    )
    paths = ", ".join(service_catalog.routes()[name])
    after = '{{- end }}\n\n{{- define "cadastro.services" -}}'
    _insert(UMBRELLA / "templates" / "_helpers.tpl", f"{name}: [{paths}]\n", before=after)
    schema = json.loads((UMBRELLA / "values.schema.json").read_text())
    schema["properties"][name] = schema["properties"][TEMPLATE_SERVICE]
    _write_json(UMBRELLA / "values.schema.json", schema)


def _insert(file: Path, text: str, *, before: str) -> None:
    head, mark, tail = file.read_text().partition(before)
    if not mark:
        raise ValueError(f"{file} does not contain {before!r}, the place to insert the service")
    file.write_text(f"{head}{text}{mark}{tail}")


def _write_json(file: Path, schema: dict[str, object]) -> None:
    file.write_text(json.dumps(schema, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
