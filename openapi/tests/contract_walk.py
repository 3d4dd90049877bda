"""Ways through a contract for the tests beside this module."""

from collections.abc import Iterator
from typing import Any

from localstack.catalogue import CONTRACTS as FOLDER
from servicekit.openapi.specification import load_contract, operations

Node = dict[str, Any]

PROBLEM = "application/problem+json"


def bundled(service: str) -> Node:
    """Return a service's contract as one document."""
    return load_contract(FOLDER / f"{service}.yaml")


def named(contract: Node) -> dict[str, Node]:
    """Return the operations of a contract by their operationId."""
    return {operation["operationId"]: operation for _, _, operation in operations(contract)}


def parameters_of(operation: Node, place: str = "") -> dict[str, Node]:
    """Return an operation's parameters by name, all or those in one place."""
    return {p["name"]: p for p in operation.get("parameters", []) if place in {"", p["in"]}}


def carriers(contract: Node) -> Iterator[tuple[str, Node]]:
    """Yield all that has a schema and examples for it: parameters, headers and bodies."""
    for name, operation in named(contract).items():
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
    """Yield every schema there is, with its place."""
    for where, carrier in carriers(contract):
        yield from below(where, carrier["schema"])


def below(where: str, schema: Node) -> Iterator[tuple[str, Node]]:
    """Yield a schema and those within it."""
    yield where, schema
    for name, part in schema.get("properties", {}).items():
        yield from below(f"{where}.{name}", part)
    for part in [schema["items"]] if "items" in schema else []:
        yield from below(f"{where}[]", part)
    for part in schema.get("anyOf", []) + schema.get("oneOf", []) + schema.get("allOf", []):
        if part.keys() != {"required"}:  # a rule for the schema around it rather than one itself
            yield from below(f"{where}|", part)


def examples(holder: Node) -> list[Any]:
    """Return the values of all examples of a parameter, a header, a body or a schema."""
    several = [example["value"] for example in holder.get("examples", {}).values()]
    return several + ([holder["example"]] if "example" in holder else [])
