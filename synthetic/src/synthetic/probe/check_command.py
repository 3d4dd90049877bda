"""The command `synthetic check`: all mistakes of Arazzo documents, without a server."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from synthetic.probe.results import ProbeError
from synthetic.standard_output import write_output

if TYPE_CHECKING:
    from synthetic.probe.problems import Problem

PASSED, MISTAKES, NOT_CHECKED = 0, 1, 3  # exit codes


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
    parser.add_argument(
        "--workflow", metavar="ID", help="check this workflow alone, with those that it may run"
    )
    parser.add_argument(
        "--input",
        metavar="NAME[=VALUE]",
        action="append",
        default=[],
        help="an input that a run of the --workflow is to have; a value is checked",
    )
    parser.add_argument(
        "--required-inputs",
        action=argparse.BooleanOptionalAction,
        help="a required input without --input is a mistake (if there is any --input)",
    )
    parser.add_argument(
        "--server",
        metavar="NAME",
        action="append",
        default=[],
        help="a server by its source that a run of the --workflow is to have",
    )
    parser.add_argument(
        "--confined",
        action="store_true",
        help="read only the files' folders and the shipped contracts, and no URL",
    )


def run(options: argparse.Namespace) -> int:
    """Check the files, print their mistakes, and return the exit code."""
    codes = {_check(file, options) for file in options.files}
    return MISTAKES if MISTAKES in codes else max(codes)


def _check(file: Path, options: argparse.Namespace) -> int:
    """Print the mistakes of a file, and return the exit code."""
    from synthetic.probe.documents import ConfinementError  # noqa: PLC0415 - slow imports

    try:
        valid, problems = _find_problems(file, options)
    except ProbeError as error:
        write_output(f"{error}\n")
        return MISTAKES
    except ConfinementError as error:
        write_output(f"{file}: not checked: it needs {error}\n")
        return NOT_CHECKED
    mistakes_first = sorted(problems, key=lambda problem: problem.is_warning)
    lines = [str(replace(problem, file=str(file))) for problem in mistakes_first]
    warnings = sum(problem.is_warning for problem in problems)
    counts = [_count(valid, "valid workflow"), _count(len(problems) - warnings, "mistake")]
    counts += [_count(warnings, "warning")] * bool(warnings)
    write_output("\n".join([*lines, f"{file}: {', '.join(counts)}", ""]))
    return MISTAKES if len(problems) > warnings else PASSED


def _find_problems(file: Path, options: argparse.Namespace) -> tuple[int, list["Problem"]]:
    """Return the number of valid workflows, and the problems."""
    from synthetic.probe.arazzo_parser import check_workflow, read_all, read_journey  # noqa: PLC0415
    from synthetic.probe.catalog import contracts_folder  # noqa: PLC0415
    from synthetic.probe.given_inputs import check_given, check_sources  # noqa: PLC0415
    from synthetic.probe.problems import has_mistakes  # noqa: PLC0415

    files = dict(options.source)
    readable = [contracts_folder(), file.parent, *(path.parent for path in files.values())]
    folders = readable if options.confined else []
    required = options.required_inputs
    given = [*options.input, *options.server, *([required] if required else [])]
    if given and not options.workflow:
        raise ProbeError("--input, --required-inputs and --server are those of a --workflow")
    if options.workflow:
        problems = check_workflow(file, options.workflow, files, folders)
        if given and not has_mistakes(problems):
            journey = read_journey(file, options.workflow, files, folders=folders)
            check_sources(options.server, [journey])
            demand = bool(options.input) if required is None else required
            check_given(journey.inputs, options.input, required=demand)
        return int(not has_mistakes(problems)), problems
    valid, problems = read_all(file, files, folders, against_contract=True)
    return len(valid), problems


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _source(text: str) -> tuple[str, Path]:
    url, separator, file = text.rpartition("=")
    if not separator or not url or not file:
        example = "https://example.com/api.yaml=api.yaml"
        raise argparse.ArgumentTypeError(f"must be like {example}, not {text!r}")
    return url, Path(file)
