"""Validators for the schemas of a contract.

A schema is compiled with all schemas that it reaches, whichever document they are in.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jsonschema_rs

from synthetic.probe.documents import Node
from synthetic.probe.regular_expressions import find_invalid
from synthetic.probe.results import ProbeError
from synthetic.probe.schema_bundler import Bundler, Dialect, Direction, Validator
from synthetic.probe.schema_formats import FORMATS

DIALECTS: Mapping[str, type[Validator]] = {
    "http://json-schema.org/draft-04/schema": jsonschema_rs.Draft4Validator,
    "http://json-schema.org/draft-06/schema": jsonschema_rs.Draft6Validator,
    "http://json-schema.org/draft-07/schema": jsonschema_rs.Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": jsonschema_rs.Draft201909Validator,
    "https://json-schema.org/draft/2020-12/schema": jsonschema_rs.Draft202012Validator,
}
INVALID_SCHEMA = (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError)

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


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
        bundler = Bundler(self._dialect, direction, assert_formats=self.assert_formats)
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
