"""Load the operations of an OpenAPI contract."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs

from synthetic.probe.documents import DocumentStore, Node
from synthetic.probe.operation import Operation, Validator
from synthetic.probe.results import ProbeError

RESERVED_HEADERS = frozenset(("accept", "content-type", "authorization"))
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def load_operations(documents: DocumentStore, path: Path) -> dict[str, Operation]:
    """Return the operations of the contract at ``path`` by operationId and by JSON pointer.

    Raises:
        ProbeError: the file cannot be read, or is not an OpenAPI 3 document.

    """
    root = documents.root(path)
    version = root.value.get("openapi") if isinstance(root.value, dict) else None
    if not isinstance(version, str) or not version.startswith(("3.0", "3.1")):
        raise ProbeError(f"{path.name} is not an OpenAPI 3.0 or 3.1 document")
    is_3_0 = version.startswith("3.0")
    validator = jsonschema_rs.Draft4Validator if is_3_0 else jsonschema_rs.Draft202012Validator
    try:
        operations = _ContractParser(documents, root, validator).operations()
        return {name: operation for operation in operations for name in names(operation)}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProbeError(
            f"{path.name} is not a valid OpenAPI document: check it with a linter"
        ) from error


class _ContractParser:
    """Parses the operations of one OpenAPI document."""

    def __init__(self, documents: DocumentStore, root: Node, validator: type[Validator]) -> None:
        self._documents = documents
        self._root = root
        self._validator = validator

    def operations(self) -> Iterator[Operation]:
        """Yield all operations; one without an operationId is named by method and path."""
        paths = self._root.get("paths")
        for path, item in paths.items() if paths else []:
            for method in METHODS:
                node = item.get(method)
                if node is not None:
                    yield self._parse_operation(path, method, item, node)

    def _parse_operation(self, path: str, method: str, item: Node, node: Node) -> Operation:
        shared, own = item.get("parameters"), node.get("parameters")
        nodes = [*(shared.elements() if shared else []), *(own.elements() if own else [])]
        responses = node.get("responses")
        operation_id = node.value.get("operationId", f"{method.upper()} {path}")
        if responses is None:
            raise ProbeError(f"{self._root.file.name}: {operation_id} declares no responses")
        return Operation(
            operation_id=operation_id,
            method=method.upper(),
            path=path,
            parameters={
                (n.value["in"], n.value["name"]): bool(n.value.get("required"))
                for n in nodes
                if not _is_reserved(n.value)
            },
            responses=responses,
            token_url=self._token_url(node),
            validator=self._validator,
            documents=self._documents,
        )

    def _token_url(self, operation: Node) -> str:
        """Return the tokenUrl of the client credentials flow (RFC 6749, 4.4), or nothing."""
        requirements = operation.value.get("security", self._root.value.get("security", []))
        components = self._root.get("components")
        schemes = components.get("securitySchemes") if components else None
        for requirement in requirements:
            for name in requirement:
                scheme = schemes.get(name) if schemes else None
                flow = (scheme.value.get("flows", {}) if scheme else {}).get("clientCredentials")
                if flow:
                    return str(flow["tokenUrl"])
        return ""


def names(operation: Operation) -> tuple[str, str]:
    """Return an operation's operationId, and its JSON pointer as a URI fragment."""
    path = operation.path.replace("~", "~0").replace("/", "~1")
    return operation.operation_id, f"#/paths/{path}/{operation.method.lower()}"


def _is_reserved(parameter: Mapping[str, Any]) -> bool:
    """Return whether OpenAPI ignores a parameter in favour of content, responses and security."""
    return parameter["in"] == "header" and parameter["name"].lower() in RESERVED_HEADERS
