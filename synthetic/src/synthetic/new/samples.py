"""Values that match a schema: examples, defaults and constants, or built from its keywords."""

import math
from collections.abc import Iterator
from typing import Any

from synthetic.new.patterns import matching_text
from synthetic.new.shapes import MAX_DEPTH, Shape, read_shape
from synthetic.probe.documents import Node
from synthetic.probe.regular_expressions import with_escapes
from synthetic.probe.results import ProbeError
from synthetic.probe.schemas import SchemaCompiler

FORMATS = {
    "date": "2030-01-15",
    "date-time": "2030-01-15T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "P1D",
    "uuid": "3f2b8c1e-5d4a-4c6b-9a7e-1f0d2c3b4a59",
    "email": "probe@example.com",
    "idn-email": "probe@example.com",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "iri": "https://example.com/",
    "uri-reference": "/",
    "byte": "cHJvYmU=",
    "json-pointer": "/a",
}
TEXT = "probe"
MAX_ITEMS = 20
MAX_VALUES = 2000  # that are built for one schema
MAX_TEXT = 10_000  # characters


class UndecidedError(Exception):
    """No value for a schema is known."""


class Sampler:
    """Finds values for the schemas of one contract."""

    def __init__(self, schemas: SchemaCompiler) -> None:
        """Validate values with ``schemas``."""
        self._schemas = schemas
        self._count = 0

    def is_valid(self, schema: Node, value: Any) -> bool:  # noqa: ANN401 - any JSON
        """Return whether a request may have a value; an invalid schema allows any."""
        try:
            return next(self._schemas.errors(schema, value, "request"), None) is None
        except ProbeError:
            return True

    def sample(self, schema: Node) -> Any:  # noqa: ANN401 - any JSON
        """Return a value that matches a schema.

        Raises:
            UndecidedError: none is found.

        """
        self._count = 0
        return self._sample(schema, 0)

    def _sample(self, schema: Node, depth: int) -> Any:  # noqa: ANN401 - any JSON
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_VALUES:
            raise UndecidedError
        shape = read_shape(schema)
        for value in (*given_values(shape), *self._built(shape, depth)):
            if self.is_valid(schema, value):
                return value
        raise UndecidedError

    def _built(self, shape: Shape, depth: int) -> Iterator[Any]:
        if shape.choices:
            yield from self._chosen(shape, depth)
        for kind in shape.types or ([] if shape.choices else ["string"]):
            if kind == "object":
                yield self._object(shape, depth)
            elif kind == "array":
                yield from self._arrays(shape, depth)
            elif kind in {"integer", "number"}:
                yield from _numbers(shape)
            elif kind == "string":
                yield from _texts(shape)
            else:
                yield {"boolean": False}.get(kind)
        if shape.is_hidden("nullable"):
            yield None

    def _chosen(self, shape: Shape, depth: int) -> Iterator[Any]:
        """Yield values of the alternatives; those of objects with the members of all others."""
        for choices in shape.choices:
            for choice in choices:
                value = self._alternative(shape, choice, depth)
                if value is not None:
                    yield value

    def _alternative(self, shape: Shape, choice: Node, depth: int) -> Any:  # noqa: ANN401
        found = read_shape(choice)
        if found.required and not found.types:  # it only names properties of the whole
            return self._required_of(shape, choice, depth)
        try:
            value = self._sample(choice, depth + 1)
            common = self._object(shape, depth) if shape.properties else {}
        except UndecidedError:
            return self._required_of(shape, choice, depth)
        return {**common, **value} if isinstance(value, dict) else value

    def _required_of(self, shape: Shape, choice: Node, depth: int) -> Any:  # noqa: ANN401
        """Return an object with the properties that an alternative requires."""
        names = [*shape.required, *read_shape(choice).required]
        return self._object(shape, depth, names) if shape.properties else None

    def _object(self, shape: Shape, depth: int, names: list[str] | None = None) -> dict[str, Any]:
        result = {}
        for name in names if names is not None else wanted_properties(shape):
            member = shape.properties.get(name)
            if member is None:
                result[name] = TEXT
            elif not read_shape(member).is_hidden():
                result[name] = self._sample(member, depth + 1)
        return result

    def _arrays(self, shape: Shape, depth: int) -> Iterator[list[Any]]:
        least = shape.keywords.get("minItems", 0)
        count = min(max(least if isinstance(least, int) else 0, 1), MAX_ITEMS)
        try:
            item = self._sample(shape.items, depth + 1) if shape.items is not None else TEXT
        except UndecidedError:
            yield []
            return
        yield [item] * count
        yield []


def given_values(shape: Shape) -> Iterator[Any]:
    """Yield the constant, the examples, the default and the enumeration of a schema."""
    keywords = shape.keywords
    for name in ("const", "example"):
        if name in keywords:
            yield keywords[name]
    for name in ("examples", "default", "enum"):
        found = keywords.get(name)
        if name == "default" and found is not None:
            yield found
        elif isinstance(found, list):
            yield from (value for value in found if value is not None)


def wanted_properties(shape: Shape) -> list[str]:
    """Return the properties that an object has to have, or all simple ones if none is required."""
    if shape.required:
        return shape.required
    simple = []
    for name, member in shape.properties.items():
        found = read_shape(member)
        is_simple = not {"object", "array"} & set(found.types) and name.lower() not in {"id", "_id"}
        if is_simple and not found.is_hidden() and not found.choices:
            simple.append(name)
    return simple


def _numbers(shape: Shape) -> Iterator[float]:
    keywords = shape.keywords
    low, high = keywords.get("minimum"), keywords.get("maximum")
    above, below = keywords.get("exclusiveMinimum"), keywords.get("exclusiveMaximum")
    step = keywords.get("multipleOf", 1)
    yield 1
    if isinstance(low, int | float):
        yield low
        if isinstance(step, int | float) and step > 0:
            yield math.ceil(low / step) * step
            yield (math.floor(low / step) + 1) * step
    for bound, way in ((above, 1), (below, -1)):
        if isinstance(bound, int | float) and not isinstance(bound, bool):
            yield from (bound + way, bound + way / 2)
    yield from (value for value in (high, step, 0) if isinstance(value, int | float))


def _texts(shape: Shape) -> Iterator[str]:
    keywords = shape.keywords
    named = FORMATS.get(str(keywords.get("format")))
    if named is not None:
        yield named
    pattern = keywords.get("pattern")
    least = keywords.get("minLength", 0)
    least = least if isinstance(least, int) and least <= MAX_TEXT else 0
    if isinstance(pattern, str):
        escaped = with_escapes(pattern)
        found = (matching_text(escaped, lengthen) for lengthen in (0, 1, 4, least))
        yield from (text for text in found if text is not None)
    most = keywords.get("maxLength")
    repeated = TEXT * (1 + least // len(TEXT))
    text = repeated[: max(least, len(TEXT))]
    yield text[: max(most, 0)] if isinstance(most, int) else text
    yield "1" * max(least, 1)
