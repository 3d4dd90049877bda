"""Operations of the contracts: paths, security, parameters and responses."""

import re

import pytest
import yaml
from openapi_spec_validator import validate

from devstack.service_catalog import CONTRACTS, SERVICES
from servicekit.openapi.contract import operations
from tests.support.openapi.contract_parts import (
    PROBLEM,
    Node,
    load_bundled,
    operations_by_id,
    parameters_of,
    schema_holders,
)

# All published calls. Removing one breaks clients.
CALLS = """
    POST /users/create     POST /users/login   GET /users/health   POST /users/token
    POST /user/create      POST /user/login    GET /user/health    GET /users/jwks.json

    POST /clients/create               GET /clients/fetch    GET /clients/fetch/{client_id}
    PUT /clients/update/{client_id}    DELETE /clients/delete/{client_id}
    GET /clients/exists/{client_id}    GET /clients/health
    POST /address/create               GET /address/fetch    GET /address/fetch/{client_id}
    PUT /address/update/{address_id}   DELETE /address/delete/{address_id}

    POST /products/create              GET /products/fetch   GET /products/fetch/{product_id}
    PUT /products/update/{product_id}  DELETE /products/delete/{product_id}
    GET /products/exists/{product_id}  GET /products/health

    POST /inventory/add_product        DELETE /inventory/remove_product/{item_id}
    GET /inventory/list_products_ids/{client_id}
    GET /inventory/list_products_id/{client_id}
    DELETE /inventory/remove_many      DELETE /inventory/remove_products
    GET /inventory/health
"""


@pytest.mark.parametrize("service", SERVICES)
def test_contracts_are_valid_openapi(service: str) -> None:
    bundle = load_bundled(service)
    assert bundle["openapi"] == "3.0.3"
    validate(bundle)


def test_contracts_contain_exactly_the_published_calls() -> None:
    contracts = [load_bundled(service) for service in SERVICES]
    held = [f"{verb.upper()} {path}" for c in contracts for path, verb, _ in operations(c)]
    words = CALLS.split()
    assert sorted(held) == sorted(f"{v} {p}" for v, p in zip(words[::2], words[1::2], strict=True))


def test_paths_are_absolute(contract: Node) -> None:
    assert "servers" not in contract


def test_operation_ids_are_unique_and_well_formed(contract: Node) -> None:
    names = [operation["operationId"] for _, _, operation in operations(contract)]
    form = re.compile(r"[a-z]+\.[a-z_]+(\.alias)?")
    assert [name for name in names if not form.fullmatch(name)] == []
    assert len(names) == len(set(names))


def test_operations_have_summary_description_and_tags(contract: Node) -> None:
    tags = {tag["name"] for tag in contract["tags"] if tag["description"]}
    for name, operation in operations_by_id(contract).items():
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= tags, name


def test_parameters_headers_and_responses_have_descriptions(contract: Node) -> None:
    answers = [
        (f"{name} {status}", response)
        for name, operation in operations_by_id(contract).items()
        for status, response in operation["responses"].items()
    ]
    plain = [(where, carrier) for where, carrier in schema_holders(contract) if "/" not in where]
    assert [where for where, part in answers + plain if not part.get("description")] == []


def test_every_response_has_the_request_id(contract: Node) -> None:
    for name, operation in operations_by_id(contract).items():
        for status, response in operation["responses"].items():
            assert "X-Request-ID" in response["headers"], f"{name} {status}"


def test_responses_are_json_and_errors_are_problem_details(contract: Node) -> None:
    for name, operation in operations_by_id(contract).items():
        for status, response in operation["responses"].items():
            media = PROBLEM if status >= "400" else "application/json"
            content = response.get("content", {})
            assert list(content) == [media] * (status != "304"), f"{name} {status}"
            if status >= "400":
                assert "msg" in content[media]["schema"]["required"], f"{name} {status}"


def test_security_and_its_error_responses_are_declared(contract: Node) -> None:
    scopes = contract["components"]["securitySchemes"]["token"]["flows"]["clientCredentials"]
    for name, operation in operations_by_id(contract).items():
        answers = operation["responses"].keys() & {"401", "403"}
        is_open = name.split(".")[1] in {"health", "jwks"}
        assert (operation["security"] == []) is is_open, name
        if {"basic": []} in operation["security"]:
            assert answers == {"401"}, name
            continue
        assert answers == (set() if is_open else {"401", "403"}), name
        for requirement in operation["security"]:
            assert requirement == {} or len(requirement["token"]) == 1, name
            assert set(requirement.get("token", [])) <= scopes["scopes"].keys(), name


