"""Bundling of contracts, and their match with the handlers."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from servicekit.auth.tokens import TokenVerifier
from servicekit.openapi.contract import ContractError, load_contract, operations
from servicekit.openapi.operation import Operation
from servicekit.openapi.parameters import Parameters
from servicekit.openapi.resolver import HandlerResolver
from servicekit.openapi.specification import Specification
from servicekit.settings import EX_CONFIG
from servicekit.testing import CONTRACTS


class NoKeys:
    """A key provider without keys."""

    generation = 0

    def get(self, _: str) -> None:
        """Return no key."""


def write(folder: Path, **files: str) -> Path:
    """Write YAML files into a folder and return the path of the first."""
    paths = []
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        paths.append(path)
    return paths[0]


def test_copies_shared_components_into_the_document(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        main="paths: {/x: {get: {responses: {'400': {$ref: common/responses.yaml#/Bad}}}}}",
        common__responses="Bad: {schema: {$ref: schemas.yaml#/Problem}}",
        common__schemas="{Problem: {items: {$ref: '#/Message'}}, Message: {type: string}}",
    )
    document = load_contract(path)
    assert document["paths"]["/x"]["get"]["responses"]["400"] == {
        "$ref": "#/components/responses/Bad"
    }
    assert document["components"] == {
        "responses": {"Bad": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "schemas": {
            "Problem": {"items": {"$ref": "#/components/schemas/Message"}},
            "Message": {"type": "string"},
        },
    }


def test_reports_a_dangling_reference(tmp_path: Path) -> None:
    path = write(tmp_path, main="paths: {$ref: 'common/x.yaml#/Gone'}", common__x="{}")
    with pytest.raises(ContractError, match="Gone"):
        load_contract(path)


def test_reports_a_missing_or_invalid_file(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"nothing\.yaml"):
        load_contract(tmp_path / "nothing.yaml")
    with pytest.raises(ContractError, match=r"main\.yaml"):
        load_contract(write(tmp_path, main="{"))


def resolve(contract: dict[str, object]) -> HandlerResolver:
    """Resolve every operation of a contract against the handlers of clients."""
    specification = Specification(contract)
    resolver = HandlerResolver("clients")
    for path, method, _ in operations(contract):
        specification.operation_cls.from_spec(
            specification, path=path, method=method, resolver=resolver
        )
    return resolver


def test_contract_and_handlers_of_clients_match() -> None:
    resolve(load_contract(CONTRACTS / "clients.yaml")).check()


def test_reports_an_operation_without_a_handler() -> None:
    contract = load_contract(CONTRACTS / "clients.yaml")
    contract["paths"]["/clients/fetch"]["get"]["operationId"] = "clients.missing"
    with pytest.raises(ContractError, match=r"clients\.missing has no handler") as caught:
        resolve(contract).check()
    assert "handler clients.list_all has no operation" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["info"], {}, r"at info: .*title"),
        (["openapi"], "2.9", "at openapi"),
        (["paths", "/clients/fetch", "get", "responses"], None, "/clients/fetch > get > responses"),
        (
            ["paths", "/clients/fetch", "get", "parameters"],
            [{"name": "x", "in": "body", "schema": {}}],
            "parameters > 0 > in",
        ),
        (["components", "schemas", "Client", "type"], "text", "schemas > Client > type"),
    ],
)
def test_rejects_an_invalid_contract_and_names_the_location(
    path: list[str], value: object, message: str
) -> None:
    contract = load_contract(CONTRACTS / "clients.yaml")
    node: Any = contract
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    with pytest.raises(ContractError, match=message):
        Specification(contract)


def test_accepts_statuses_as_numbers(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        main="""
            openapi: 3.0.3
            info: {title: Statuses, version: '1'}
            paths: {/x: {get: {responses: {200: {description: Well}}}}}
        """,
    )
    assert Specification(load_contract(path))["paths"]["/x"]["get"]["responses"].keys() == {"200"}


@pytest.mark.parametrize("default", [0, "many"])
def test_rejects_a_default_that_violates_its_schema(default: object) -> None:
    limit: Any = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1}}
    limit["schema"]["default"] = default
    with pytest.raises(ContractError, match="limit"):
        Parameters([limit], strict=True)


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"name": "price", "in": "query", "schema": {}}, "price needs a type"),
        ({"name": "price", "in": "query", "schema": {"enum": [1, 2]}}, "price needs a type"),
        ({"name": "price", "in": "query", "schema": {"type": "number"}}, "price needs a type"),
        ({"name": "price", "in": "query", "schema": {"type": "array"}}, "price needs a type"),
        ({"name": "price", "in": "cookie", "schema": {"type": "string"}}, "price is in cookie"),
    ],
)
def test_rejects_a_parameter_that_cannot_be_read(
    parameter: dict[str, object], message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        Parameters([parameter], strict=True)


@pytest.mark.parametrize(
    ("path", "method", "change", "message"),
    [
        ("/clients/fetch", "get", "add", "clients.list_all does not take price"),
        ("/clients/fetch/{client_id}", "get", "add", "clients.fetch does not take price"),
        ("/clients/create", "post", "add", "clients.create does not take price"),
        ("/clients/fetch/{client_id}", "get", "remove", "clients.fetch needs client_id"),
        ("/clients/create", "post", "remove body", "clients.create needs body"),
        ("/clients/fetch/{client_id}", "get", "add body", "clients.fetch does not take body"),
    ],
)
def test_reports_a_handler_whose_signature_differs_from_the_contract(
    path: str, method: str, change: str, message: str
) -> None:
    contract = load_contract(CONTRACTS / "clients.yaml")
    operation: Any = contract["paths"][path][method]
    price = {"name": "price", "in": "query", "schema": {"type": "integer"}}
    if change == "add":
        operation.setdefault("parameters", []).append(price)
    elif change == "remove":
        operation["parameters"] = []
    elif change == "add body":
        operation["requestBody"] = contract["paths"]["/clients/create"]["post"]["requestBody"]
    else:
        del operation["requestBody"]
    specification = Specification(contract)
    parsed = specification.operation_cls.from_spec(
        specification, path=path, method=method, resolver=HandlerResolver("clients")
    )
    with pytest.raises(ContractError, match=message):
        Operation(parsed, TokenVerifier(NoKeys(), issuer="issuer", audience="audience", leeway=0))


def test_service_does_not_start_if_contract_and_handlers_differ(tmp_path: Path) -> None:
    contracts = shutil.copytree(CONTRACTS, tmp_path / "openapi")
    contract = contracts / "clients.yaml"
    text = contract.read_text().replace(
        "operationId: clients.exists\n", "operationId: clients.new\n", 1
    )
    contract.write_text(text)
    secret = tmp_path / "secret"
    secret.write_text("not-secret-in-tests")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "from clients.app import create_app; create_app()"],
        env={
            "DATABASE_URL": "postgresql://postgres@127.0.0.1:9/nothing",
            "CONTRACTS_DIR": str(contracts),
            "JWKS_URL": "http://127.0.0.1:9/users/jwks.json",
            "TOKEN_URL": "http://127.0.0.1:9/users/token",
            "INVENTORY_URL": "http://127.0.0.1:9",
            "SERVICE_CLIENT_ID": "clients",
            "SERVICE_CLIENT_SECRET_FILE": str(secret),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == EX_CONFIG
    assert "operation clients.new has no handler" in done.stderr
    assert "handler clients.exists has no operation" in done.stderr
    assert "Traceback" not in done.stderr
