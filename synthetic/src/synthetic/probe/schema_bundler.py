"""Converts the schemas of a contract to one JSON Schema without references to other documents.

What OpenAPI adds to JSON Schema becomes plain JSON Schema: `nullable`, formats of numbers, and the
direction of `readOnly` and `writeOnly`. A `discriminator` has no effect, as OpenAPI demands.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, NamedTuple

import jsonschema_rs

from synthetic.probe.documents import Node
from synthetic.probe.regular_expressions import with_escapes
from synthetic.probe.schema_keywords import (
    ASSERTIONS,
    IN_PLACE,
    SUBSCHEMA_LISTS,
    SUBSCHEMA_MAPS,
    SUBSCHEMAS,
)

Direction = Literal["request", "response"]
Validator = (
    jsonschema_rs.Draft4Validator
    | jsonschema_rs.Draft6Validator
    | jsonschema_rs.Draft7Validator
    | jsonschema_rs.Draft201909Validator
    | jsonschema_rs.Draft202012Validator
)
SchemaKey = tuple[int, frozenset[str]]  # a schema, and the names that it must not require

HIDING: Mapping[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
NO_NAMES: frozenset[str] = frozenset()
INTEGER_RANGES = {"int32": 2**31, "int64": 2**63}


class Dialect(NamedTuple):
    """The schema language of a contract."""

    validator: type[Validator]
    is_3_0: bool  # `nullable`, and members beside a `$ref` are ignored


class Bundler:
    """Converts a schema and those that it reaches; a worklist keeps the stack flat."""

    def __init__(self, dialect: Dialect, direction: Direction, *, assert_formats: bool) -> None:
        """Prepare the conversion of one schema."""
        self._is_3_0 = dialect.is_3_0
        self._hiding = HIDING[direction]
        self._assert_formats = assert_formats
        self.nodes: list[Node] = []  # by the number that names them in `definitions`
        self._names: dict[SchemaKey, str] = {}
        self._waiting: list[tuple[Node, frozenset[str], str]] = []
        self._hidden: dict[int, frozenset[str]] = {}

    def bundle(self, schema: Node) -> dict[str, Any]:
        """Return a schema without references to other documents."""
        root = self._refer(schema, NO_NAMES)
        definitions: dict[str, Any] = {}
        while self._waiting:
            node, inherited, name = self._waiting.pop()
            definitions[name] = self._convert(node, inherited)
        return {**root, "definitions": definitions}

    def _refer(self, node: Node, inherited: frozenset[str]) -> dict[str, Any]:
        """Return a reference to a schema, which is converted later."""
        key = id(node.value), inherited
        if key not in self._names:
            self._names[key] = str(len(self._names))
            self.nodes.append(node)
            self._waiting.append((node, inherited, self._names[key]))
        return {"$ref": f"#/definitions/{self._names[key]}"}

    def _convert(self, node: Node, inherited: frozenset[str]) -> Any:  # noqa: ANN401 - a schema
        schema = node.value
        if not isinstance(schema, dict):
            return schema
        node = _with_base(node)
        target = self._target(node)
        if target is not None and self._is_3_0:
            return self._refer(target, inherited)
        hidden = inherited | self._hidden_names(node)
        converted: dict[str, Any] = {}
        for keyword in schema:
            member = node.member(keyword)
            if member is not None:
                self._convert_keyword(keyword, member, hidden, converted)
        if target is not None:
            converted["allOf"] = [*converted.get("allOf", []), self._refer(target, hidden)]
        if self._is_3_0 and schema.get("nullable") is True and isinstance(schema.get("type"), str):
            converted["type"] = [schema["type"], "null"]
        return converted

    def _convert_keyword(
        self, keyword: str, node: Node, hidden: frozenset[str], converted: dict[str, Any]
    ) -> None:
        value = node.value
        names = hidden if keyword in IN_PLACE else NO_NAMES
        refer = partial(self._refer_member, node, names)
        if keyword in SUBSCHEMA_LISTS and isinstance(value, list):
            members = [refer(str(index)) for index in range(len(value))]
            converted[keyword] = [*converted.get(keyword, []), *members]
        elif keyword in SUBSCHEMA_MAPS and isinstance(value, dict):
            escaped = with_escapes if keyword == "patternProperties" else str
            converted[keyword] = {
                escaped(name): each if isinstance(each, list) else refer(name)
                for name, each in value.items()
            }
        elif keyword in SUBSCHEMAS:
            converted[keyword] = value if isinstance(value, bool) else self._refer(node, names)
        elif keyword == "required" and isinstance(value, list):
            required = [name for name in value if name not in hidden]
            if required or not value:
                converted[keyword] = required
        elif keyword == "format" and self._assert_formats:
            self._convert_format(value, converted)
        elif keyword in ASSERTIONS:
            is_pattern = keyword == "pattern" and isinstance(value, str)
            converted[keyword] = with_escapes(value) if is_pattern else value

    def _refer_member(self, node: Node, inherited: frozenset[str], name: str) -> Any:  # noqa: ANN401
        member = node.member(name)
        if member is None or isinstance(member.value, bool):
            return member is None or member.value
        return self._refer(member, inherited)

    def _convert_format(self, value: Any, converted: dict[str, Any]) -> None:  # noqa: ANN401
        limit = INTEGER_RANGES.get(value) if isinstance(value, str) else None
        if limit is None:
            converted["format"] = value
        else:
            bounds = {"minimum": -limit, "maximum": limit - 1}
            converted["allOf"] = [*converted.get("allOf", []), bounds]

    def _target(self, node: Node) -> Node | None:
        """Return the schema that a reference leads to, or None without a reference."""
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            reference = node.value.get(keyword)
            if isinstance(reference, str):
                return node.documents.follow(reference, node.base)
        return None

    def _hidden_names(self, node: Node) -> frozenset[str]:
        """Return the properties of a schema and of its `allOf` that this direction omits."""
        key = id(node.value)
        if key not in self._hidden:
            self._hidden[key] = NO_NAMES  # for a schema that includes itself
            names: set[str] = set()
            properties = node.member("properties")
            for name in properties.value if properties and _is_object(properties) else ():
                member = properties.member(name) if properties else None
                if member is not None and self._is_hidden(member):
                    names.add(name)
            for part in self._parts(node):
                names |= self._hidden_names(part)
            self._hidden[key] = frozenset(names)
        return self._hidden[key]

    def _is_hidden(self, node: Node) -> bool:
        """Return whether a property's schema, or one that it consists of, names the direction."""
        waiting, seen = [node], set()
        while waiting:
            part = waiting.pop()
            if not _is_object(part) or id(part.value) in seen:
                continue
            seen.add(id(part.value))
            ignores_members = self._is_3_0 and "$ref" in part.value
            if part.value.get(self._hiding) is True and not ignores_members:
                return True
            waiting += self._parts(part)
        return False

    def _parts(self, node: Node) -> list[Node]:
        """Return the schemas that apply whenever this one does."""
        if not _is_object(node):
            return []
        target, conjunction = self._target(node), node.member("allOf")
        if target is not None and self._is_3_0:
            return [target]
        count = len(conjunction.value) if conjunction and isinstance(conjunction.value, list) else 0
        members = [conjunction.member(str(i)) for i in range(count)] if conjunction else []
        return [part for part in (target, *members) if part is not None]


def _is_object(node: Node) -> bool:
    return isinstance(node.value, dict)


def _with_base(node: Node) -> Node:
    """Return the node of a schema with the base URI that its `$id` sets."""
    identity = node.value.get("$id")
    if not isinstance(identity, str) or not node.pointer:
        return node
    return node.documents.add_resource(node, identity)
