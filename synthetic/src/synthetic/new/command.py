"""The command `synthetic new`: first journeys from contracts."""

import argparse
import sys
from pathlib import Path

from synthetic.probe.results import ProbeError
from synthetic.standard_output import write_output

VERSIONS = ("1.0.1", "1.1.0")
EXIT_INVALID, EXIT_USAGE = 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "contracts",
        metavar="CONTRACT",
        nargs="+",
        help="OpenAPI 3.0, 3.1 or 3.2 description, a file or a URL; the ids that one contract "
        "refers to are created by the operations of another one",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="file to write (stdout)")
    parser.add_argument("--force", action="store_true", help="overwrite the file")
    parser.add_argument(
        "--operation",
        nargs="+",
        action="extend",
        default=[],
        metavar="ID",
        help="only these operations, and what they need; also those that no clean-up can undo",
    )
    parser.add_argument(
        "--tag",
        nargs="+",
        action="extend",
        default=[],
        metavar="TAG",
        help="only operations with one of these tags, and what they need",
    )
    parser.add_argument(
        "--version", choices=VERSIONS, default=VERSIONS[0], help="version of Arazzo (1.0.1)"
    )


def run(options: argparse.Namespace) -> int:
    """Write the journeys, and return the exit code."""
    from synthetic.new.compose import Selection, UsageError, compose  # noqa: PLC0415 - slow

    if options.force and options.output is None:
        return _report("--force has no effect without --output: name the file", EXIT_USAGE)
    try:
        if options.output is not None and options.output.exists() and not options.force:
            return _report(f"{options.output} exists: overwrite it with --force", EXIT_USAGE)
        selection = Selection(options.operation, options.tag)
        folder = options.output.parent if options.output is not None else Path()
        text, messages = compose(options.contracts, selection, folder, options.version)
        if options.output is None:
            write_output(text)
        else:
            options.output.write_text(text, encoding="utf-8")
    except ProbeError as error:
        return _report(str(error), EXIT_INVALID)
    except UsageError as error:
        return _report(str(error), EXIT_USAGE)
    except OSError as error:
        return _report(f"{error.filename} cannot be written ({error.strerror})", EXIT_USAGE)
    return _report("\n".join(messages), 0)


def _report(message: str, code: int) -> int:
    """Print a message with a line for each of its parts, and return the exit code."""
    sys.stderr.write("".join(f"synthetic new: {line}\n" for line in message.splitlines()))
    return code
