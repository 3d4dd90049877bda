"""Inputs from mounted Secrets: read from files, masked, and sent to allowed hosts alone."""

import json
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from servicekit.testing import environment
from synthetic.cli import main
from synthetic.probe.signals import Signals
from tests.support.synthetic.scripted_api import (
    Reply,
    ScriptedApi,
    expect,
    step,
    workflow,
    write_arazzo,
)

SECRET = "Kq7Zw9Xv4Rt2"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A journey that sends two inputs, and fails."""
    parameters = [
        {"name": "q", "in": "query", "value": "$inputs.pin"},
        {"name": "r", "in": "query", "value": "$inputs.count"},
    ]
    found = {"type": "object", "additionalProperties": False, "required": ["pin"]}
    inputs = {**found, "properties": {"pin": {"type": "string"}, "count": {"type": "integer"}}}
    criteria = expect("$url == 'x'")
    return write_arazzo(
        tmp_path,
        workflow(step("a", parameters=parameters, successCriteria=criteria), inputs=inputs),
    )


def secret(folder: Path, **files: str) -> str:
    """Write the files of a mounted Secret; return the folder."""
    folder.mkdir()
    (folder / "..data").mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return str(folder)


def probe(api: ScriptedApi, document: Path, *options: str, hosts: str | None = None) -> int:
    """Run the journey once; return the exit code."""
    command = ["synthetic", "probe", "w", "--file", str(document), "--url", api.url]
    command += ["--retries", "0", "--output", "json", "--verbose", *options]
    restricted = {} if hosts is None else {"INPUTS_HOSTS": hosts}
    with (
        patch.object(Signals, "install"),
        patch.object(sys, "argv", command),
        environment(**restricted),
    ):
        return main()


def test_the_files_of_a_secret_are_inputs_that_no_output_contains(
    api: ScriptedApi, document: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = secret(tmp_path / "first", pin="replaced", count="7\n")
    second = secret(tmp_path / "second", pin=f"{SECRET}\n", other="ignored")
    assert probe(api, document, "--inputs-from", first, "--inputs-from", second) == 1
    assert api.calls == [f"GET /a?q={SECRET}&r=7"]
    printed = capsys.readouterr()
    assert "***" in printed.err
    assert SECRET not in printed.out + printed.err


@pytest.mark.parametrize("output", ["json", "har"])
def test_an_output_in_json_stays_so_with_a_secret_that_is_a_number(
    api: ScriptedApi,
    document: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    output: str,
) -> None:
    folder = secret(tmp_path / "secret", pin="404", count="7")
    api.replies["GET /a"] = [Reply(404, body="q=404", headers={"X-Pin": "404"})]
    assert probe(api, document, "--inputs-from", folder, "--output", output) == 1
    text = capsys.readouterr().out
    assert json.loads(text)
    assert ": 404" in text  # the status
    assert "q=404" not in text


def test_an_option_replaces_the_input_of_a_secret(
    api: ScriptedApi, document: Path, tmp_path: Path
) -> None:
    folder = secret(tmp_path / "secret", pin=SECRET, count="7")
    probe(api, document, "--inputs-from", folder, "--input", "count=8")
    assert api.calls == [f"GET /a?q={SECRET}&r=8"]


@pytest.mark.parametrize(("hosts", "code"), [("127.0.0.1", 1), ("*", 1), ("a.example", 2), ("", 2)])
def test_the_inputs_of_a_secret_reach_allowed_hosts_alone(
    api: ScriptedApi,
    document: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    hosts: str,
    code: int,
) -> None:
    folder = secret(tmp_path / "secret", pin=SECRET, count="7")
    assert probe(api, document, "--inputs-from", folder, hosts=hosts) == code
    assert len(api.calls) == (code == 1)
    error = "the secret inputs may not be sent to 127.0.0.1"
    assert (error in capsys.readouterr().err) is (code == 2)


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"\xff\xfe", "it is not text"), (b"x" * 65_537, "is longer than 65536 bytes")],
    ids=["bytes", "size"],
)
def test_an_unusable_file_of_a_secret_is_named(
    api: ScriptedApi,
    document: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    error: str,
) -> None:
    folder = secret(tmp_path / "secret")
    (Path(folder) / "pin").write_bytes(content)
    assert probe(api, document, "--inputs-from", folder) == 2
    assert f"--inputs-from: {folder}" in (printed := capsys.readouterr().err)
    assert error in printed


@pytest.mark.parametrize("output", ["table", "json", "har", "junit"])
@pytest.mark.parametrize(
    ("kind", "content", "criterion", "hidden"),
    [
        ("object", f'{{"a": "{SECRET}", "b": 1}}', "$inputs.pin#/a == 'x'", SECRET),
        ("array", f'["{SECRET}", null, true]', "$inputs.pin#/0 == 'x'", SECRET),
        ("string", rf'"\u004b{SECRET[1:]}"', "$inputs.pin == 'x'", SECRET),
        ("number", "86420.50", "$inputs.pin == 'x'", "86420.5"),
        ("number", "97531e2", "$inputs.pin == 'x'", "9753100"),
    ],
    ids=["object", "array", "escaped", "fraction", "exponent"],
)
def test_no_output_has_a_part_or_another_form_of_a_secret_value(
    api: ScriptedApi,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    content: str,
    criterion: str,
    hidden: str,
    output: str,
) -> None:
    kinds = ["string", "null"] if kind == "string" else kind
    inputs = {"type": "object", "properties": {"pin": {"type": kinds}}, "required": ["pin"]}
    call = step("a", successCriteria=expect(criterion))
    document = write_arazzo(tmp_path, workflow(call, inputs=inputs))
    folder, log = secret(tmp_path / "secret", pin=content), tmp_path / "log"
    options = ["--inputs-from", folder, "--output", output, "--termination-log", str(log)]
    assert probe(api, document, *options) == 1
    printed = capsys.readouterr()
    assert hidden not in printed.out + printed.err + log.read_text()


def test_a_secret_value_with_too_many_texts_is_an_error(
    api: ScriptedApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = {"type": "object", "properties": {"pin": {"type": "array"}}}
    document = write_arazzo(tmp_path, workflow(step("a"), inputs=inputs))
    folder = secret(tmp_path / "secret", pin=json.dumps([f"{SECRET}{n}" for n in range(101)]))
    assert probe(api, document, "--inputs-from", folder) == 2
    error = "--input pin: a secret value has 100 texts and numbers at most"
    assert error in capsys.readouterr().err