def test_only_registration_has_optional_authentication(contract: Node) -> None:
    optional = {
        name
        for name, operation in operations_by_id(contract).items()
        if {} in operation["security"]
    }
    assert optional <= {"users.create", "users.create.alias"}


@pytest.mark.parametrize(
    ("place", "parameter", "statuses"),
    [
        ("path", "", {"400"}),
        ("query", "", {"400"}),
        ("header", "If-Match", {"412"}),
        ("header", "If-None-Match", {"412"}),
        ("header", "Idempotency-Key", {"409", "422"}),
    ],
)
def test_responses_to_parameters_are_declared(
    contract: Node, place: str, parameter: str, statuses: set[str]
) -> None:
    for name, operation in operations_by_id(contract).items():
        found = parameters_of(operation, place)
        if parameter in found or (found and not parameter):
            assert statuses <= operation["responses"].keys(), name
        elif parameter:
            assert not statuses & operation["responses"].keys() - {"409"}, name


def test_not_modified_is_declared_for_conditional_reads_alone(contract: Node) -> None:
    conditional = {
        operation["operationId"]
        for _, method, operation in operations(contract)
        if method == "get" and "If-None-Match" in parameters_of(operation, "header")
    }
    declared = {
        name
        for name, operation in operations_by_id(contract).items()
        if "304" in operation["responses"]
    }
    assert declared == conditional


def test_responses_to_bodies_are_declared(contract: Node) -> None:
    for name, operation in operations_by_id(contract).items():
        declared = operation["responses"].keys() & {"413", "415"}
        assert declared == ({"413", "415"} if "requestBody" in operation else set()), name


def test_retryable_responses_have_retry_after(contract: Node) -> None:
    for name, operation in operations_by_id(contract).items():
        waits = {"429", "503"} | (
            {"409"} if "Idempotency-Key" in parameters_of(operation) else set()
        )
        for status in operation["responses"].keys() & waits:
            assert "Retry-After" in operation["responses"][status]["headers"], f"{name} {status}"


def test_collections_are_paginated(contract: Node) -> None:
    for name, operation in operations_by_id(contract).items():
        answer = operation["responses"].get("200", {"headers": {}})
        content = answer.get("content", {}).get("application/json", {"schema": {"type": ""}})
        if content["schema"]["type"] == "array":
            assert {"limit", "after"} <= parameters_of(operation, "query").keys(), name
            assert "Link" in answer["headers"], name


def test_aliases_equal_their_original_operation(contract: Node) -> None:
    own = {"operationId", "x-alias-of", "deprecated", "summary", "description"}
    by_name = operations_by_id(contract)
    for name, operation in by_name.items():
        original = operation.get("x-alias-of", name)
        is_alias = original != name
        assert name == original + ".alias" * is_alias
        assert operation.get("deprecated", False) is is_alias, name
        for part in (operation.keys() | by_name[original].keys()) - own:
            assert operation[part] == by_name[original][part], f"{name} {part}"


def test_links_have_valid_targets(contract: Node) -> None:
    by_name = operations_by_id(contract)
    for name, operation in by_name.items():
        for response in operation["responses"].values():
            for link in response.get("links", {}).values():
                target = by_name[link["operationId"]]
                assert link.get("parameters", {}).keys() <= parameters_of(target).keys(), name
                assert "requestBody" in target or "requestBody" not in link, name


def shared_parts() -> set[tuple[str, str]]:
    """Return the kind and the name of each part that the contracts share."""
    return {
        (file.stem, name)
        for file in CONTRACTS.glob("common/*.yaml")
        for name in yaml.safe_load(file.read_bytes())
    }


def test_every_shared_component_is_used() -> None:
    bundles = [load_bundled(service) for service in SERVICES]
    parts = [part for bundle in bundles for part in bundle["components"].items()]
    used = {(kind, name) for kind, group in parts for name in group}
    assert shared_parts() - used == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_component_of_a_contract_is_used(service: str) -> None:
    text = (CONTRACTS / f"{service}.yaml").read_text()
    parts = yaml.safe_load(text)["components"]
    del parts["securitySchemes"]  # operations name these instead of referencing them
    own = {(kind, name) for kind, group in parts.items() for name in group}
    assert [part for part in own if "'#/components/{}/{}'".format(*part) not in text] == []
    assert own & shared_parts() == set(), "bundling would overwrite one with the other"
