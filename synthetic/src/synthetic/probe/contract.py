"""A service's OpenAPI contract: its operations, and whether an answer is what they declare."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs

from synthetic.probe.documents import DocumentStore, Node
from synthetic.probe.http import Response
from synthetic.probe.results import ProbeError, StepError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
BODYLESS_STATUSES = frozenset((204, 304))

Validator = jsonschema_rs.Draft4Validator | jsonschema_rs.Draft202012Validator


@dataclass(slots=True)
class Operation:
    """One operation of a contract."""

    operation_id: str
    method: str
    path: str
    parameters: dict[tuple[str, str], bool]  # (place, name) -> whether it is required
    responses: Node
    token_path: str  # where a token that opens it is to be had; empty when none does
    validator: type[Validator]
    documents: DocumentStore
    _validators: dict[str, Validator] = field(default_factory=dict)

    def check_response(self, answer: Response) -> None:
        """Make sure that an answer is one that the contract declares.

        Raises:
            StepError: with the reason schema; it names the place, and no value.

        """
        declared = self._declared_response(answer.status)
        for name, header in headers.items() if (headers := declared.get("headers")) else []:
            self._check_header(name, header, answer.headers.get(name.lower()))
        content = declared.get("content")
        if content is None or not content.value:
            if answer.body:
                raise StepError("schema", f"{answer.status} came with a body, and none is declared")
            return
        if self.method == "HEAD" or answer.status in BODYLESS_STATUSES:
            return
        self._check_body(content, answer)

    def _declared_response(self, status: int) -> Node:
        for key in (str(status), f"{status // 100}XX", "default"):
            found = self.responses.get(key)
            if found is not None:
                return found
        raise StepError("schema", f"the contract does not declare the status {status}")

    def _check_header(self, name: str, header: Node, value: str | None) -> None:
        if value is None:
            if header.value.get("required"):
                raise StepError("schema", f"the header {name} is missing")
            return
        schema = header.get("schema")
        if schema is None:
            return
        is_number = schema.value.get("type") in {"integer", "number"}
        self._check_schema(
            schema, _parse_number(value) if is_number else value, f"the header {name}"
        )

    def _check_body(self, content: Node, answer: Response) -> None:
        media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        described = content.get(media)
        if described is None:
            named = media if media.isprintable() and len(media) < 100 else "something else"  # noqa: PLR2004
            raise StepError("schema", f"{answer.status} came as {named or 'nothing'}")
        schema = described.get("schema")
        if schema is None or not media.endswith("json"):
            return
        try:
            body = json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise StepError("schema", f"the body of {answer.status} is not JSON") from error
        self._check_schema(schema, body, f"the body of {answer.status}")

    def _check_schema(self, schema: Node, value: Any, what: str) -> None:  # noqa: ANN401 - any JSON
        if schema.uri not in self._validators:
            self._validators[schema.uri] = self.validator(
                {"$ref": schema.uri},
                retriever=self.documents.retrieve,
                mask="the value",
                validate_formats=True,
            )
        error = next(self._validators[schema.uri].iter_errors(value), None)
        if error is not None:
            place = "/".join(map(str, error.instance_path))
            where = f"{what} at {place}" if place else what
            raise StepError("schema", f"{where}: {error.message}")


def load_operations(documents: DocumentStore, path: Path) -> dict[str, Operation]:
    """Return the operations of the contract at ``path`` by their operationId.

    Raises:
        UsageError: it cannot be read, or is no OpenAPI 3 document.

    """
    root = documents.root(path)
    version = root.value.get("openapi") if isinstance(root.value, dict) else None
    if not isinstance(version, str) or not version.startswith(("3.0", "3.1")):
        raise ProbeError(f"{path.name} is no OpenAPI 3.0 or 3.1 document")
    is_old = version.startswith("3.0")
    validator = jsonschema_rs.Draft4Validator if is_old else jsonschema_rs.Draft202012Validator
    try:
        return dict(_parse_operations(documents, root, validator))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProbeError(
            f"{path.name} is no sound OpenAPI document: check it with a linter"
        ) from error


def _parse_operations(
    documents: DocumentStore, root: Node, validator: type[Validator]
) -> Iterator[tuple[str, Operation]]:
    paths = root.get("paths")
    for route, item in paths.items() if paths else []:
        for method in METHODS:
            node = item.get(method)
            if node is not None and "operationId" in node.value:
                operation = _parse_operation(documents, root, route, method, item, node, validator)
                yield operation.operation_id, operation


def _parse_operation(
    documents: DocumentStore,
    root: Node,
    route: str,
    method: str,
    item: Node,
    node: Node,
    validator: type[Validator],
) -> Operation:
    shared, own = item.get("parameters"), node.get("parameters")
    nodes = [*(shared.elements() if shared else []), *(own.elements() if own else [])]
    parameters = {(n.value["in"], n.value["name"]): bool(n.value.get("required")) for n in nodes}
    responses = node.get("responses")
    if responses is None:
        raise ProbeError(f"{root.file.name}: {node.value['operationId']} declares no responses")
    token_path = _token_path(root, node)
    name = node.value["operationId"]
    return Operation(
        name, method.upper(), route, parameters, responses, token_path, validator, documents
    )


def _token_path(root: Node, operation: Node) -> str:
    """Return where to get a token for an operation by client credentials (RFC 6749, 4.4)."""
    requirements = operation.value.get("security", root.value.get("security", []))
    components = root.get("components")
    schemes = components.get("securitySchemes") if components else None
    for requirement in requirements:
        for name in requirement:
            scheme = schemes.get(name) if schemes else None
            flow = (scheme.value.get("flows", {}) if scheme else {}).get("clientCredentials")
            if flow:
                return str(flow["tokenUrl"])
    return ""


def _parse_number(text: str) -> Any:  # noqa: ANN401 - a number, or the text that is none
    try:
        return json.loads(text)
    except ValueError:
        return text
