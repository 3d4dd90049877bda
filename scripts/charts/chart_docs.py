"""Generator of the table of values in each chart's README, from the comments of values.yaml.

The text above the marker line of a README is written by hand and is kept.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHARTS = Path(__file__).resolve().parents[2] / "charts"
MARKER = "<!-- Generated from values.yaml by `make docs`; do not edit below this line. -->"
COMMENT_PREFIX = "# -- "


class DocsError(Exception):
    """A value has no description; the message names it and its line."""


@dataclass(frozen=True)
class Value:
    """One value of a chart: its dotted path, its default, and its description."""

    path: str
    default: Any
    description: str


def main() -> int:
    """Write the tables, or with ``--check`` only report the outdated ones."""
    parser = argparse.ArgumentParser(prog="make docs", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if a table is outdated"
    )
    check_only = parser.parse_args().check
    outdated = 0
    try:
        for values in sorted(CHARTS.glob("*/values.yaml")):
            outdated += update_readme(values.parent, write=not check_only)
    except DocsError as error:
        sys.stderr.write(f"docs: {error}\n")
        return 1
    return 1 if check_only and outdated else 0


def update_readme(chart: Path, *, write: bool) -> bool:
    """Return true if the README of a chart is outdated, after writing it if ``write`` is set."""
    readme = chart / "README.md"
    old = readme.read_text() if readme.is_file() else ""
    new = render_readme(chart, old.partition(MARKER)[0])
    if old == new:
        return False
    if write:
        readme.write_text(new)
        print(f"docs: wrote {readme.relative_to(CHARTS.parent)}")
    else:
        sys.stderr.write(f"docs: {readme} is outdated: run make docs\n")
    return True


def render_readme(chart: Path, intro: str) -> str:
    """Return the README of a chart: the handwritten intro, or a default one, and the table."""
    metadata = yaml.safe_load((chart / "Chart.yaml").read_text())
    head = intro or f"# {metadata['name']}\n{metadata['description']}.\n\n"
    rows = map(table_row, documented_values(chart))
    table = ["| value | default | description |", "|---|---|---|", *rows]
    return "\n".join([f"{head}{MARKER}", "## Values", *table, ""])


def table_row(value: Value) -> str:
    """Return the table row of a value."""
    default = json.dumps(value.default, ensure_ascii=False)
    return f"| `{value.path}` | `{default}` | {value.description} |"


def documented_values(chart: Path) -> list[Value]:
    """Return the values of a chart in the order of its values.yaml.

    Raises:
        DocsError: neither a value nor one of its parents has a description.

    """
    file = chart / "values.yaml"
    root = yaml.compose(file.read_text(), Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return []
    return list(_walk(root, file, file.read_text().splitlines(), ""))


def _walk(node: yaml.MappingNode, file: Path, lines: list[str], prefix: str) -> Iterator[Value]:
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        description = _doc_comment(lines, key.start_mark.line)
        if description:
            yield Value(path, _to_python(value), description)
        elif isinstance(value, yaml.MappingNode) and value.value:
            yield from _walk(value, file, lines, f"{path}.")
        else:
            place = f"{file.parent.name}/values.yaml, line {key.start_mark.line + 1}"
            raise DocsError(f"{place}: {path} has no comment `{COMMENT_PREFIX}` above it")


def _doc_comment(lines: list[str], line: int) -> str:
    """Return the ``# --`` comment directly above a line, joined; empty if there is none."""
    found: list[str] = []
    for text in reversed(lines[:line]):
        stripped = text.strip()
        if stripped.startswith(COMMENT_PREFIX):
            return " ".join([stripped.removeprefix(COMMENT_PREFIX), *reversed(found)])
        if not stripped.startswith("#"):
            return ""
        found.append(stripped.lstrip("# "))
    return ""


def _to_python(node: yaml.Node) -> Any:  # noqa: ANN401 - YAML values have any type
    return yaml.SafeLoader("").construct_document(node)


if __name__ == "__main__":
    sys.exit(main())
