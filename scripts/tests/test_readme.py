"""The README: its commands answer what it says, its tables are whole, its links lead somewhere."""

import re
import subprocess
from pathlib import Path

import pytest

from system import running

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MARK = "--- next ---"


def steps() -> list[tuple[str, str]]:
    """Return every command of the console blocks with what it is said to print."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for step in block.split("$ ")[1:] if block.startswith("$ ") else []:
            command, _, output = step.partition("\n")
            found.append((command, output.strip()))
    return found


def test_every_command_answers_what_the_readme_says(data_folder: Path) -> None:
    wanted = steps()
    assert len(wanted) > 10
    with running(data_folder) as system:
        commands = [command.replace("http://127.0.0.1:8080", system.url) for command, _ in wanted]
        script = f"\necho; echo '{MARK}'\n".join(commands)
        done = subprocess.run(
            ["bash", "-c", script],  # noqa: S607 - the shell that a user has
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    printed = [output.strip() for output in done.stdout.split(MARK)]
    assert list(zip((c for c, _ in wanted), printed, strict=True)) == wanted


def test_every_setting_is_in_the_table_and_nothing_else() -> None:
    sources = [*ROOT.glob("services/*/src/*/settings.py"), ROOT / "services" / "gunicorn.conf.py"]
    read = {
        name
        for source in sources
        for name in re.findall(r'(?:env|environ)[^"\n]*\(?\s*"([A-Z][A-Z_]+)"', source.read_text())
    }
    table = README.partition("## Settings")[2].partition("\n## ")[0]
    told = {
        name
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`([A-Z_]+)`", row)
    }
    assert told == read


@pytest.mark.parametrize("page", sorted(p.name for p in ROOT.glob("*.md")))
def test_every_link_leads_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        if "://" not in link:
            assert (ROOT / link).exists(), link
