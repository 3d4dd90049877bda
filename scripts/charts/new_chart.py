"""Makes the chart of a new service, and gives it its place in the umbrella chart.

The chart is that of products without its relay; the service calls auth alone. Its paths are
those of its contract. Adjust values.yaml where the service needs more, then `make charts-docs`.
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path

import yaml
from rendering import CHARTS

from localstack import catalogue

MODEL = "products"
UMBRELLA = CHARTS / "cadastro"
LAST = "synthetic"  # of the umbrella's charts: the services stand before it


def main() -> int:
    """Make the chart, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make chart", description=__doc__)
    parser.add_argument("name", help="the service, which has a contract in openapi already")
    name = parser.parse_args().name
    if name not in catalogue.SERVICES:
        sys.stderr.write(f"chart: NAME={name} has no contract: write openapi/{name}.yaml first\n")
        return 1
    if (CHARTS / name).exists():
        sys.stderr.write(f"chart: {CHARTS / name} is there already: remove it to make it anew\n")
        return 1
    make_chart(name)
    put_into_umbrella(name)
    print(f"chart: made charts/{name}; now: make charts-docs")
    return 0


def make_chart(name: str) -> None:
    """Copy the model's chart under another name, without what it alone has."""
    chart = CHARTS / name
    shutil.copytree(CHARTS / MODEL, chart, symlinks=True, ignore=lambda *_: ["README.md"])
    contract = yaml.safe_load((catalogue.CONTRACTS / f"{name}.yaml").read_text())
    about = contract["info"]["description"].strip().splitlines()[0].rstrip(".")
    for file in (chart / "Chart.yaml", chart / "values.yaml"):
        lines = file.read_text().replace(MODEL, name).splitlines()
        kept = [line for line in lines if "inventory" not in line]
        text = "\n".join([*kept, ""]).replace("relay: true", "relay: false")
        file.write_text(re.sub(r"(?m)^description: .*", f"description: {about}", text))
    schema = json.loads((chart / "values.schema.json").read_text())
    del schema["properties"]["peers"]["properties"]["inventory"]
    _write(chart / "values.schema.json", schema)


def put_into_umbrella(name: str) -> None:
    """Let the umbrella chart install the service, and route to it."""
    (UMBRELLA / "charts" / name).symlink_to(f"../../{name}")
    dependency = f"  - name: {name}\n    version: 1.0.0\n    repository: file://../{name}\n"
    _insert(UMBRELLA / "Chart.yaml", dependency, before=f"  - name: {LAST}\n")
    values = f"# -- Values of the chart [{name}](../{name})\n{name}: {{}}\n"
    _insert(UMBRELLA / "values.yaml", values, before=f"# -- Values of the chart [{LAST}]")
    paths = ", ".join(catalogue.routes()[name])
    end = '{{- end }}\n\n{{- define "cadastro.services" -}}'
    _insert(UMBRELLA / "templates" / "_helpers.tpl", f"{name}: [{paths}]\n", before=end)
    schema = json.loads((UMBRELLA / "values.schema.json").read_text())
    schema["properties"][name] = schema["properties"][MODEL]
    _write(UMBRELLA / "values.schema.json", schema)


def _insert(file: Path, text: str, *, before: str) -> None:
    head, mark, tail = file.read_text().partition(before)
    if not mark:
        raise ValueError(f"{file} does not hold {before!r}, before which a service belongs")
    file.write_text(f"{head}{text}{mark}{tail}")


def _write(file: Path, schema: dict[str, object]) -> None:
    file.write_text(json.dumps(schema, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
