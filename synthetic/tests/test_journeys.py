"""Parsing and validation of journeys."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from synthetic.probe.catalog import load_journey
from synthetic.probe.generators import GENERATORS
from synthetic.probe.inputs import generate_inputs
from synthetic.probe.replay import replay
from synthetic.probe.results import ProbeError
from tests.support.synthetic.mock_shop import (
    CONTRACT,
    CREDENTIALS,
    MockShop,
    replay_journey,
    write_journey,
)

Document = dict[str, Any]


def test_generates_different_inputs_for_each_run() -> None:
    schema = {"properties": {name: {"x-generate": name} for name in GENERATORS}}
    first, second = generate_inputs(schema), generate_inputs(schema)
    assert all(first[name] != second[name] for name in GENERATORS)
    assert first["email"].endswith("@example.invalid")


def test_a_workflow_names_generators_beside_its_inputs(shop: MockShop, tmp_path: Path) -> None:
    def change(document: Document) -> None:
        workflow = document["workflows"][0]
        workflow["inputs"] = {"type": "object", "properties": {"name": {"type": "string"}}}
        workflow["x-generate"] = {"name": "name"}

    journey = load_journey("things", write_journey(tmp_path, change))
    assert generate_inputs(journey.inputs)["name"].startswith("Probe ")
    assert replay_journey(shop.url, write_journey(tmp_path, change)).result == "passed"


def step(document: Document, index: int = 0) -> Document:
    """Return a step of the mock shop's journey."""
    found: Document = document["workflows"][0]["steps"][index]
    return found


INVALID_CHANGES: list[tuple[Callable[[Document], Any], str]] = [
    (lambda d: d.update(arazzo="2.0.0"), "arazzo"),
    (lambda d: d.pop("info"), "info"),
    (lambda d: d["workflows"][0].update(dependsOn=["other"]), "there is no workflow other"),
    (lambda d: d["workflows"][0].update(dependsOn=["things"]), "cycle: things -> things"),
    (lambda d: d["workflows"][0].update(workflowId="others"), "it has others"),
    (lambda d: step(d).update(operationPath="/things"), "operationPath"),
    (lambda d: step(d).update(onSuccess=[{"name": "on", "type": "retry"}]), "one of end, goto"),
    (lambda d: step(d).update(onFailure=[{"name": "on", "type": "goto"}]), "to go to"),
    (lambda d: step(d).update(onSucces=[]), "did you mean onSuccess?"),
    (
        lambda d: step(d).update(onFailure=[{"name": "a", "type": "retry", "stepId": "lost"}]),
        "there is no step lost in this workflow",
    ),
    (lambda d: step(d).update(operationId="$sourceDescriptions.shop.sell"), "no operation sell"),
    (lambda d: step(d).update(operationId="$sourceDescriptions.mall.create"), "mall"),
    (lambda d: d["sourceDescriptions"][0].update(url="mall.yaml"), "mall.yaml"),
    (
        lambda d: d["sourceDescriptions"][0].update(url="http://127.0.0.1:1/b.yaml"),
        "http://127.0.0.1:1/b.yaml cannot be fetched",
    ),
    (lambda d: step(d, 1).update(parameters=[]), "needs the path parameter id"),
    (
        lambda d: step(d, 1)["parameters"].append({"name": "x", "in": "query", "value": 1}),
        "fetch has no query parameter x",
    ),
    (
        lambda d: step(d, 1)["parameters"].append({"name": "x", "in": "cookie", "value": 1}),
        "cookie",
    ),
    (lambda d: step(d, 1).update(stepId="make"), "two steps have the id make"),
    (lambda d: step(d)["requestBody"].update(payload="$inputs.colour"), "no input colour"),
    (lambda d: step(d)["requestBody"].update(payload="$steps.look.outputs.id"), "no earlier step"),
    (
        lambda d: step(d)["requestBody"].update(payload="$response.body"),
        "no response is available yet",
    ),
    (lambda d: step(d)["requestBody"].update(payload="$outputs.x"), "is not supported"),
    (lambda d: step(d).update(successCriteria=[{"condition": "x", "type": "xpath"}]), "xpath"),
    (
        lambda d: d["workflows"][0]["inputs"].update(properties={"$ref": "#/lost"}, required=[]),
        "there is no input name",
    ),
    (
        lambda d: d["workflows"][0]["inputs"]["properties"].update(a={"x-generate": "iban"}),
        "x-generate is one of cpf",
    ),
    (
        lambda d: d["workflows"][0].update({"x-generate": {"name": "iban"}}),
        "x-generate is one of cpf",
    ),
    (lambda d: d["workflows"][0].update({"x-generate": {"a": "cpf"}}), "no input a to generate"),
    (
        lambda d: d["workflows"][0]["inputs"]["properties"].update(a={"x-generate": "basic"}),
        "needs the inputs username and password",
    ),
    (
        lambda d: step(d)["x-cleanup"].update({"x-cleanup": step(d, 1)}),
        "must not have an x-cleanup",
    ),
]


