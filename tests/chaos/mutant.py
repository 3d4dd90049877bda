"""Mutants for the self-test: variants of the system that break a guarantee.

A mutant is a copy of one package with one passage replaced, described by a file in `mutants/`. The
processes of the system import the copy instead of the package.
"""

import importlib.util
import os
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servicekit.testing import environment

FOLDER = Path(__file__).with_name("mutants")


class StaleMutant(Exception):
    """The passage of a mutant does not occur exactly once in the code."""


@dataclass(frozen=True)
class Mutant:
    """One replacement in one file of a package."""

    name: str
    package: str
    file: str
    caught_by: str  # the name of the fault
    old: str
    new: str

    def install(self, folder: Path) -> None:
        """Copy the package into ``folder``, with the passage replaced.

        Raises:
            StaleMutant: the code has changed, and the mutant must be updated.

        """
        spec = importlib.util.find_spec(self.package)
        assert spec is not None
        assert spec.origin is not None
        copy = folder / self.package
        shutil.copytree(Path(spec.origin).parent, copy)
        text = (copy / self.file).read_text()
        if text.count(self.old) != 1:
            raise StaleMutant(
                f"tests/chaos/mutants/{self.name}.toml: its old text occurs {text.count(self.old)} "
                f"times in {self.package}/{self.file}, and must occur once: update it"
            )
        (copy / self.file).write_text(text.replace(self.old, self.new))


def mutants() -> list[Mutant]:
    """Return all mutants."""
    return [
        Mutant(path.stem, **tomllib.loads(path.read_text()))
        for path in sorted(FOLDER.glob("*.toml"))
    ]


@contextmanager
def installed(mutant: Mutant, folder: Path) -> Iterator[None]:
    """Install a mutant into ``folder`` for the processes that start during the block."""
    mutant.install(folder)
    folder.chmod(0o755)
    path = filter(None, (str(folder), os.environ.get("PYTHONPATH")))
    with environment(PYTHONPATH=os.pathsep.join(path)):
        yield
