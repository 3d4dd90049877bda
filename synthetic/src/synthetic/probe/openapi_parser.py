"""Load the operations of an OpenAPI 3.0, 3.1 or 3.2 contract."""

from collections.abc import Iterator
from pathlib import Path

from synthetic.probe.documents import DocumentStore, Node
from synthetic.probe.operation import Operation
from synthetic.probe.parameter_values import ParameterSpec, parse_parameter
from synthetic.probe.results import ProbeError
from synthetic.probe.schema_bundler import Dialect
from synthetic.probe.schemas import DIALECTS, SchemaCompiler
from synthetic.probe.security import parse_security
from synthetic.probe.servers import server_url

RESERVED_HEADERS = frozenset(("accept", "content-type", "authorization"))
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
VERSIONS = ("3.0", "3.1", "3.2")
JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def load_operations(documents: DocumentStore, location: Path | str) -> dict[str, Operation]:
    """Return the operations of a contract by operationId and by JSON pointer.

    Raises:
        ProbeError: the contract cannot be read, or is not an OpenAPI 3 document.

    """
    root = documents.root(location)
    version = root.value.get("openapi") if isinstance(root.value, dict) else None
    if not isinstance(version, str) or not version.startswith(VERSIONS):
        raise ProbeError(f"{root.name} is not an OpenAPI 3.0, 3.1 or 3.2 document")
    schemas = SchemaCompiler(_dialect(root, version))
    try:
        operations = _ContractParser(root, schemas).operations()
        return {name: operation for operation in operations for name in names(operation)}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProbeError(
            f"{root.name} is not a valid OpenAPI document: check it with a linter"
        ) from error


def _dialect(root: Node, version: str) -> Dialect:
    """Return the schema language; one that is unknown counts as JSON Schema 2020-12."""
    if version.startswith("3.0"):
        return Dialect(DIALECTS["http://json-schema.org/draft-04/schema"], is_3_0=True)
    named = str(root.value.get("jsonSchemaDialect", JSON_SCHEMA)).rstrip("#")
    return Dialect(DIALECTS.get(named, DIALECTS[JSON_SCHEMA]), is_3_0=False)


class _ContractParser:
    """Parses the operations of one OpenAPI document."""

    def __init__(self, root: Node, schemas: SchemaCompiler) -> None:
        self._root = root
        self._schemas = schemas

    def operations(self) -> Iterator[Operation]:
        """Yield all operations; one without an operationId is named by method and path."""
        paths = self._root.get("paths")
        for path, item in paths.items() if paths else []:
            for method in METHODS:
                node = item.get(method)
                if node is not None:
                    yield self._parse_operation(path, method.upper(), item, node)
            additional = item.get("additionalOperations")  # OpenAPI 3.2
            for method, node in additional.items() if additional else []:
                yield self._parse_operation(path, method, item, node)

    def _parse_operation(self, path: str, method: str, item: Node, node: Node) -> Operation:
        responses, body = node.get("responses"), node.get("requestBody")
        operation_id = str(node.value.get("operationId", f"{method} {path}"))
        if responses is None and self._root.value["openapi"].startswith("3.0"):
            raise ProbeError(f"{self._root.name}: {operation_id} declares no responses")
        return Operation(
            operation_id=operation_id,
            method=method,
            path=path,
            specs=_parameter_specs(item, node),
            request_content=body.get("content") if body else None,
            needs_body=bool(body and body.value.get("required")),
            responses=responses or Node(node.documents, node.base, node.pointer, {}),
            security=parse_security(self._root, node),
            server=server_url(self._root, item, node),
            schemas=self._schemas,
        )


def names(operation: Operation) -> tuple[str, str]:
    """Return an operation's operationId, and its JSON pointer as a URI fragment."""
    path = operation.path.replace("~", "~0").replace("/", "~1")
    return operation.operation_id, f"#/paths/{path}/{operation.method.lower()}"


def _parameter_specs(item: Node, operation: Node) -> dict[tuple[str, str], ParameterSpec]:
    """Return the parameters of a path and of an operation, which overrides the path's."""
    shared, own = item.get("parameters"), operation.get("parameters")
    nodes = [*(shared.elements() if shared else []), *(own.elements() if own else [])]
    specs = map(parse_parameter, nodes)
    return {(spec.location, spec.name): spec for spec in specs if not _is_reserved(spec)}


def _is_reserved(spec: ParameterSpec) -> bool:
    """Return whether OpenAPI ignores a parameter in favour of content, responses and security."""
    return spec.location == "header" and spec.name.lower() in RESERVED_HEADERS
