"""Validators for the schemas of a contract.

A schema is compiled with all schemas that it reaches, whichever document they are in. What OpenAPI
adds to JSON Schema becomes plain JSON Schema: `nullable`, formats of numbers, and the direction of
`readOnly` and `writeOnly`. A `discriminator` has no effect, as OpenAPI demands.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import jsonschema_rs

from synthetic.probe.documents import Node
from synthetic.probe.regular_expressions import find_invalid, with_escapes
from synthetic.probe.results import ProbeError
from synthetic.probe.schema_formats import FORMATS
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

DIALECTS: Mapping[str, type[Validator]] = {
    "http://json-schema.org/draft-04/schema": jsonschema_rs.Draft4Validator,
    "http://json-schema.org/draft-06/schema": jsonschema_rs.Draft6Validator,
    "http://json-schema.org/draft-07/schema": jsonschema_rs.Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": jsonschema_rs.Draft201909Validator,
    "https://json-schema.org/draft/2020-12/schema": jsonschema_rs.Draft202012Validator,
}
INVALID_SCHEMA = (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError)
HIDING: Mapping[Direction, str] = {"request": "readOnly", "response": "writeOnly"}
NO_NAMES: frozenset[str] = frozenset()

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
INTEGER_RANGES = {"int32": 2**31, "int64": 2**63}


class Dialect(NamedTuple):
    """The schema language of a contract."""

    validator: type[Validator]
    is_3_0: bool  # `nullable`, and members beside a `$ref` are ignored


class Violation(NamedTuple):
    """A violation of a schema; it contains no value."""

    pointer: str  # of the value (RFC 6901)
    message: str
    schema: str  # the file and the pointer of the violated keyword
    keyword: str
    declared: str  # the pointer of the value, with `*` for names that the contract does not have

    def __str__(self) -> str:
        """Return the place and the message, to follow the name of the value."""
        return f" at {self.pointer}: {self.message}" if self.pointer else f": {self.message}"


class _Compiled(NamedTuple):
    """A validator, and the schemas that it consists of."""

    validator: Validator
    nodes: Sequence[Node]


class SchemaCompiler:
    """Compiles schemas of one contract, each once."""

    def __init__(self, dialect: Dialect) -> None:
        """Set the schema language."""
        self.assert_formats = True  # otherwise a `format` is an annotation
        self._dialect = dialect
        self._validators: dict[tuple[str, Direction, bool], _Compiled] = {}

    def errors(self, schema: Node, value: Any, direction: Direction) -> Iterator[Violation]:  # noqa: ANN401
        """Yield each violation with its places; none contains a value.

        Raises:
            ProbeError: the schema is invalid.

        """
        key = schema.uri, direction, self.assert_formats
        if key not in self._validators:
            self._validators[key] = self._compile(schema, direction)
        validator, nodes = self._validators[key]
        for error in validator.iter_errors(value):
            place = _keyword_place(nodes, error.schema_path)
            path, names = error.evaluation_path, {str(name) for name in error.evaluation_path}
            declared = [
                step if isinstance(step, int) or step in names else "*"
                for step in error.instance_path
            ]
            yield Violation(
                _pointer(error.instance_path),
                error.message,
                place,
                str(path[-1]) if path else "",
                _pointer(declared),
            )

    def _compile(self, schema: Node, direction: Direction) -> _Compiled:
        bundler = _Bundler(self._dialect, direction, assert_formats=self.assert_formats)
        try:
            validator = self._dialect.validator(
                bundler.bundle(schema),
                mask="the value",
                validate_formats=self.assert_formats,
                formats=FORMATS if self.assert_formats else None,
                offline=True,
            )
            return _Compiled(validator, bundler.nodes)
        except (*INVALID_SCHEMA, RecursionError) as error:
            found = f"{schema.name}: the schema {schema.pointer}"
            reason = find_invalid(bundler.nodes)
            if not reason and isinstance(error, jsonschema_rs.ValidationError):
                found = _keyword_place(bundler.nodes, error.instance_path) or found
                if "type" in error.instance_path[-2:]:
                    reason = f"a type is one of {', '.join(TYPES)}"
            reason = reason or str(error).partition("\n")[0][:200]
            raise ProbeError(f"{found}: {reason}") from error


class _Bundler:
    """Converts a schema and those that it reaches; a worklist keeps the stack flat."""

    def __init__(self, dialect: Dialect, direction: Direction, *, assert_formats: bool) -> None:
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


def _pointer(steps: Sequence[str | int]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def _keyword_place(nodes: Sequence[Node], path: Sequence[str | int]) -> str:
    """Return where a contract has a keyword that the bundle has at ``path``."""
    if len(path) < 2 or path[0] != "definitions":  # noqa: PLR2004 - the name of a definition
        return ""
    node = nodes[int(path[1])]
    for step in path[2:]:
        # the bundle has keywords of its own, such as the range of a format
        if (member := node.member(str(step))) is None:
            break
        node = member
    return f"{node.name}#{node.pointer}"


def _is_object(node: Node) -> bool:
    return isinstance(node.value, dict)


def _with_base(node: Node) -> Node:
    """Return the node of a schema with the base URI that its `$id` sets."""
    identity = node.value.get("$id")
    if not isinstance(identity, str) or not node.pointer:
        return node
    return node.documents.add_resource(node, identity)
