"""Writes each chart's table of values into its README, from the comments of its values.yaml.

What stands above the mark in a README is written by hand and stays as it is.
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
MARK = "<!-- From here on made by `make charts-docs`, out of values.yaml. -->"
COMMENT = "# -- "


class DocsError(Exception):
    """A value cannot be documented; the message names it and its line."""


@dataclass(frozen=True)
class Value:
    """One value of a chart: its dotted path, its default, and what it is for."""

    path: str
    default: Any
    about: str


def main() -> int:
    """Write the tables, or with ``--check`` only tell which are not up to date."""
    parser = argparse.ArgumentParser(prog="make charts-docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if one is stale")
    only_check = parser.parse_args().check
    stale = 0
    try:
        for values in sorted(CHARTS.glob("*/values.yaml")):
            stale += bring_up_to_date(values.parent, write=not only_check)
    except DocsError as error:
        sys.stderr.write(f"charts-docs: {error}\n")
        return 1
    return 1 if only_check and stale else 0


def bring_up_to_date(chart: Path, *, write: bool) -> bool:
    """Write the README of a chart where it is stale, if it may; tell whether it was."""
    readme = chart / "README.md"
    old = readme.read_text() if readme.is_file() else ""
    new = text_of(chart, old.partition(MARK)[0])
    if old == new:
        return False
    if write:
        readme.write_text(new)
        print(f"charts-docs: wrote {readme.relative_to(CHARTS.parent)}")
    else:
        sys.stderr.write(f"charts-docs: {readme} is not what values.yaml says: make charts-docs\n")
    return True


def text_of(chart: Path, by_hand: str) -> str:
    """Return the README of a chart: what is written by hand, or its title, and the table."""
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    head = by_hand or f"# {about['name']}\n{about['description']}.\n\n"
    table = ["| value | default | what it is |", "|---|---|---|", *map(row, values_of(chart))]
    return "\n".join([f"{head}{MARK}", "## Values", *table, ""])


def row(value: Value) -> str:
    """Return a line of the table."""
    default = json.dumps(value.default, ensure_ascii=False)
    return f"| `{value.path}` | `{default}` | {value.about} |"


def values_of(chart: Path) -> list[Value]:
    """Return every value of a chart, in the order of its values.yaml.

    Raises:
        DocsError: a value has no comment of its own, and belongs to none that has one.

    """
    file = chart / "values.yaml"
    root = yaml.compose(file.read_text(), Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return []
    return list(_walk(root, file, file.read_text().splitlines(), ""))


def _walk(node: yaml.MappingNode, file: Path, lines: list[str], prefix: str) -> Iterator[Value]:
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        about = _comment(lines, key.start_mark.line)
        if about:
            yield Value(path, _plain(value), about)
        elif isinstance(value, yaml.MappingNode) and value.value:
            yield from _walk(value, file, lines, f"{path}.")
        else:
            message = f"{file.parent.name}: {path} has no `{COMMENT}` above it in values.yaml"
            raise DocsError(f"{message}, line {key.start_mark.line + 1}")


def _comment(lines: list[str], line: int) -> str:
    """Return the comment right above a line, in one; empty when there is none of ours."""
    found: list[str] = []
    for text in reversed(lines[:line]):
        stripped = text.strip()
        if stripped.startswith(COMMENT):
            return " ".join([stripped.removeprefix(COMMENT), *reversed(found)])
        if not stripped.startswith("#"):
            return ""
        found.append(stripped.lstrip("# "))
    return ""


def _plain(node: yaml.Node) -> Any:  # noqa: ANN401 - YAML is anything
    return yaml.SafeLoader("").construct_document(node)


if __name__ == "__main__":
    sys.exit(main())
