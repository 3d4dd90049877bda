"""The files and commands of a page that a reader follows from its start, and their outputs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.commands import ROOT

_FILE = re.compile(r"```yaml\n# (\S+\.yaml)\n(.*?)```", re.DOTALL)
_CONSOLE = re.compile(r"```console\n\$ (.*?)```", re.DOTALL)
_VARIABLE = re.compile(r"\d[-\d]*T[\d:]+Z|\b[0-9a-f]{8,}\b|\br[0-9a-f]{9}\b|\d+\.\d+(?= ms)")
_AGE = re.compile(r"^(\d+[dhms])+$")
_SYNTHETIC_PAGE, _SECTION = ROOT / "charts/synthetic/README.md", "\n## Ten minutes to a monitor\n"
ELLIPSIS = "..."  # stands for any lines


@dataclass(frozen=True)
class Command:
    """A command, and the lines that the page shows as its output."""

    text: str
    output: tuple[str, ...] = ()

    def missing_line(self, printed: str) -> str:
        """Return the first line that the command has not printed in this order, or nothing.

        Times, durations and identifiers are those of each run, and so is the width of columns.
        """
        lines = iter([_constant(line) for line in printed.splitlines()])
        for line in self.output:
            if line != ELLIPSIS and _constant(line) not in lines:
                return line
        return ""


def synthetic_walk() -> str:
    """Return the first section of the page of charts/synthetic."""
    return _SYNTHETIC_PAGE.read_text().partition(_SECTION)[2].partition("\n## ")[0]


def files(page: str) -> dict[str, str]:
    """Return the content of each block of YAML that starts with the name of its file."""
    return dict(_FILE.findall(page))


def commands(page: str) -> Iterator[Command]:
    """Yield the commands of the console blocks."""
    for block in _CONSOLE.findall(page):
        for step in block.split("\n$ "):
            text, *output = step.strip().splitlines()
            yield Command(text, tuple(output))


def _constant(line: str) -> str:
    """Return a line without its variable parts."""
    words = (_AGE.sub("#", word) for word in line.split())
    return _VARIABLE.sub("#", " ".join(words))
