"""Parts of the comparison of runners: documents, mock descriptions, inputs and verdicts."""

from pathlib import Path
from typing import Any

import pytest

from tests.runners.commands import Verdict
from tests.runners.descriptions import for_mock
from tests.runners.documents import (
    Document,
    copy_with_sources,
    descriptions,
    find_documents,
)
from tests.runners.sample_inputs import sample_inputs
from tests.runners.table import Comparison, format_document, format_summary
from tests.runners.wanted import Wanted, find_wanted, read_wanted

URL = "https://example.com/api.yaml"


def test_finds_documents_with_the_descriptions_of_all_their_sources(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "api.yaml").write_text("openapi: 3.1.0")
    (folder / "one.yaml").write_text(
        "arazzo: 1.0.1\nsourceDescriptions: [{name: two, url: two.yaml}, {name: no, url: no.yaml}]"
    )
    (folder / "two.yaml").write_text(
        "arazzo: 1.0.1\nsourceDescriptions:\n- {name: api, url: api.yaml}\n"
        "- {name: one, url: one.yaml}\n"
    )
    (folder / "notes.json").write_text("{not yaml")
    found = find_documents([folder])
    assert [document.name for document in found] == ["a/one.yaml", "a/two.yaml"]
    expected = {"api": (folder / "api.yaml").resolve()}
    assert [descriptions(document) for document in found] == [expected, expected]


def test_a_copy_reads_files_in_place_of_urls_and_keeps_its_lines(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    (tmp_path / "copy" / "a").mkdir(parents=True)
    folder.mkdir()
    text = f"arazzo: 1.0.1\nsourceDescriptions:\n- name: x\n  url: {URL}\nworkflows: []\n"
    (folder / "one.yaml").write_text(text)
    (tmp_path / "api.yaml").write_text("openapi: 3.1.0")
    (document,) = find_documents([folder])
    copy_with_sources(document, tmp_path / "copy", {URL: tmp_path / "api.yaml"})
    (copy,) = find_documents([tmp_path / "copy" / "a"])
    assert copy.path.read_text() == text.replace(URL, str(tmp_path / "api.yaml"))
    assert list(descriptions(copy).values()) == [(tmp_path / "api.yaml").resolve()]


def test_responses_of_a_mock_have_no_write_only_properties_and_requests_do() -> None:
    reference = {"$ref": "#/components/schemas/Item"}
    item = {
        "required": ["id", "photo"],
        "properties": {"id": {}, "photo": {"writeOnly": True}, "next": reference},
    }
    media = {"content": {"application/json": {"schema": reference}}}
    inline = {"content": {"application/json": {"schema": {"items": item}}}}
    description = {
        "paths": {
            "/a": {"post": {"requestBody": media, "responses": {"200": media, "201": inline}}}
        },
        "components": {"schemas": {"Item": item}, "responses": {"Item": media}},
    }
    made = for_mock(description)
    operation = made["paths"]["/a"]["post"]
    answer = {"$ref": "#/components/schemas/Item.answer"}
    visible = {"required": ["id"], "properties": {"id": {}, "next": answer}}
    assert made["components"]["schemas"] == {"Item": item, "Item.answer": visible}
    assert operation["requestBody"] == media
    assert operation["responses"]["200"]["content"]["application/json"]["schema"] == answer
    assert operation["responses"]["201"]["content"]["application/json"]["schema"] == {
        "items": visible
    }
    assert made["components"]["responses"]["Item"]["content"]["application/json"] == {
        "schema": answer
    }


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "default": "d", "example": "e"}, "d"),
        ({"type": "string", "examples": ["e", "f"]}, "e"),
        ({"enum": [7, 8]}, 7),
        ({"type": ["integer", "null"]}, 1),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"type": "array", "items": {"type": "boolean"}}, [True]),
        ({"type": "object", "properties": {"b": {"const": None}}}, {"b": None}),
        ({"$ref": "#/components/inputs/x"}, "sample"),
    ],
)
def test_an_input_has_an_example_or_a_value_of_its_type(schema: Any, value: Any) -> None:
    document = {"components": {"inputs": {"x": {"type": "string"}}}}
    workflow = {"inputs": {"type": "object", "properties": {"a": schema}}}
    assert sample_inputs(workflow, document) == {"a": value}


def test_a_workflow_without_named_inputs_gets_none() -> None:
    assert sample_inputs({}, {}) == {}
    assert sample_inputs({"inputs": {"type": "string"}}, {}) == {}


def test_every_listed_verdict_is_known_and_has_its_reason() -> None:
    listed = read_wanted()
    for wanted in listed.values():
        assert set(wanted.verdicts.values()) <= {"failed", "refused"}
        assert wanted.verdicts.keys() <= wanted.notes.keys()
    name = "respect/max-steps/arazzo.yaml"
    assert find_wanted(listed, f"redocly/tests/e2e/{name}") is listed[name]
    assert not find_wanted(listed, f"redocly/not-{name}").is_known


def test_a_verdict_that_is_not_wanted_is_counted_for_its_runner() -> None:
    document = Document(Path("a.yaml"), "a.yaml", {})
    wanted = Wanted({"one": "failed"}, {"one": "the reason"}, is_known=True)
    passed, failed = Verdict("passed"), Verdict("failed", "step: cause")
    both = {"one": passed, "two": passed}
    right = Comparison(document, [], wanted, {"one": failed, "two": passed}, both)
    wrong = Comparison(document, ["1:1: a mistake"], wanted, both, both)
    unknown = Comparison(document, [], Wanted(), both, both)
    assert [right.is_right, wrong.is_right, unknown.is_right] == [True, False, True]
    assert format_summary([right, wrong, unknown]).endswith("synthetic 1, respect 2")
    rows = format_document(right).splitlines()
    assert rows[2].split() == ["one", "failed", "failed", "passed"]
    assert rows[3:5] == ["        synthetic: step: cause", "        note: the reason"]