@pytest.mark.parametrize(("change", "message"), INVALID_CHANGES)
def test_rejects_an_invalid_journey_and_names_the_place(
    tmp_path: Path, change: Callable[[Document], Any], message: str
) -> None:
    file = write_journey(tmp_path, change)
    with pytest.raises(ProbeError, match=r"things\.arazzo\.yaml") as error:
        load_journey("things", file)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not YAML, line"),
        ("[" * 4_000, "things.arazzo.yaml"),
        ("just text", "the document"),
        ("x" * 3_000_000, "larger than"),
        ("- x\n" * 250_000, "the document"),  # as much as a ConfigMap can hold
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
    ],
)
def test_rejects_a_file_that_is_not_an_arazzo_document(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "things.arazzo.yaml"
    file.write_text(text)
    with pytest.raises(ProbeError) as error:
        load_journey("things", file)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        ({"swagger": "2.0"}, "not an OpenAPI 3.0, 3.1 or 3.2 document"),
        ({**CONTRACT, "paths": {"/things": {"$ref": "lost.yaml#/x"}}}, "lost.yaml"),
        ({**CONTRACT, "paths": {"/things": {"$ref": "parts.yaml#/Lost"}}}, "parts.yaml#/Lost"),
        (
            {**CONTRACT, "paths": {"/things": {"post": 5}}},
            "shop.yaml is not a valid OpenAPI document",
        ),
        ({**CONTRACT, "security": 5}, "shop.yaml is not a valid OpenAPI document"),
        (
            {**CONTRACT, "paths": {"/things": {"post": {"operationId": "create"}}}},
            "create declares no responses",
        ),
    ],
)
def test_rejects_an_invalid_contract(tmp_path: Path, contract: Document, message: str) -> None:
    file = write_journey(tmp_path)
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(contract))
    with pytest.raises(ProbeError) as error:
        load_journey("things", file)
    assert message in str(error.value)


def test_supports_contracts_of_openapi_3_1(shop: MockShop, journey: Path, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump({**CONTRACT, "openapi": "3.1.0"}))
    assert replay_journey(shop.url, journey).result == "passed"


def test_a_shipped_contract_never_replaces_a_missing_one(tmp_path: Path) -> None:
    file = write_journey(tmp_path)
    file.write_text(file.read_text().replace("shop.yaml", "clients.yaml"))
    with pytest.raises(ProbeError, match=r"yaml:\d+:\d+: clients\.yaml does not exist"):
        load_journey("things", file)


def test_a_required_input_without_a_value_is_an_error_before_the_first_request(
    shop: MockShop, tmp_path: Path
) -> None:
    def change(document: Document) -> None:
        inputs = document["workflows"][0]["inputs"]
        inputs["properties"]["age"] = {"type": "integer"}
        inputs["required"] = ["age"]

    with pytest.raises(ProbeError, match="the input age needs a default, or x-generate: cpf"):
        replay_journey(shop.url, write_journey(tmp_path, change))
    assert shop.calls == []


def test_a_journey_with_token_requires_credentials(shop: MockShop, journey: Path) -> None:
    with pytest.raises(ProbeError, match="needs a token: name a folder"):
        replay("things", shop.url, None, file=journey)
    assert replay("things", shop.url, CREDENTIALS, file=journey).result == "passed"


def test_an_invalid_http_request_is_an_error_of_the_journey(shop: MockShop, tmp_path: Path) -> None:
    def breaking(document: Document) -> None:
        header = {"name": "X-Note", "in": "header", "value": "two\nlines"}
        step(document, 1)["parameters"].append(header)

    outcome = replay_journey(shop.url, write_journey(tmp_path, breaking))
    assert (outcome.result, outcome.step, outcome.reason) == ("error", "look", "runner")
    assert shop.things == {}


def test_a_cleanup_may_send_an_object_of_the_response(shop: MockShop, tmp_path: Path) -> None:
    def with_body(document: Document) -> None:
        step(document)["outputs"]["thing"] = "$response.body"
        payload = {"thing": "$steps.make.outputs.thing"}
        step(document)["x-cleanup"]["requestBody"] = {"payload": payload}

    outcome = replay_journey(shop.url, write_journey(tmp_path, with_body))
    assert (outcome.result, outcome.detail) == ("passed", "")
    assert shop.things == {}


def test_sends_a_date_in_a_payload_as_written(shop: MockShop, tmp_path: Path) -> None:
    file = write_journey(tmp_path)
    text = file.read_text()
    assert "name: $inputs.name" in text
    text = text.replace("name: $inputs.name", "name: 2024-11-01")
    file.write_text(text.replace("== $inputs.name", "== '2024-11-01'"))
    assert replay_journey(shop.url, file).result == "passed"


def test_retries_a_step_until_its_retry_limit(shop: MockShop, tmp_path: Path) -> None:
    def retrying(document: Document) -> None:
        step(document, 1)["successCriteria"][1]["condition"] = "$response.body#/name == 'later'"
        retry = {"name": "wait", "type": "retry", "retryAfter": 0.01}
        only = [{"condition": "$statusCode == 200"}]
        step(document, 1)["onFailure"] = [{**retry, "retryLimit": 3, "criteria": only}]

    file = write_journey(tmp_path, retrying)
    outcome = replay_journey(shop.url, file)
    assert (outcome.reason, outcome.step) == ("assertion", "look")
    assert [told.request_count for told in outcome.steps if told.step_id == "look"] == [4]


def test_validates_an_inline_schema_below_a_path_with_a_parameter(
    shop: MockShop, journey: Path, tmp_path: Path
) -> None:
    contract = copy.deepcopy(CONTRACT)
    schema = {"type": "object", "required": ["id", "name", "colour"]}
    operation = contract["paths"]["/things/{id}"]["get"]
    content = {"application/json": {"schema": schema}}
    operation["responses"]["200"] = {"description": "a thing", "content": content}
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(contract))
    outcome = replay_journey(shop.url, journey)
    assert (outcome.step, outcome.reason) == ("look", "schema")
    assert "colour" in outcome.detail
    assert shop.things == {}
