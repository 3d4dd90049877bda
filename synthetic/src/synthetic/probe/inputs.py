"""Inputs of a journey, generated for each run so that runs do not collide.

The generators are imported at their first use: most journeys have none.
"""

import re
from collections.abc import Mapping
from typing import Any

from synthetic.probe.cursor import Cursor, members_of
from synthetic.probe.problems import quoted
from synthetic.probe.results import ProbeError

MAX_PARTS = 10  # of a dotted name
MAX_DEPTH = 30  # of schemas within schemas
MAX_SCHEMAS = 10_000  # of one workflow's inputs, each reference to a schema counted
# keywords whose value is a schema, an array of schemas, or an object of them
_SCHEMAS = ("additionalProperties", "items", "not", "if", "then", "else", "contains")
_ARRAYS = ("allOf", "anyOf", "oneOf", "prefixItems")
_OBJECTS = ("properties", "patternProperties", "$defs", "dependentSchemas")
_INPUT = re.compile(r"\binputs\.([^\s{}()#=<>!&|,'\"]+)")
_END_OF_NAME = re.compile(r"[.\[]")


def parse_inputs(cursor: Cursor | None, document: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return the JSON Schema of a workflow's inputs, with its references resolved."""
    if cursor is None:
        return {"type": "object", "properties": {}, "additionalProperties": False}
    schema = _SchemaResolver(cursor, document).resolve(cursor.value, 0)
    if not isinstance(schema, dict):
        cursor.problem("inputs must be a JSON Schema, an object")
        return {}
    properties = dict(members_of(schema.get("properties")))
    required = list(schema.get("required") or ())
    for part in schema.get("allOf") or ():
        properties = {**members_of(members_of(part).get("properties")), **properties}
        required += members_of(part).get("required") or ()
    for name, described in properties.items():
        place = Cursor(None, cursor.problems, (*cursor.location, "properties", name))
        _check_generator(place, name, members_of(described).get("x-generate"), properties)
    return {**schema, "properties": properties, "required": required}


def add_generators(schema: dict[str, Any], workflow: Cursor) -> dict[str, Any]:
    """Return the schema of inputs with the generators of the workflow's `x-generate`.

    Other runners ignore an extension of the workflow, and reject unknown keywords of its inputs.
    """
    properties = dict(schema.get("properties", {}))
    for name, place in workflow.members("x-generate"):
        if name not in properties:
            place.problem(f"there is no input {quoted(name)} to generate")
            continue
        _check_generator(place, name, place.value, properties)
        properties[name] = {**members_of(properties[name]), "x-generate": place.value}
    return {**schema, "properties": properties}


def input_names(schema: Mapping[str, Any]) -> list[str] | None:
    """Return the names of the inputs, or None if a schema allows any name."""
    is_closed = schema.get("additionalProperties", True) is False
    names = list(schema.get("properties", {}))
    is_open = schema.get("additionalProperties") or "patternProperties" in schema
    return None if is_open or not (names or is_closed) else names


def input_names_in(document: Any) -> set[str]:  # noqa: ANN401 - any JSON
    """Return the names of inputs that the expressions of a document refer to."""
    found: set[str] = set()
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            for name in _INPUT.findall(value):
                ends = [match.start() for match in _END_OF_NAME.finditer(name)]
                found |= {name[:end] for end in (*ends[:MAX_PARTS], len(name))}
        elif isinstance(value, dict | list):
            pending += value.values() if isinstance(value, dict) else value
    return found


def generate_inputs(
    schema: Mapping[str, Any], given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the given inputs and a value for each other one that has a generator or a default.

    Raises:
        ProbeError: a required input has no value.

    """
    properties = schema.get("properties", {})
    values: dict[str, Any] = dict(given or {})
    # last: the input that is generated from others
    for name in sorted(
        properties, key=lambda name: members_of(properties[name]).get("x-generate") == "basic"
    ):
        described = members_of(properties[name])
        generator = described.get("x-generate")
        if name in values:
            continue
        if generator:
            from synthetic.probe.generators import generate  # noqa: PLC0415 - see above

            values[name] = generate(str(generator), values)
        elif "default" in described:
            values[name] = described["default"]
    for name in schema.get("required", ()):
        if name not in values:
            from synthetic.probe.generators import GENERATORS  # noqa: PLC0415 - see above

            raise ProbeError(
                f"the input {name} needs a default, or x-generate: {' '.join(GENERATORS)}"
            )
    return values


def check_values(schema: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Validate the inputs that a step or an action passes to a workflow.

    Raises:
        ProbeError: an input violates the schema.

    """
    import jsonschema_rs  # noqa: PLC0415 - most journeys call no workflow

    validator = jsonschema_rs.Draft202012Validator(dict(schema), mask="the value")
    error = next(validator.iter_errors(dict(values)), None)
    if error is not None:
        place = "/".join(map(str, error.instance_path)) or "the inputs"
        raise ProbeError(f"{place}: {error.message}")


def _check_generator(
    place: Cursor,
    name: str,
    generator: Any,  # noqa: ANN401 - any JSON
    properties: Mapping[str, Any],
) -> None:
    if generator is None:
        return
    from synthetic.probe.generators import generator_problem  # noqa: PLC0415 - see above

    message = generator_problem(generator, properties)
    if message:
        place.problem(f"the input {name}: {message}")


class _SchemaResolver:
    """Replaces references of a schema by their targets; a recursive one allows any value."""

    def __init__(self, cursor: Cursor, document: Any) -> None:  # noqa: ANN401 - any JSON
        self._cursor = cursor
        self._document = document
        self._resolving: list[str] = []
        self._count = 0

    def resolve(self, schema: Any, depth: int, chain: tuple[str, ...] = ()) -> Any:  # noqa: ANN401
        """Return a schema with its references resolved; ``chain`` has those that led to it."""
        self._count += 1
        if self._count == MAX_SCHEMAS:
            self._cursor.problem(f"the inputs have more than {MAX_SCHEMAS} schemas")
        if not isinstance(schema, dict) or depth > MAX_DEPTH or self._count >= MAX_SCHEMAS:
            return schema if isinstance(schema, bool) else {}
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._resolve_reference(schema, reference, depth, chain)
        return self._resolve_members(schema, depth)

    def _resolve_reference(
        self, schema: dict[str, Any], reference: str, depth: int, chain: tuple[str, ...]
    ) -> Any:  # noqa: ANN401 - any JSON
        if reference in chain:
            self._cursor.problem(f"the inputs refer to {reference[:100]}, which leads in a circle")
            return {}
        if reference in self._resolving:
            return {}
        target = self._find(reference)
        if target is None:
            self._cursor.problem(f"the inputs refer to {reference[:100]}, which does not exist")
            return {}
        self._resolving.append(reference)
        found = self.resolve(target, depth + 1, (*chain, reference))
        self._resolving.pop()
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        if not isinstance(found, dict) or not beside:
            return found
        return {**found, **self._resolve_members(beside, depth)}

    def _resolve_members(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        result = dict(schema)
        for name, value in schema.items():
            if name in _SCHEMAS:
                result[name] = self.resolve(value, depth + 1)
            elif name in _ARRAYS and isinstance(value, list):
                result[name] = [self.resolve(item, depth + 1) for item in value]
            elif name in _OBJECTS and isinstance(value, dict):
                result[name] = {key: self.resolve(item, depth + 1) for key, item in value.items()}
        return result

    def _find(self, reference: str) -> Any:  # noqa: ANN401 - any JSON
        file, _, fragment = reference.partition("#")
        if file:
            return None
        if fragment and not fragment.startswith("/"):
            return self._find_anchor(fragment)
        from urllib.parse import unquote  # noqa: PLC0415 - few journeys have references

        node = self._document
        for step in unquote(fragment).split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and name.isdecimal():
                node = dict(enumerate(node)).get(int(name))
            else:
                node = members_of(node).get(name)
        return node

    def _find_anchor(self, anchor: str) -> Any:  # noqa: ANN401 - any JSON
        pending = [self._document]
        while pending:
            node = pending.pop()
            if isinstance(node, dict):
                if node.get("$anchor") == anchor:
                    return node
                pending.extend(node.values())
            elif isinstance(node, list):
                pending.extend(node)
        return None
