"""The command `synthetic check`."""

from pathlib import Path

from tests.support.synthetic.checked_document import write_changed
from tests.support.synthetic.object_api import Finished, synthetic
from tests.support.synthetic.scripted_api import (
    step,
    workflow,
    write_arazzo,
)


def check(*arguments: str | Path) -> Finished:
    """Run `synthetic check`."""
    return synthetic("check", *arguments)


def test_the_command_lists_the_mistakes_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    good = write_arazzo(tmp_path, workflow(step("a")))
    bad = write_arazzo(tmp_path / "bad", workflow(step("a", "lost"), step("x")))
    done = check(good, bad, tmp_path / "missing.yaml")
    assert (done.code, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"{good}: 1 valid workflow, 0 mistakes"
    assert lines[1].startswith(f"{bad}:")
    assert "the contract api has no operation lost" in lines[1]
    assert lines[3] == f"{bad}: 0 valid workflows, 2 mistakes"
    assert "missing.yaml cannot be read" in lines[4]
    assert check(good).code == 0


def test_the_command_reads_a_file_in_place_of_a_url(tmp_path: Path) -> None:
    url = "https://example.invalid/a=b.yaml"
    sources = [{"name": "api", "url": url, "type": "openapi"}]
    file = write_arazzo(tmp_path, workflow(step("a")), sourceDescriptions=sources)
    assert check(file, "--source", f"{url}={tmp_path / 'api.yaml'}").code == 0
    assert check(file, "--source", url.partition("=")[0]).code == 2


def test_the_command_lists_mistakes_before_warnings(tmp_path: Path) -> None:
    file = write_changed(tmp_path, "default: Ana}", "default: Ana}\n        age: {}")
    warned = check(file)
    file.write_text(file.read_text().replace("== 201", "== 299"))
    done = check(file)
    assert (done.code, warned.code) == (1, 0)
    first, second, summary = done.stdout.splitlines()
    assert "the status 299" in first
    assert ": warning: the input age is not used" in second
    assert summary.endswith("1 valid workflow, 1 mistake, 1 warning")
