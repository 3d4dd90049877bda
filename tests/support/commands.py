"""External commands, and the arguments of the test programs."""

import argparse
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_TIMEOUT_SECONDS = 1800.0
ERROR_LINES = 15  # of standard error, in the message of a failure


class CommandError(Exception):
    """A command failed; the message has the last lines of its standard error."""


def run_command(
    *command: str,
    environ: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float = DEFAULT_TIMEOUT_SECONDS,
) -> str:
    """Run a command in the repository root, and return its standard output.

    Raises:
        CommandError: it failed, or ran for more than ``timeout`` seconds.

    """
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **(environ or {})},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise CommandError(f"{' '.join(command)} took more than {timeout:.0f} s") from None
    if done.returncode:
        # helm prints a line for each symbolic link of a chart
        lines = [line for line in done.stderr.splitlines() if "symbolic link" not in line]
        raise CommandError(f"{' '.join(command)} failed:\n" + "\n".join(lines[-ERROR_LINES:]))
    return done.stdout


def comma_separated(choices: Iterable[str]) -> Callable[[str], list[str]]:
    """Return an ``argparse`` type for a comma-separated list; an empty one selects all choices."""
    known = list(choices)

    def parse(text: str) -> list[str]:
        chosen = [name for name in text.split(",") if name]
        unknown = [name for name in chosen if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(
                f"there is no {', '.join(unknown)}; there are {', '.join(known)}"
            )
        return [name for name in known if name in chosen] or known

    return parse
