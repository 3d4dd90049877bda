"""Iteration over the parts of a contract."""

from collections.abc import Iterator
from typing import Any

from devstack.service_catalog import CONTRACTS
from servicekit.openapi.contract import load_contract, operations

Node = dict[str, Any]

PROBLEM = "application/problem+json"


def load_bundled(service: str) -> Node:
    """Return the bundled contract of a service."""
    return load_contract(CONTRACTS / f"{service}.yaml")


def operations_by_id(contract: Node) -> dict[str, Node]:
    """Return the operations of a contract by their operationId."""
    return {operation["operationId"]: operation for _, _, operation in operations(contract)}


def parameters_of(operation: Node, place: str = "") -> dict[str, Node]:
    """Return an operation's parameters by name, all or those in one place."""
    return {p["name"]: p for p in operation.get("parameters", []) if place in {"", p["in"]}}


def schema_holders(contract: Node) -> Iterator[tuple[str, Node]]:
    """Yield each parameter, header and body, which have a schema and examples."""
    for name, operation in operations_by_id(contract).items():
        for parameter in parameters_of(operation).values():
            yield f"{name} {parameter['name']}", parameter
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} {media}", content
        for status, response in operation["responses"].items():
            for header, spec in response.get("headers", {}).items():
                yield f"{name} {status} {header}", spec
            for media, content in response.get("content", {}).items():
                yield f"{name} {status} {media}", content


def schemas(contract: Node) -> Iterator[tuple[str, Node]]:
    """Yield every schema with its location."""
    for where, holder in schema_holders(contract):
        yield from subschemas(where, holder["schema"])


def subschemas(where: str, schema: Node) -> Iterator[tuple[str, Node]]:
    """Yield a schema and all nested schemas."""
    yield where, schema
    for name, part in schema.get("properties", {}).items():
        yield from subschemas(f"{where}.{name}", part)
    for part in [schema["items"]] if "items" in schema else []:
        yield from subschemas(f"{where}[]", part)
    for part in schema.get("anyOf", []) + schema.get("oneOf", []) + schema.get("allOf", []):
        if part.keys() != {"required"}:  # a constraint of the parent, not a schema
            yield from subschemas(f"{where}|", part)


def examples(holder: Node) -> list[Any]:
    """Return the values of all examples of a parameter, a header, a body or a schema."""
    several = [example["value"] for example in holder.get("examples", {}).values()]
    return several + ([holder["example"]] if "example" in holder else [])
