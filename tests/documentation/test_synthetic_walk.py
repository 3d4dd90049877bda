"""The walk of charts/synthetic/README.md as far as it needs no cluster; make e2e follows all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import readme_walk
from tests.support.readme_walk import Command

WALK = readme_walk.synthetic_walk()
LOCAL = [each for each in readme_walk.commands(WALK) if each.text.startswith("synthetic ")]


@pytest.mark.covers_subprocesses
def test_the_local_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    for name, text in readme_walk.files(WALK).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    place = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    assert [command.text.split()[1] for command in LOCAL] == ["new", "check"]
    for command in LOCAL:
        done = subprocess.run(
            command.text.split(),
            cwd=tmp_path,
            env={**os.environ, "PATH": place},
            capture_output=True,
            text=True,
            check=True,
        )
        assert command.missing_line(done.stdout + done.stderr) == ""


SHOWN = Command("explain", ("at 2026-03-01T09:00:05Z", "...", "a.yaml:12:9: wrong", "list  1.5 ms"))


@pytest.mark.parametrize(
    ("printed", "missing"),
    [
        ("at 2027-01-01T00:00:00Z\nmore\na.yaml:12:9: wrong\nlist 20.0 ms\n", ""),
        ("at 2027-01-01T00:00:00Z\na.yaml:13:9: wrong\nlist 20.0 ms\n", "a.yaml:12:9: wrong"),
        ("a.yaml:12:9: wrong\nat 2027-01-01T00:00:00Z\nlist 1.5 ms\n", "a.yaml:12:9: wrong"),
        ("", "at 2026-03-01T09:00:05Z"),
    ],
    ids=["times", "place", "order", "nothing"],
)
def test_lines_of_the_page_are_printed_in_order(printed: str, missing: str) -> None:
    assert SHOWN.missing_line(printed) == missing
