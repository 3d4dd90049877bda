"""The command `synthetic check`: all mistakes of Arazzo documents, without a server."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from synthetic.probe.results import ProbeError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "files", metavar="FILE", nargs="+", type=Path, help="Arazzo document, YAML or JSON"
    )
    parser.add_argument(
        "--source",
        metavar="URL=FILE",
        action="append",
        default=[],
        type=_source,
        help="file to read in place of the URL of a source description",
    )


def run(options: argparse.Namespace) -> int:
    """Check the files, print their mistakes, and return the exit code."""
    counts = [_check(file, dict(options.source)) for file in options.files]
    return 1 if any(counts) else 0


def _check(file: Path, sources: dict[str, Path]) -> int:
    """Print the mistakes of a file, and return their number."""
    from synthetic.probe.arazzo_parser import read_all  # noqa: PLC0415 - slow imports

    try:
        valid, problems = read_all(file, sources, against_contract=True)
    except ProbeError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    lines = [str(replace(problem, file=str(file))) for problem in problems]
    summary = f"{file}: {_count(len(valid), 'valid workflow')}, {_count(len(problems), 'mistake')}"
    sys.stdout.write("\n".join([*lines, summary, ""]))
    return len(problems)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _source(text: str) -> tuple[str, Path]:
    url, separator, file = text.rpartition("=")
    if not separator or not url or not file:
        example = "https://example.com/api.yaml=api.yaml"
        raise argparse.ArgumentTypeError(f"must be like {example}, not {text!r}")
    return url, Path(file)
