"""The self-test: variants of the system that break a promise, each of which must be caught.

A variant is a copy of one package with one passage replaced, told by a file in `broken/`. The
processes of the system find the copy before the package itself.
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


class OutdatedError(Exception):
    """A variant's passage is not, or not once, in the code; the message names both."""


@dataclass(frozen=True)
class Variant:
    """One way to break the system."""

    name: str
    package: str
    file: str
    caught_by: str  # the name of the fault
    old: str
    new: str

    def install(self, folder: Path) -> None:
        """Copy the package into ``folder``, with the passage replaced.

        Raises:
            OutdatedError: the code has changed; the variant must follow it.

        """
        spec = importlib.util.find_spec(self.package)
        assert spec is not None
        assert spec.origin is not None
        copy = folder / self.package
        shutil.copytree(Path(spec.origin).parent, copy)
        text = (copy / self.file).read_text()
        if text.count(self.old) != 1:
            message = (
                f"tests/chaos/mutants/{self.name}.toml: its old text is {text.count(self.old)} "
                f"times in {self.package}/{self.file}, and must be there once: write it anew"
            )
            raise OutdatedError(message)
        (copy / self.file).write_text(text.replace(self.old, self.new))


def variants() -> list[Variant]:
    """Return all variants."""
    return [
        Variant(path.stem, **tomllib.loads(path.read_text()))
        for path in sorted(FOLDER.glob("*.toml"))
    ]


@contextmanager
def installed(variant: Variant, folder: Path) -> Iterator[None]:
    """Let the processes that are started meanwhile run a variant, which is put into ``folder``."""
    variant.install(folder)
    folder.chmod(0o755)
    path = filter(None, (str(folder), os.environ.get("PYTHONPATH")))
    with environment(PYTHONPATH=os.pathsep.join(path)):
        yield
