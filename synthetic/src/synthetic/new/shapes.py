"""Schemas as the writer of bodies reads them: `allOf` merged, references resolved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from synthetic.probe.documents import Node

MAX_DEPTH = 12  # of schemas within schemas
MAX_PARTS = 200  # schemas that one schema consists of


@dataclass(slots=True)
class Shape:
    """The keywords of a schema and of the schemas in its `allOf`."""

    keywords: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Node] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    items: Node | None = None
    choices: list[list[Node]] = field(default_factory=list)  # of each `oneOf` and `anyOf`

    @property
    def types(self) -> list[str]:
        """The types that the schema names, or that its keywords imply; `null` is the last."""
        named = self.keywords.get("type", [])
        types = [named] if isinstance(named, str) else [str(name) for name in named]
        if not types and self.properties:
            types = ["object"]
        if not types and self.items is not None:
            types = ["array"]
        return sorted(types, key=lambda name: name == "null")

    def is_hidden(self, keyword: str = "readOnly") -> bool:
        """Return whether a request, or with `writeOnly` a response, omits the value."""
        return self.keywords.get(keyword) is True


def read_shape(schema: Node | None) -> Shape:
    """Return the merged keywords of a schema.

    Raises:
        ProbeError: a reference leads nowhere.

    """
    shape = Shape()
    waiting = [schema] if schema is not None else []
    count = 0
    while waiting and count < MAX_PARTS:
        count += 1
        given = waiting.pop(0)
        node = given.resolve()
        for part in (node, given) if node is not given else (node,):
            if isinstance(part.value, dict):
                waiting += _merge(part, shape)
    return shape


def _merge(node: Node, shape: Shape) -> list[Node]:
    """Add the keywords of a schema to a shape; return the schemas of its `allOf`."""
    for name, value in node.value.items():
        if name not in {"properties", "required", "items", "allOf", "oneOf", "anyOf", "$ref"}:
            shape.keywords.setdefault(name, value)
    for name, member in _members(node, "properties"):
        shape.properties.setdefault(name, member)
    required = node.value.get("required")
    for name in required if isinstance(required, list) else []:
        if name not in shape.required:
            shape.required.append(name)
    items = node.member("items")
    if shape.items is None and items is not None and isinstance(items.value, dict):
        shape.items = items
    shape.choices += [found for name in ("oneOf", "anyOf") if (found := _elements(node, name))]
    return _elements(node, "allOf")


def _members(node: Node, name: str) -> Iterator[tuple[str, Node]]:
    """Yield the members of an object as they stand: `readOnly` may be beside a reference."""
    found = node.get(name)
    for key in found.value if found is not None and isinstance(found.value, Mapping) else ():
        member = found.member(key) if found is not None else None
        if member is not None:
            yield key, member


def _elements(node: Node, name: str) -> list[Node]:
    found = node.get(name)
    return (
        [element for element in found.elements() if isinstance(element.value, dict)]
        if found
        else []
    )


def json_schema(content: Node | None) -> Node | None:
    """Return the schema of the first JSON media type of a content."""
    for name, described in content.items() if content is not None else []:
        if "json" in name.lower():
            return described.member("schema")
    return None
