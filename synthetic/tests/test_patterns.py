"""Patterns of contracts and criteria, as browsers read them (ECMA-262, with its annex B)."""

from pathlib import Path
from typing import Any

import pytest

from synthetic.probe.regular_expressions import compile_pattern
from synthetic.probe.results import ProbeError, RunResult
from tests.support.synthetic.mock_api import Document, MockApi, call, check_response, write_call

EMAIL = r"^[\w-\.]+@([\w-]+\.)+[\w-]{2,4}$"
CASES = [
    (EMAIL, "a-b@c.com", True),
    (EMAIL, "a b@c.com", False),
    (r"^[^\<\>]*$", "abc", True),
    (r"^[^\<\>]*$", "a<b", False),
    (r"^\w+\<\w+\>$", "List<int>", True),
    (r"^[\w-.]+$", "a-.", True),
    (r"^[\d-x]+$", "5-x", True),
    (r"^[\p{L}-]+$", "é-", True),
    (r"^[a-zA-Z0-9-_]+$", "a-_Z9", True),
    (r"^[+--]$", ",", True),
    (r"^[^-a]$", "-", False),
    (r"^[\b]$", "\b", True),
    (r"^[]$", "a", False),
    (r"^[^]$", "\n", True),
    (r"^{a}$", "{a}", True),
    (r"^a]}$", "a]}", True),
    (r"^[a-z]{,3}$", "a{,3}", True),
    (r"^a{2,}$", "aaa", True),
    (r"^\\<[\\<]$", "\\<\\", True),
    (r"^\u{41}\x41\u0041$", "AAA", True),
]


def check_json(folder: Path, schema: Document, body: bytes, version: str) -> RunResult:
    """Return the result of a call whose JSON response has a schema."""
    content = {"content": {"application/json": {"schema": schema}}}
    header = ("Content-Type", "application/json")
    return check_response(folder, content, body, header, contract={"openapi": version})


@pytest.mark.parametrize(("pattern", "text", "matches"), CASES)
def test_a_pattern_matches_as_in_browsers(pattern: str, text: str, matches: bool) -> None:  # noqa: FBT001 - the expectation
    assert compile_pattern(pattern)(text) is matches


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize("name", ["a-b@c.com", "a b@c.com"])
def test_contracts_and_criteria_read_patterns_alike(
    tmp_path: Path, version: str, name: str
) -> None:
    wanted = "passed" if name == "a-b@c.com" else "failed"
    body = f'"{name}"'.encode()
    assert check_json(tmp_path, {"pattern": EMAIL}, body, version).result == wanted
    members = {"patternProperties": {EMAIL: {}}, "additionalProperties": False}
    if version == "3.1.0":
        assert check_json(tmp_path, members, b'{"%s": 1}' % name.encode(), version).result == wanted
    criterion: Any = {"condition": EMAIL, "context": "$response.body", "type": "regex"}
    operation = {"responses": {"200": {"description": "d", "content": {"*/*": {}}}}}
    file = write_call(tmp_path, operation, {"successCriteria": [criterion]})
    headers = [("Content-Type", "application/json")]
    assert call(file, MockApi(headers=headers, body=body))[0].result == wanted


@pytest.mark.parametrize("pattern", ["[a", "(a", "a\\", "*a", "[z-a]", "a{3,2}", "\\", "[", "[^"])
def test_an_invalid_pattern_is_rejected(pattern: str) -> None:
    with pytest.raises(ProbeError, match="is not a regular expression"):
        compile_pattern(pattern)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_an_invalid_pattern_of_a_contract_is_named_with_its_place(
    tmp_path: Path, version: str
) -> None:
    schema = {"properties": {"a": {"pattern": "^ok$"}, "b": {"pattern": "(a"}}}
    result = check_json(tmp_path, schema, b"{}", version)
    assert (result.result, result.reason) == ("error", "runner")
    assert "(a is not a regular expression of ECMA-262" in result.detail
    assert "/schema/properties/b/pattern)" in result.detail
