"""Places of mistakes in Arazzo documents, and documents of other people."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from servicekit.testing import wait_until
from synthetic.probe.arazzo_parser import read_all, read_journey
from synthetic.probe.replay import replay
from synthetic.probe.results import ProbeError
from synthetic.probe.yaml_document import YamlDocument
from tests.support.ports import free_port
from tests.support.synthetic.scripted_api import (
    LIMITS,
    step,
    workflow,
    write_arazzo,
    write_contract,
)

MISTAKES = """\
arazzo: 1.1.0
info: {title: x, version: '1', licence: MIT}
sourceDescriptions:
  - {name: api, url: api.yaml, type: openapi}
  - {name: lost, url: lost.yaml}
  - {name: events, url: events.yaml, type: asyncapi}
workflows:
  - workflowId: first
    inputs:
      $ref: '#/components/inputs/lost'
    steps:
      - stepId: a
        operationId: $sourceDescriptions.api.A
        parameter: []
      - stepId: a
        operationId: $sourceDescriptions.lost.b
      - stepId: b
        operationPath: '{$sourceDescriptions.api.url}#/paths/~1a'
        successCriteria:
          - condition: $statusCode = 200
          - {context: $response.body, condition: '$.x == 1', type: jsonpath}
          - {context: $response.body, condition: x, type: xquery}
      - stepId: c
        operationId: $sourceDescriptions.api.c
        parameters:
          - {name: q, in: query, value: $steps.d.outputs.x}
          - {name: q, in: query, value: 1}
          - {reference: $components.parameters.lost}
          - {name: z, in: query, value: 1}
        requestBody: {payload: {deep: [1, $inputs.lost, $response.body]}}
        onFailure:
          - {name: again, type: retry, retryAfter: -1, retryLimit: 1.5}
          - {name: go, type: goto, stepId: nowhere}
        outputs: {x: plain, 'y z': $statusCode}
      - stepId: d
        workflowId: second
        parameters: [{name: wrong, value: 1}]
      - stepId: e
        channelPath: x
      - stepId: f
        operationId: $sourceDescriptions.events.x
      - stepId: g
  - workflowId: second
    inputs: {type: object, properties: {n: {type: integer}}}
    steps:
      - stepId: a
        operationId: $sourceDescriptions.api.a
        onSuccess: [{name: e, type: end}]
components:
  parameters:
    unused: {name: x}
info: {title: y, version: '1'}
"""
PLACES = [
    "5:18: lost.yaml does not exist",
    "9:5: the inputs refer to #/components/inputs/lost, which does not exist",
    "13:9: the contract api has no operation A; did you mean a?",
    "14:9: a step has no parameter: did you mean parameters?",
    "15:9: two steps have the id a",
    "18:9: {$sourceDescriptions.api.url}#/paths/~1a must end with a method",
    "20:13: the condition $statusCode = 200 has a syntax error before '= 200'",
    "21:39: $.x == 1 is not a JSONPath of RFC 9535",
    "22:53: type must be one of simple, regex, jsonpath, xpath, not xquery",
    "26:34: no earlier step has the output $steps.d.outputs.x",
    "27:13: the parameter q is given twice",
    "28:13: $components.parameters.lost does not exist",
    "29:13: c has no query parameter z",
    "30:57: $response.body: no response is available yet",
    "32:40: retryAfter must be a number from 0",
    "32:56: retryLimit must be an integer from 0",
    "33:36: there is no step nowhere in this workflow",
    "34:19: the output x must be an expression such as $response.body#/id",
    "34:29: the output y z must have letters, digits, . - and _ only",
    "37:22: the workflow second has no input wrong; it has n",
    "38:9: steps of AsyncAPI are not supported",
    "41:9: events is AsyncAPI, which is not supported",
    "42:9: a step needs one of operationId, operationPath, workflowId, and only one",
    "52:1: info is repeated",
]


def test_all_mistakes_are_found_at_once_with_line_and_column(tmp_path: Path) -> None:
    write_contract(tmp_path)
    file = tmp_path / "doc.arazzo.yaml"
    file.write_text(MISTAKES)
    valid, problems = read_all(file)
    assert list(valid) == ["second"]
    texts = [str(problem).removeprefix("doc.arazzo.yaml:") for problem in problems]
    missing = [place for place in PLACES if not any(text.startswith(place) for text in texts)]
    assert missing == []
    assert len(texts) == len(PLACES)


def test_places_are_those_of_json_documents_too(tmp_path: Path) -> None:
    file = write_arazzo(tmp_path, workflow(step("a", "lost")))
    _, (problem,) = read_all(file)
    line = file.read_text().splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith('"operationId"')


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[yes, on, no, 012, 0x1f, 0o17]", ["yes", "on", "no", 12, 31, 15]),
        ("[1e3, 1:30, 2024-01-01, .5, -1]", [1000.0, "1:30", "2024-01-01", 0.5, -1]),
        ("['1', \"true\", ~, '']", ["1", "true", None, ""]),
        ("{a: &x {b: 1}, c: {<<: *x, d: 2}, 200: *x}",
         {"a": {"b": 1}, "c": {"b": 1, "d": 2}, "200": {"b": 1}}),
        ('{"a": [true, null, "\\u00e9"]}', {"a": [True, None, "é"]}),
    ],
)  # fmt: skip
def test_reads_yaml_by_its_version_1_2(tmp_path: Path, text: str, value: Any) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    assert YamlDocument(file).value == value


ALIASES = "\n".join(f"a{i}: &a{i} [{f'*a{i - 1},' * 9 if i else 1}]" for i in range(9))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("&a [*a]", "an alias of itself"),
        (ALIASES, "more than"),
        ("a: !!set {b}", "x.yaml:1:4 is not YAML, line 1: the tag tag:yaml.org,2002:set"),
        ("a: !!binary aGk=", "the tag"),
        ("[a]: 1", "a name is not a scalar"),
        ("a: b\n---\nc: d", "x.yaml:2:1 is not YAML"),
    ],
)
def test_rejects_yaml_beyond_json(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    with pytest.raises(ProbeError) as error:
        YamlDocument(file)
    assert message in str(error.value)


def test_a_document_is_found_by_its_self_and_never_fetched(tmp_path: Path) -> None:
    identity = "https://example.invalid/flows.yaml"
    called = workflow(step("a"), workflow_id="called")
    write_arazzo(tmp_path, called, name="other.yaml", arazzo="1.1.0", **{"$self": identity})
    call = step("call", workflowId="$sourceDescriptions.other.called")
    sources = [
        {"name": "api", "url": "api.yaml", "type": "openapi"},
        {"name": "file", "url": "other.yaml", "type": "arazzo"},
        {"name": "other", "url": identity, "type": "arazzo"},
    ]
    by_file = step("first", workflowId="$sourceDescriptions.file.called")
    file = write_arazzo(tmp_path, workflow(by_file, call), sourceDescriptions=sources)
    assert len(read_journey(file, "w").workflows) == 2
    sources[2]["url"] = "https://example.invalid/lost.yaml"
    file = write_arazzo(tmp_path, workflow(by_file, call), sourceDescriptions=sources)
    with pytest.raises(ProbeError, match="is not fetched: put it beside the document"):
        read_journey(file, "w")


FOLDER = os.environ.get("ARAZZO_CASES", "")
needs_cases = pytest.mark.skipif(
    not FOLDER, reason="ARAZZO_CASES names no folder with the documents and cases of others"
)
FAILING = {
    "c-excl-min-bool-30", "c-format-datetime-30", "c-format-uuid-31", "c-header-required-missing",
    "c-schema-missing-required", "c-schema-recursive-bad", "c-schema-wrong-type",
    "c-status-undeclared", "c-text-plain-schema-bad", "c-format-int32", "jsonpath-empty",
    "regex-null-context", "retry-self-stepid", "cmp-missing-eq-null",
}  # fmt: skip
OPEN = {"c-body-undeclared", "c-nullable-ref-30"}  # the standards leave the verdict open
REQUESTS = {"goto-end": 2, "retry-limit-3": 3, "retry-self-stepid": 7, "wf-actions-merge": 2}


def cases() -> list[Path]:
    """Return the cases of one feature each."""
    return sorted(
        path.parent for path in Path(FOLDER or os.devnull).glob("features/*/a.arazzo.yaml")
    )


@contextmanager
def mock(case: Path, log: Path) -> Iterator[str]:
    """Serve the responses of a case."""
    port = free_port()
    command = [sys.executable, str(case.parent / "mock.py"), str(port), str(case / "routes.json")]
    with subprocess.Popen([*command, str(log)], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: accepts(port), "the mock to start")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def accepts(port: int) -> bool:
    """Return whether a port accepts connections."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@needs_cases
