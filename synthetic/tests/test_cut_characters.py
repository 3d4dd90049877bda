"""Texts that an encoding lacks: cut within a surrogate pair, or printed to a terminal of another.

Services that cut texts by UTF-16 units leave half of a pair, such as of an emoji.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from synthetic.probe.results import RunResult
from tests.support.synthetic.mock_api import (
    Document,
    MockApi,
    ReceivedRequest,
    run_mock_api,
    write_call,
)
from tests.support.synthetic.object_api import replay_all

PROGRAM = Path(sys.executable).with_name("synthetic")
CUT = "Ana \ud83d"
CUT_BODY = json.dumps({"title": CUT}).encode()


def send(
    folder: Path, operation: Document, step: Document, path: str = "/x"
) -> tuple[RunResult, list[ReceivedRequest]]:
    """Call an operation with the input ``t``, which is cut; return the result and the requests."""
    method = "post" if "requestBody" in step else "get"
    inputs = {"t": {"type": "string"}}
    file = write_call(folder, operation, step, path=path, method=method, inputs=inputs)
    with run_mock_api(MockApi()) as api:
        (result,) = replay_all(file, api.url, t=CUT)
    return result, api.requests


@pytest.mark.parametrize("location", ["path", "query", "cookie"])
def test_a_parameter_with_a_cut_character_is_named_as_such(tmp_path: Path, location: str) -> None:
    parameter = {"name": "t", "in": location, "required": True, "schema": {"type": "string"}}
    step = {"parameters": [{"name": "t", "in": location, "value": "$inputs.t"}]}
    path = "/x/{t}" if location == "path" else "/x"
    result, requests = send(tmp_path, {"parameters": [parameter]}, step, path)
    assert (result.result, result.reason, requests) == ("error", "runner", [])
    assert "half of a surrogate pair" in result.detail


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_form_with_a_cut_character_is_named_as_such(tmp_path: Path, content_type: str) -> None:
    operation: Document = {"requestBody": {"content": {content_type: {}}}}
    step = {"requestBody": {"contentType": content_type, "payload": {"title": "$inputs.t"}}}
    result, requests = send(tmp_path, operation, step)
    assert (result.result, result.reason, requests) == ("error", "runner", [])
    assert "half of a surrogate pair" in result.detail


def test_json_with_a_cut_character_is_sent_as_it_was_received(tmp_path: Path) -> None:
    operation: Document = {"requestBody": {"content": {"application/json": {}}}}
    step = {"requestBody": {"payload": {"title": "$inputs.t", "other": "é"}}}
    result, (request,) = send(tmp_path, operation, step)
    assert result.result == "passed", result.detail
    assert request.body == '{"title": "Ana \\ud83d", "other": "é"}'.encode()


@pytest.mark.parametrize("form", ["table", "json", "junit", "har"])
@pytest.mark.parametrize(
    "encoding",
    [
        {},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
)
def test_each_output_shows_characters_that_its_encoding_lacks(
    tmp_path: Path, form: str, encoding: dict[str, str]
) -> None:
    header = ("Content-Type", "application/json")
    response = {"200": {"description": "d", "content": {"application/json": {}}}}
    criterion = {"successCriteria": [{"condition": "$response.body#/title == 'São ✓'"}]}
    file = write_call(tmp_path, {"responses": response}, criterion)
    with run_mock_api(MockApi(headers=[header], body=CUT_BODY)) as api:
        done = subprocess.run(
            [PROGRAM, "probe", file, "--url", api.url, "--retries", "0", "--output", form],
            env={**os.environ, **encoding},
            capture_output=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"ud83d" in done.stdout
