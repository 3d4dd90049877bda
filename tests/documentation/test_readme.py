"""The README and the pages of docs/: output of commands, tables, links and named paths."""

import re
import subprocess
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
import yaml

from devstack.service_catalog import SERVICES
from scripts.readme_commands import with_output
from tests.support.local_system import running

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SEPARATOR = "--- next ---"
SERVICE_PATHS = {"/users/token", "/users/jwks.json"}  # called by services only
MAX_LINES = {"README.md": 130, "README.pt-BR.md": 140, "CONTRIBUTING.md": 120}


def test_every_console_command_prints_the_documented_output(data_folder: Path) -> None:
    wanted = with_output(README)
    assert len(wanted) > 10
    with running(data_folder) as system:
        commands = [command.replace("http://127.0.0.1:8080", system.url) for command, _ in wanted]
        script = f"\necho; echo '{SEPARATOR}'\n".join(commands)
        done = subprocess.run(
            ["bash", "-c", script],  # noqa: S607 - the shell that a user has
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    printed = [output.strip() for output in done.stdout.split(SEPARATOR)]
    assert list(zip((c for c, _ in wanted), printed, strict=True)) == wanted


def test_the_table_lists_exactly_the_settings_that_services_read() -> None:
    sources = [*ROOT.glob("services/*/src/*/settings.py"), ROOT / "services" / "gunicorn.conf.py"]
    read = {
        name
        for source in sources
        for name in re.findall(r'(?:env|environ)[^"\n]*\(?\s*"([A-Z][A-Z_]+)"', source.read_text())
    }
    page = (ROOT / "docs" / "configuration.md").read_text()
    table = page.partition("## Settings")[2].partition("\n## ")[0]
    documented = {
        name
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`([A-Z_]+)`", row)
    }
    assert documented == read


def pages() -> list[str]:
    """Return the path of every Markdown file."""
    return sorted(name for name in set(files()) if name.endswith(".md") and (ROOT / name).exists())


@cache
def files() -> list[str]:
    """Return the path of every file of the repository, and of those that the examples add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - any git
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    patches = Path(__file__).parent.glob("patches/*.patch")
    added = [re.findall(r"^\+\+\+ b/(.+)$", patch.read_text(), re.MULTILINE) for patch in patches]
    return [*listed.stdout.splitlines(), *chain.from_iterable(added)]


@pytest.mark.parametrize("page", pages())
def test_every_relative_link_resolves(page: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        if "://" not in link:
            assert ((ROOT / page).parent / link).exists(), link


@pytest.mark.parametrize(("page", "most"), MAX_LINES.items())
def test_the_entry_pages_stay_short(page: str, most: int) -> None:
    assert len((ROOT / page).read_text().splitlines()) <= most


@pytest.mark.parametrize("page", pages())
def test_every_file_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    named = set(re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|tpl|toml|yaml))`", text))
    missing = {n for n in named if not any(f"/{file}".endswith(f"/{n}") for file in files())}
    assert missing == set()


@pytest.mark.parametrize("page", pages())
def test_every_make_target_that_a_page_names_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = re.findall(r"```.*?```|`[^`\n]+`", (ROOT / page).read_text(), re.DOTALL)
    named = {
        name
        for each in code
        for name in re.findall(r"(?:^|[`$|;]|&& )\s*make ([a-z][a-z0-9-]*)", each, re.MULTILINE)
    }
    assert named <= targets, named - targets


def test_the_portuguese_readme_has_the_same_console_blocks() -> None:
    blocks = [
        re.findall(r"```console\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
        for page in ("README.md", "README.pt-BR.md")
    ]
    assert blocks[0] == blocks[1] != []


def test_the_portuguese_readme_lists_every_operation_of_the_contracts() -> None:
    page = (ROOT / "README.pt-BR.md").read_text()
    for service in SERVICES:
        document = yaml.safe_load((ROOT / "openapi" / f"{service}.yaml").read_text())
        for path, operations in document["paths"].items():
            for method in operations.keys() & {"get", "post", "put", "delete"}:
                old = operations[method].get("deprecated")
                excluded = "/openapi" in path or "/docs" in path or path in SERVICE_PATHS
                pattern = re.sub(r"\{\w+\}", r"{[a-z_]+}", path)
                assert old or excluded or re.search(rf"{method.upper()} {pattern}`", page), path
