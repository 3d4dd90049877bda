"""The command's outputs, severities and modes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from synthetic.probe.junit import format_junit
from synthetic.probe.results import RunResult, StepResult
from tests.support.synthetic.mock_api import Document, MockApi, run_mock_api, write_call
from tests.support.synthetic.mock_shop import MockShop, respond

PROGRAM = Path(sys.executable).with_name("synthetic")
SECRET = "not-secret-in-tests"


def parse(text: str) -> ET.Element:
    """Return the root of an XML document."""
    return ET.fromstring(text)  # noqa: S314 - the command's own output


def probe(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `synthetic probe`."""
    command = [str(PROGRAM), "probe", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def probe_shop(shop: MockShop, journey: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the mock shop's journey once."""
    where = ("--url", shop.url, "--file", journey, "--secret", f"client-secret={SECRET}")
    return probe("things", *where, "--retries", "0", *arguments)


def test_junit_has_a_case_for_each_step(shop: MockShop, journey: Path) -> None:
    shop.faults["GET /things"] = lambda h: respond(h, 500)
    done = probe_shop(shop, journey, "--output", "junit")
    assert done.returncode == 1
    (suite,) = parse(done.stdout)
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("things", "4", "1")
    assert [case.get("name") for case in suite.iter("testcase")] == [
        "token",
        "make",
        "look",
        "unmake",
    ]
    (failure,) = suite.iter("failure")
    assert failure.get("type") == "http_status"
    status = "the response status is 500, and the criterion is $statusCode == 200"
    assert failure.get("message") == status


def test_junit_has_an_error_for_a_run_that_did_not_start() -> None:
    run = RunResult("j\x00", "0" * 32, result="error", reason="runner", detail="no \x1b[0m file")
    run.steps = []
    (suite,) = parse(format_junit([run]))
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    (error,) = suite.iter("error")
    assert error.get("message") == "no \N{REPLACEMENT CHARACTER}[0m file"


def test_junit_shows_the_warnings_of_a_step() -> None:
    run = RunResult("j", "0" * 32, result="passed")
    run.steps = [StepResult("s", "op", 1, warnings=["schema: wrong"])]
    assert parse(format_junit([run])).findtext(".//system-out") == "schema: wrong"


def test_har_has_each_exchange_without_secrets(shop: MockShop, journey: Path) -> None:
    done = probe_shop(shop, journey, "--output", "har")
    assert done.returncode == 0, done.stderr
    log = json.loads(done.stdout)["log"]
    assert log["version"] == "1.2"
    shown = [
        (e["comment"], e["request"]["method"], e["response"]["status"]) for e in log["entries"]
    ]
    assert shown == [
        ("token", "POST", 200),
        ("make", "POST", 201),
        ("look", "GET", 200),
        ("unmake", "DELETE", 204),
    ]
    assert log["entries"][2]["request"]["queryString"][0]["name"] == "by"
    assert json.loads(log["entries"][0]["response"]["content"]["text"])["access_token"] == "***"
    for text in (SECRET, "t.t.t"):
        assert text not in done.stdout


def test_verbose_prints_each_exchange_beside_the_output(shop: MockShop, journey: Path) -> None:
    done = probe_shop(shop, journey, "--verbose", "--output", "json")
    assert json.loads(done.stdout)["result"] == "passed"
    lines = done.stderr.splitlines()
    assert lines[0] == "token:"
    assert f"> GET {shop.url}/things/2" in done.stderr
    assert "> Authorization: Bearer ***" in lines
    assert "< 204" in lines


@pytest.mark.parametrize("output", ["json", "junit", "har"])
def test_a_dry_run_has_no_result_to_write(shop: MockShop, journey: Path, output: str) -> None:
    done = probe_shop(shop, journey, "--dry-run", "--output", output)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--output {output} has no effect with --dry-run" in done.stderr


def test_a_dry_run_sends_nothing(shop: MockShop, journey: Path) -> None:
    done = probe_shop(shop, journey, "--dry-run", "--input", "name=Ana")
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()[:3]] == [
        ["make", "POST", f"{shop.url}/things"],
        ["unmake", "DELETE", f"{shop.url}/things/{{id}}"],
        ["look", "GET", f"{shop.url}/things/{{id}}"],
    ]
    assert shop.requests == []


def test_a_given_input_replaces_the_generated_one(shop: MockShop, journey: Path) -> None:
    assert probe_shop(shop, journey, "--input", "name=Ana Maria").returncode == 0
    assert "by=Ana+Maria+%26+co" in shop.requests[2][1]


def write_formatted(folder: Path) -> Path:
    """Write a journey whose response should be a date."""
    schema = {"type": "string", "format": "date"}
    content = {"application/json": {"schema": schema}}
    return write_call(folder, {"responses": {"200": {"content": content}}})


@pytest.mark.parametrize(
    ("options", "code", "warning"),
    [
        ([], 1, ""),
        (["--formats"], 1, ""),
        (["--no-formats"], 0, ""),
        (["--severity", "schema=warn"], 0, "schema: the body of 200"),
        (["--severity", "schema=off,assertion=warn"], 0, ""),
    ],
)
def test_severities_decide_what_fails(
    tmp_path: Path, options: list[str], code: int, warning: str
) -> None:
    api = MockApi(headers=[("Content-Type", "application/json")], body=b'"tomorrow"')
    with run_mock_api(api):
        where = ("--file", write_formatted(tmp_path), "--url", api.url, "--retries", "0")
        table = probe("calls", *where, *options)
        done = probe("calls", *where, "--output", "json", *options)
    assert done.returncode == code, done.stderr
    assert warning in "".join(json.loads(done.stdout)["steps"][0]["warnings"])
    assert f"warning: {warning}" in table.stdout or not warning


@pytest.mark.parametrize("text", ["schema", "schema=loud", "tls=warn", "=warn"])
def test_rejects_an_unknown_severity(tmp_path: Path, text: str) -> None:
    file = write_formatted(tmp_path)
    done = probe("calls", "--file", file, "--url", "http://a", "--severity", text)
    assert done.returncode == 2
    assert "--severity" in done.stderr


def write_two(folder: Path, *, second: Document) -> Path:
    """Write a file with a workflow that passes, and another one."""
    file = write_call(folder, {})
    document: Any = yaml.safe_load(file.read_text())
    first = document["workflows"][0]
    document["workflows"].append({**first, "workflowId": "second", **second})
    file.write_text(yaml.safe_dump(document))
    return file


@pytest.mark.parametrize(
    ("second", "result", "code"),
    [
        ({}, "passed", 0),
        ({"steps": [{"stepId": "s", "operationId": "lost"}]}, "error", 2),
        (
            {
                "steps": [
                    {
                        "stepId": "s",
                        "operationId": "call",
                        "successCriteria": [{"condition": "$statusCode == 201"}],
                    }
                ]
            },
            "failed",
            1,
        ),
    ],
)
def test_a_file_stands_for_all_its_workflows(
    tmp_path: Path, second: Document, result: str, code: int
) -> None:
    file = write_two(tmp_path, second=second)
    log = tmp_path / "termination"
    with run_mock_api(MockApi()) as api:
        where = ("--url", api.url, "--retries", "0")
        done = probe(file, *where, "--output", "json", "--termination-log", log)
        table = probe(file, *where)
    assert done.returncode == table.returncode == code, done.stderr
    runs = json.loads(done.stdout)["runs"]
    assert [(r["journey"], r["result"]) for r in runs] == [("calls", "passed"), ("second", result)]
    assert json.loads(log.read_text())["result"] == (result if code else "passed")
    passed = 1 + (code == 0)
    assert table.stdout.endswith(f"2 journeys: {passed} passed, {2 - passed} failed\n")


@pytest.mark.parametrize("redirection", [">/dev/full", "| :", ">&-"])
@pytest.mark.parametrize("form", ["table", "json"])
def test_an_output_that_cannot_be_written_causes_no_traceback(
    shop: MockShop, journey: Path, redirection: str, form: str
) -> None:
    secret = f"client-secret={SECRET}"
    command = f'"$0" "$@" {redirection}'
    if redirection == "| :":  # the reader ends before the probe writes
        command = '{ sleep 0.2; "$0" "$@"; } | :; exit "${PIPESTATUS[0]}"'
    where = ["things", "--url", shop.url, "--file", str(journey), "--secret", secret]
    probe = [str(PROGRAM), "probe", *where, "--retries", "0", "--output", form]
    done = subprocess.run(  # a shell redirects the output
        ["/bin/bash", "-c", command, *probe],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
