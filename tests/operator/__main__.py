"""Shows on the cluster of KUBECONFIG what the operator holds to, whatever is done to it.

The monitors are suspended: what is measured is the operator, not the probes. The namespaces are
the bench's own, and are removed at the end; so is the definition, when none was there. With many
monitors: starts, disturbances, an API server that is away, a namespace that is deleted. With few:
refusals, kills, runs that end while no operator is there, messages of probes that make no sense,
and bad input.

The API server is away because a gate before it is shut, or is really stopped when two commands
say how; whoever else uses that cluster then waits.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial

import httpx

from tests.operator import resilience, scale, termination_messages, validation
from tests.operator.namespace import MissError, Space, definition, space

PARTS = (
    *("starts", "put-back", "away", "deleted"),
    *("refusals", "kills", "unseen", "messages", "bad-input"),
)
LARGE = PARTS[:4]


class Table:
    """The rows, as they come."""

    def __init__(self, wanted: list[str]) -> None:
        """Start empty; only what is ``wanted`` is done."""
        self.wanted = wanted
        self.rows: list[str] = []
        self.holds = True

    def add(self, part: str, name: str, do: Callable[[], str]) -> None:
        """Do what a row is about, if it is wanted."""
        if part not in self.wanted:
            return
        say(name)
        began = time.monotonic()
        try:
            told, result = do(), "ok"
        except (MissError, httpx.HTTPError) as error:
            told, result, self.holds = str(error) or repr(error), "MISS", False
        self.rows.append(f"{result:6}{name:12}{told}")
        say(f"{self.rows[-1]} [{time.monotonic() - began:.0f} s]")


def main() -> int:
    """Print the table, and return 1 when something does not hold."""
    options = _parser().parse_args()
    if not os.environ.get("KUBECONFIG") or shutil.which("kubectl") is None:
        sys.exit("operator-bench: set KUBECONFIG to the cluster's, and have kubectl on the PATH")
    if bool(options.stop_api) != bool(options.start_api):
        sys.exit("operator-bench: --stop-api and --start-api go together")
    table = Table(options.only)
    try:
        with definition():
            _large(table, options)
            _small(table)
    finally:
        print("\n".join(table.rows), flush=True)
    return 0 if table.holds else 1


def _large(table: Table, options: argparse.Namespace) -> None:
    if not set(table.wanted) & set(LARGE):
        return
    absence = scale.Absence(options.away, options.stop_api, options.start_api)
    with space() as here:
        say(f"creating {options.monitors} monitors")
        names = scale.populate(here, options.monitors)
        for name in scale.WRITES:
            table.add("starts", name, partial(scale.start, here, name, options.monitors))
        table.add("put-back", "put back", lambda: scale.put_back(here, names))
        table.add("away", "away", lambda: scale.away(here, names, absence, say))
        table.add("deleted", "deleted", lambda: scale.deleted(here))


def _small(table: Table) -> None:
    parts: dict[str, Callable[[Space], str]] = {
        "refusals": resilience.refusals,
        "kills": lambda here: resilience.kills(here, say),
        "unseen": resilience.unseen,
        "messages": lambda here: termination_messages.borne(here, say),
        "bad-input": validation.refused,
    }
    for part, do in parts.items():
        if part in table.wanted:
            with space() as here:
                table.add(part, part.replace("-", " "), partial(do, here))


def say(what: str) -> None:
    """Tell where we are."""
    print(f"operator-bench: {what}", file=sys.stderr, flush=True)


def _parts(text: str) -> list[str]:
    """Return the parts of a list with commas; all of them for an empty one."""
    chosen = [name for name in text.split(",") if name]
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        message = f"there is no {', '.join(unknown)}; there are {', '.join(PARTS)}"
        raise argparse.ArgumentTypeError(message)
    return chosen or list(PARTS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make operator-bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit codes: 0 all of it holds, 1 something does not.",
    )
    parser.add_argument("--monitors", type=int, default=1000, help="how many (1000)")
    parser.add_argument(
        "--only", type=_parts, default="", metavar="PART,...", help=f"some of {', '.join(PARTS)}"
    )
    parser.add_argument(
        "--away", type=float, default=300.0, help="seconds without an API server (300)"
    )
    parser.add_argument("--stop-api", default="", help="a command that stops the API server")
    parser.add_argument("--start-api", default="", help="a command that starts it again")
    return parser


if __name__ == "__main__":
    sys.exit(main())
