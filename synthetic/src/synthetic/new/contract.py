"""Contracts as the writer of journeys reads them: operations with their links and examples."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from synthetic.new.shapes import json_schema
from synthetic.probe.documents import DocumentStore, Node
from synthetic.probe.openapi_parser import METHODS, load_operations, names
from synthetic.probe.operation import Operation

_SUCCESS = re.compile(r"2(?:[0-9]{2}|XX)\Z")
SAFE_METHODS = frozenset(("GET", "HEAD", "QUERY"))
SUCCESSES = {"POST": ("201", "200"), "PUT": ("200", "201")}


@dataclass(frozen=True, eq=False)
class Endpoint:
    """An operation with the parts of its contract that no run needs."""

    source: str  # the name of the source description
    operation: Operation
    node: Node  # the Operation Object
    parameters: Mapping[tuple[str, str], Node]  # Parameter Objects by location and name

    @property
    def name(self) -> str:
        """The operationId, or method and path."""
        return self.operation.operation_id

    @property
    def method(self) -> str:
        """The HTTP method in upper case."""
        return self.operation.method

    @property
    def path(self) -> str:
        """The path with its parameters."""
        return self.operation.path

    @property
    def is_safe(self) -> bool:
        """True if the operation only reads (RFC 9110, 9.2.1)."""
        return self.method in SAFE_METHODS

    @property
    def is_deprecated(self) -> bool:
        """True if the contract advises against the operation."""
        return self.node.value.get("deprecated") is True

    @property
    def has_operation_id(self) -> bool:
        """True if the contract gives an operationId."""
        return "operationId" in self.node.value

    @cached_property
    def tags(self) -> list[str]:
        """The tags."""
        tags = self.node.value.get("tags")
        return [str(tag) for tag in tags] if isinstance(tags, list) else []

    @cached_property
    def successes(self) -> list[str]:
        """The declared statuses of success, the most likely one first."""
        declared = [name for name, _ in self.operation.responses.items()]
        first = [name for name in SUCCESSES.get(self.method, ("200",)) if name in declared]
        others = sorted(name for name in declared if _SUCCESS.match(name) and name not in first)
        return [*first, *others]

    @cached_property
    def success(self) -> Node | None:
        """The Response Object of a success."""
        for name in (*self.successes, "default"):
            found = self.operation.responses.get(name)
            if found is not None:
                return found
        return None

    @property
    def response_schema(self) -> Node | None:
        """The schema of the JSON body of a success."""
        return json_schema(self.success.get("content")) if self.success is not None else None

    def declares(self, status: str) -> bool:
        """Return whether the contract declares exactly this status."""
        return self.operation.responses.get(status) is not None

    def response_header(self, name: str) -> str | None:
        """Return a response header of a success as the contract writes it, or None."""
        headers = self.success.get("headers") if self.success is not None else None
        declared = [key for key, _ in headers.items()] if headers is not None else []
        return next((key for key in declared if key.lower() == name.lower()), None)

    def links(self) -> list[Node]:
        """Return the Link Objects of a success."""
        links = self.success.get("links") if self.success is not None else None
        return [link for _, link in links.items()] if links is not None else []


def load_endpoints(store: DocumentStore, location: Path | str, source: str) -> list[Endpoint]:
    """Return the operations of a contract in its order.

    Raises:
        ProbeError: the contract is invalid.

    """
    operations = load_operations(store, location)
    root = store.root(location)
    return [
        Endpoint(source, operations[names_of(path, method)], node, _parameters(item, node))
        for path, method, item, node in _nodes(root)
    ]


def names_of(path: str, method: str) -> str:
    """Return the JSON pointer of an operation as a URI fragment."""
    escaped = path.replace("~", "~0").replace("/", "~1")
    return f"#/paths/{escaped}/{method}"


def pointer(endpoint: Endpoint) -> str:
    """Return the JSON pointer of an operation as a URI fragment."""
    return names(endpoint.operation)[1]


def title(root: Node) -> str:
    """Return the title of a contract."""
    info = root.get("info")
    found: Any = (
        info.value.get("title") if info is not None and isinstance(info.value, dict) else ""
    )
    return str(found or root.name)


def _nodes(root: Node) -> Iterator[tuple[str, str, Node, Node]]:
    """Yield path, method, Path Item Object and Operation Object."""
    paths = root.get("paths")
    for path, item in paths.items() if paths is not None else []:
        for method in METHODS:
            node = item.get(method)
            if node is not None:
                yield path, method, item, node


def _parameters(item: Node, node: Node) -> dict[tuple[str, str], Node]:
    lists = [found for each in (item, node) if (found := each.get("parameters")) is not None]
    return {
        (str(each.value["in"]), str(each.value["name"])): each
        for found in lists
        for each in found.elements()
    }
