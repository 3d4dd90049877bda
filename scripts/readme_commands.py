"""Commands in the README and the pages of docs/: with their output, or only listed."""

import re
from pathlib import Path

PAGES = (
    "README.md",
    "docs/configuration.md",
    "docs/monitoring.md",
    "docs/kubernetes.md",
    "docs/load-testing.md",
    "docs/operations.md",
)
PROGRAMS = ("make ", ".venv/bin/", "kubectl ", "helm ")


def read_pages(root: Path) -> str:
    """Return the text of all pages."""
    return "\n".join((root / page).read_text() for page in PAGES)


def with_output(text: str) -> list[tuple[str, str]]:
    """Return every command of the console blocks with the output that follows it."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for step in block.split("$ ")[1:] if block.startswith("$ ") else []:
            command, _, output = step.partition("\n")
            found.append((command, output.strip()))
    return found


def listed(text: str) -> list[str]:
    """Return every command of the other code blocks once, without its comment."""
    blocks = text.split("\n```")[1::2]  # a fence opens a block, and the next one closes it
    lines = [line for block in blocks if block.startswith("\n") for line in block.splitlines()]
    commands = [line.partition(" # ")[0].strip() for line in lines if line.startswith(PROGRAMS)]
    return list(dict.fromkeys(commands))
