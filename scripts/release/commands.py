"""External commands of a release, and its messages."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class ReleaseError(Exception):
    """The release cannot be made; the message has the cause and the remedy."""


def run(*command: str, environ: Mapping[str, str] | None = None, cwd: Path = ROOT) -> str:
    """Run a command, and return its output and messages.

    Raises:
        ReleaseError: it fails or is missing.

    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise ReleaseError(f"{command[0]} is missing: add it to the PATH") from None
    if done.returncode:
        raise ReleaseError(f"{Path(command[0]).name} failed: {done.stdout.strip()[-2000:]}")
    return done.stdout


def git(*arguments: str) -> bytes:
    """Return the output of git; raises ``ReleaseError``."""
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise ReleaseError(f"git {arguments[0]} failed: make the release in a clone")
    return done.stdout


def say(message: str) -> None:
    """Report progress on standard error."""
    print(f"release: {message}", file=sys.stderr, flush=True)