@pytest.mark.parametrize("case", cases(), ids=lambda path: path.name)
def test_cases_of_one_feature_have_the_verdict_of_the_standard(case: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with mock(case, log) as url:
        result = replay("w", url, limits=LIMITS, file=case / "a.arazzo.yaml")
    if case.name not in OPEN:
        assert result.result == ("failed" if case.name in FAILING else "passed"), result.detail
    requests = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(requests) == REQUESTS.get(case.name, len(requests))


# the others break the standard, use extensions of other runners, or lack their description
VALID = (
    "cat-fact-api/auto-cat", "implicit/implicit",
    "inputs-passed-to-step-target-workflow/events",
    "inputs-passed-to-step-target-workflow/inputs-passed-to-step-target-workflow",
    "mask-input-secrets/mask-input-secrets", "max-steps/arazzo", "museum-tickets", "oauth",
    "respect/cafe-menu", "replacements/replacements", "resources/museum-tickets",
    "reusable-components/reusable-components",
    "reveal-masked-input-secrets/reveal-masked-input-secrets", "workflow-failure-actions",
    "server-override-with-console-parameters", "step-on-failure-type-end-action",
    "step-on-success-type-end-action", "workflow-success-actions", "x-security-api-key-auth",
    "x-security-basic-auth", "x-security-bearer-auth", "x-security-oauth2-auth",
    "x-security-on-workflow-level-merged-to-steps", "x-security-open-id-connect-auth",
    "x-security-resolve-scheme-name",
)  # fmt: skip
CAFE = "https://cafe.redocly.com/_bundle/openapi/cafe.yaml"


def documents() -> list[Path]:
    """Return the Arazzo documents of others."""
    found = Path(FOLDER or os.devnull).glob("*/**/*arazzo.yaml")
    return sorted(path for path in found if "features" not in path.parts)


@needs_cases
@pytest.mark.parametrize("file", documents(), ids=lambda path: path.name)
def test_documents_of_others_are_read_or_refused_with_the_place(file: Path) -> None:
    _, problems = read_all(file, {CAFE: Path(FOLDER) / "redocly/resources/cafe.yaml"})
    name = str(file.with_suffix("")).removesuffix(".arazzo")
    is_valid = name.endswith(tuple(f"/{known}" for known in VALID))
    assert bool(problems) is not is_valid, [str(problem) for problem in problems]
    lines = len(file.read_text().splitlines())
    assert all(0 < problem.line <= lines and problem.column for problem in problems)
