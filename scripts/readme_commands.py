"""The commands that README.md shows: those with their answers, and those that are only named."""

import re

PROGRAMS = ("make ", ".venv/bin/", "kubectl ", "helm ")


def answered(page: str) -> list[tuple[str, str]]:
    """Return every command of the console blocks with what it is said to print."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for step in block.split("$ ")[1:] if block.startswith("$ ") else []:
            command, _, output = step.partition("\n")
            found.append((command, output.strip()))
    return found


def named(page: str) -> list[str]:
    """Return every command of the other blocks, without the comment behind it."""
    blocks = page.split("\n```")[1::2]  # a fence opens a block, and the next one closes it
    lines = [line for block in blocks if block.startswith("\n") for line in block.splitlines()]
    return [line.partition(" # ")[0].strip() for line in lines if line.startswith(PROGRAMS)]
