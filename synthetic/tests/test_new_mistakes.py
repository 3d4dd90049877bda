"""Contracts and options that `synthetic new` refuses, with the place and the remedy."""

from pathlib import Path

import pytest
import yaml

from tests.support.synthetic.object_api import crud, synthetic, write_contract

BROKEN = """\
openapi: 3.1.0
info: {title: x, version: '1'}
paths:
  /things:
    get:
      parameters:
        - $ref: '#/components/parameters/lost'
      responses:
        '200':
          description: x
          content:
            application/json:
              schema: {type: array, items: {$ref: 'parts.yaml#/Part'}}
"""
REFUSED = {
    "no contract": ("[1, 2]", "1:1: it has no member openapi: name an OpenAPI description"),
    "an empty file": ("", "1:1: it has no member openapi"),
    "a text": ("hello", "1:1: it has no member openapi"),
    "no YAML": ("a: [1\nb: 2", "2:2 is not YAML, line 2: "),
    "Swagger 2.0": ("info: {}\nswagger: '2.0'\npaths: {}", "2:1: Swagger 2.0 is not supported"),
    "AsyncAPI": ("asyncapi: 3.0.0\ninfo: {}", "1:1: this is AsyncAPI, which has no HTTP"),
    "Arazzo": ("arazzo: 1.0.1\ninfo: {}", "1:1: this is an Arazzo document: name the OpenAPI"),
    "a version without quotes": ("openapi: 3.1", "1:1: openapi must be 3.0, 3.1 or 3.2 with"),
    "a later version": ("openapi: 4.0.0\npaths: {}", "1:1: openapi must be 3.0, 3.1 or 3.2"),
    "no paths": ("openapi: 3.1.0\ninfo: {}", "1:1: paths is missing: there is nothing to call"),
    "empty paths": ("openapi: 3.1.0\npaths: {}", "2:1: paths has no operations"),
    "paths without operations": ("openapi: 3.1.0\npaths: {/a: {}}", "2:1: paths has no operations"),
    "broken references": (BROKEN, "7:11: api.yaml refers to #/components/parameters/lost, which"),
    "a reference to no file": (BROKEN, "13:45: "),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_document_without_operations_is_refused_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "api.yaml"
    file.write_text(text)
    done = synthetic("new", file)
    assert (done.code, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert any(line.partition("api.yaml:")[2].startswith(message) for line in lines), lines


def test_a_mistake_in_another_file_has_the_place_there(tmp_path: Path) -> None:
    (tmp_path / "parts.yaml").write_text("Part:\n  properties:\n    a: {$ref: '#/Lost'}\n")
    contract = write_contract(tmp_path, crud(returned={"$ref": "parts.yaml#/Part"}))
    done = synthetic("new", contract)
    assert done.code == 1
    assert f"{tmp_path / 'parts.yaml'}:3:9: parts.yaml refers to #/Lost, which" in done.stderr


def test_an_operation_that_is_no_object_is_refused(tmp_path: Path) -> None:
    for paths in (
        {"/a": {"get": 5}},
        {"/a": {"get": {"responses": {"200": 5}, "parameters": [5]}}},
    ):
        done = synthetic("new", write_contract(tmp_path, paths))
        assert (done.code, done.stdout) == (1, "")
        assert "api.yaml is not a valid OpenAPI document: check it with a linter" in done.stderr


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    done = synthetic("new", tmp_path / "lost.yaml")
    assert done.code == 1
    assert "lost.yaml cannot be read (No such file or directory)" in done.stderr


def test_a_contract_at_a_url_that_does_not_reply_is_named() -> None:
    done = synthetic("new", "http://127.0.0.1:1/api.yaml")
    assert done.code == 1
    assert "http://127.0.0.1:1/api.yaml cannot be fetched" in done.stderr


def test_a_file_is_overwritten_only_if_that_is_asked_for(tmp_path: Path) -> None:
    contract, file = write_contract(tmp_path, crud()), tmp_path / "mine.yaml"
    file.write_text("mine")
    done = synthetic("new", contract, "--output", file)
    assert (done.code, file.read_text()) == (2, "mine")
    assert f"{file} exists: overwrite it with --force" in done.stderr
    assert synthetic("new", contract, "--output", file, "--force").code == 0
    assert yaml.safe_load(file.read_text())["arazzo"] == "1.0.1"
    done = synthetic("new", contract, "--force")
    assert done.code == 2
    assert "--force has no effect without --output" in done.stderr
    done = synthetic("new", contract, "--output", tmp_path / ("a" * 300))
    assert done.code == 2
    assert "cannot be written (File name too long)" in done.stderr
    done = synthetic("new", contract, "--output", tmp_path / "lost" / "mine.yaml")
    assert done.code == 2
    assert "mine.yaml cannot be written (No such file or directory)" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--operation", "GET /thing"],
            "there is no operation GET /thing: did you mean GET /things",
        ),
        (["--tag", "x"], "there is no tag x: there are things"),
        (["--version", "2.0.0"], "--version: invalid choice: '2.0.0'"),
        (["--operation"], "--operation: expected at least one argument"),
    ],
)
def test_an_option_that_names_nothing_is_refused(
    tmp_path: Path, options: list[str], message: str
) -> None:
    paths = crud()
    paths["/things"]["get"]["tags"] = ["things"]
    done = synthetic("new", write_contract(tmp_path, paths), *options)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr


def test_a_tag_of_a_contract_without_tags_is_refused(tmp_path: Path) -> None:
    done = synthetic("new", write_contract(tmp_path, crud()), "--tag", "x")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == "synthetic new: there is no tag x: the contracts have no tags\n"


def test_a_contract_of_deprecated_operations_says_how_to_call_them(tmp_path: Path) -> None:
    old = {"operationId": "old", "deprecated": True, "responses": {"200": {"description": "x"}}}
    contract = write_contract(tmp_path, {"/old": {"get": old}})
    done = synthetic("new", contract)
    message = "synthetic new: all operations are deprecated: name those to call with --operation\n"
    assert (done.code, done.stdout, done.stderr) == (2, "", message)
    assert synthetic("new", contract, "--operation", "old").code == 0


def test_operations_that_no_clean_up_undoes_are_called_only_by_name(tmp_path: Path) -> None:
    reply = {"responses": {"200": {"description": "x"}}}
    restart = {"operationId": "restart", **reply}
    contract = write_contract(tmp_path, {"/restart": {"post": restart}})
    done = synthetic("new", contract)
    assert (done.code, done.stdout) == (2, "")
    assert "the effect of restart is not undone: name it with --operation" in done.stderr
    done = synthetic("new", contract, "--operation", "restart")
    assert done.code == 0
    (workflow,) = yaml.safe_load(done.stdout)["workflows"]
    assert [step["operationId"] for step in workflow["steps"]] == ["restart"]
    other = write_contract(tmp_path, {"/restart": {"post": restart}, **crud()})
    assert "# Left out, because their effect is not undone: restart (POST /restart).\n" in (
        synthetic("new", other).stdout
    )
