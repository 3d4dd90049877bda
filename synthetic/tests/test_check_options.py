"""Options of `synthetic check`: one workflow alone, and confinement to given folders."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.synthetic.object_api import synthetic

CONTRACT = {
    "openapi": "3.1.0",
    "info": {"title": "Cafe", "version": "1"},
    "paths": {
        "/menu": {"get": {"operationId": "listMenu", "responses": {"200": {"description": "d"}}}}
    },
}
MENU = {"workflowId": "menu", "steps": [{"stepId": "list", "operationId": "listMenu"}]}
MEALS = {"workflowId": "meals", "steps": [{"stepId": "list", "operationId": "listMeals"}]}
BOTH = {
    "workflowId": "both",
    "steps": [{"stepId": "menu", "workflowId": "menu"}, {"stepId": "meals", "workflowId": "meals"}],
}


def write(folder: Path, contract_url: str = "cafe.json", **sources: Any) -> Path:
    """Write a document with three workflows, and its contract."""
    (folder / "cafe.json").write_text(json.dumps(CONTRACT))
    document = {
        "arazzo": "1.0.1",
        "info": {"title": "Cafe", "version": "1"},
        "sourceDescriptions": [{"name": "cafe", "url": contract_url, "type": "openapi", **sources}],
        "workflows": [MENU, MEALS, BOTH],
    }
    file = folder / "own.json"
    file.write_text(json.dumps(document, indent=1))
    return file


def check(*arguments: str | Path) -> tuple[int, str]:
    """Return the exit code and the output of the command."""
    done = synthetic("check", *arguments)
    assert done.stderr == ""
    return done.code, done.stdout


@pytest.mark.parametrize(
    ("workflow", "code", "output"),
    [
        ("menu", 0, "1 valid workflow, 0 mistakes"),
        ("meals", 1, "the contract cafe has no operation listMeals"),
        ("both", 1, "the contract cafe has no operation listMeals"),
        ("lunch", 1, "own.json has no workflow lunch; it has menu, meals, both"),
    ],
)
def test_checks_one_workflow_with_those_that_it_may_run(
    tmp_path: Path, workflow: str, code: int, output: str
) -> None:
    found, text = check("--workflow", workflow, write(tmp_path))
    assert (found, output in text) == (code, True)


@pytest.mark.parametrize(
    ("options", "code", "output"),
    [
        (["--server=cafe", "--input=size", "--no-required-inputs"], 0, "0 mistakes"),
        (["--server=tea"], 1, "--server tea: no step calls this source description"),
        (["--input=colour"], 1, "there is no input colour; the inputs are size, pin"),
        (["--input=size=3", "--input=pin"], 0, "0 mistakes"),
        (["--input=size=big", "--input=pin"], 1, "--input size: the value must be JSON of the"),
        (
            ["--input=size=1.5", "--input=pin"],
            1,
            '--input size: the value is not of type "integer"',
        ),
        (["--input=size=3"], 1, "the required input pin has no value: give it one of the type str"),
        (["--required-inputs"], 1, "the required input pin has no value"),
    ],
)
def test_checks_the_inputs_and_servers_of_a_later_run(
    tmp_path: Path, options: list[str], code: int, output: str
) -> None:
    file = write(tmp_path)
    properties = {"size": {"type": "integer", "default": 1}, "pin": {"type": "string"}}
    inputs = {"type": "object", "properties": properties, "required": ["pin", "size"]}
    document = json.loads(file.read_text())
    document["workflows"] = [{**MENU, "inputs": inputs}]
    file.write_text(json.dumps(document))
    found, text = check("--confined", "--workflow", "menu", *options, file)
    assert (found, output in text) == (code, True), text


def test_inputs_and_servers_are_those_of_one_workflow(tmp_path: Path) -> None:
    code, output = check("--input=size", write(tmp_path))
    assert (code, "are those of a --workflow" in output) == (1, True)


def test_confined_reads_its_own_folder_and_the_shipped_contracts(tmp_path: Path) -> None:
    assert check("--confined", "--workflow", "menu", write(tmp_path))[0] == 0
    shipped = Path(os.environ.get("CONTRACTS_DIR", "openapi")) / "journeys/login.arazzo.yaml"
    assert check("--confined", shipped)[0] == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://cafe.example/openapi.yaml",
        "../outside.json",
        "linked.json",
        "{outside}",
        "../missing.json",
    ],
)
def test_confined_reads_nothing_else(tmp_path: Path, url: str) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside.json"
    folder.mkdir()
    outside.write_text(json.dumps({"secret": "a-value-of-another-file"}))
    (folder / "linked.json").symlink_to(outside)
    file = write(folder, url.format(outside=outside))
    code, output = check("--confined", "--workflow", "menu", file)
    assert (code, "not checked" in output) == (3, True)
    assert "a-value-of-another-file" not in output


@pytest.mark.parametrize("url", ["file://{outside}", "../outside.json#/secret"])
def test_confined_follows_no_reference_out_of_its_folder(tmp_path: Path, url: str) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside.json"
    folder.mkdir()
    outside.write_text(json.dumps({"secret": "a-value-of-another-file"}))
    file = write(folder)
    contract = {**CONTRACT, "paths": {"/menu": {"$ref": url.format(outside=outside)}}}
    (folder / "cafe.json").write_text(json.dumps(contract))
    code, output = check("--confined", "--workflow", "menu", file)
    assert (code, "not checked" in output) == (3, True)
    assert "a-value-of-another-file" not in output


def test_a_workflow_that_runs_one_with_mistakes_is_not_valid(tmp_path: Path) -> None:
    file = write(tmp_path)
    document = json.loads(file.read_text())
    outer = {"workflowId": "outer", "steps": [{"stepId": "both", "workflowId": "both"}]}
    document["workflows"].append(outer)
    file.write_text(json.dumps(document, indent=1))
    code, output = check(file)
    assert code == 1
    assert "1 valid workflow, 3 mistakes" in output
    assert "both runs meals, which has mistakes" in output
    assert "outer runs both, which has mistakes" in output


def test_a_workflow_of_another_document_counts_too(tmp_path: Path) -> None:
    other = write(tmp_path)
    calling = {
        "arazzo": "1.0.1",
        "info": {"title": "Caller", "version": "1"},
        "sourceDescriptions": [{"name": "other", "url": other.name, "type": "arazzo"}],
        "workflows": [
            {
                "workflowId": name,
                "steps": [
                    {"stepId": "a", "workflowId": f"$sourceDescriptions.other.{called}"},
                ],
            }
            for name, called in (("good", "menu"), ("bad", "both"))
        ],
    }
    file = tmp_path / "caller.json"
    file.write_text(json.dumps(calling, indent=1))
    code, output = check(file)
    assert code == 1
    assert "bad runs both, which has mistakes" in output
    assert "1 valid workflow, 1 mistake" in output
