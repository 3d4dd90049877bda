"""The README: its commands answer what it says, its tables are whole, its links lead somewhere."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from localstack.catalogue import SERVICES
from scripts.readme_commands import answered
from tests.support.local_system import running

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
MARK = "--- next ---"
MACHINES = {"/users/token", "/users/jwks.json"}  # which services call, and no user


def test_every_command_answers_what_the_readme_says(data_folder: Path) -> None:
    wanted = answered(README)
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


def pages() -> list[str]:
    """Return every page of the documentation."""
    skipped = {".venv", "build", "reports", "node_modules"}
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return sorted(str(path) for path in found if not skipped & set(path.parts))


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        if "://" not in link:
            assert ((ROOT / page).parent / link).exists(), link


@pytest.mark.parametrize("page", pages())
def test_every_target_that_a_page_names_is_there(page: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = re.findall(r"```.*?```|`[^`\n]+`", (ROOT / page).read_text(), re.DOTALL)
    named = {
        name
        for each in code
        for name in re.findall(r"(?:^|[`$|;]|&& )\s*make ([a-z][a-z0-9-]*)", each, re.MULTILINE)
    }
    assert named <= targets, named - targets


def test_what_is_to_be_pasted_is_the_same_in_portuguese() -> None:
    blocks = [
        re.findall(r"```console\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
        for page in ("README.md", "README.pt-BR.md")
    ]
    assert blocks[0] == blocks[1] != []


def test_every_call_of_the_contracts_is_told_in_portuguese() -> None:
    page = (ROOT / "README.pt-BR.md").read_text()
    for service in SERVICES:
        document = yaml.safe_load((ROOT / "openapi" / f"{service}.yaml").read_text())
        for path, operations in document["paths"].items():
            for method in operations.keys() & {"get", "post", "put", "delete"}:
                old = operations[method].get("deprecated")
                beside = "/openapi" in path or "/docs" in path or path in MACHINES
                told = re.sub(r"\{\w+\}", r"{[a-z_]+}", path)
                assert old or beside or re.search(rf"{method.upper()} {told}`", page), path
