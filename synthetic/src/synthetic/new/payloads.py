"""Bodies of requests: an example of the contract with expressions in place of what varies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from synthetic.new.contract import Endpoint
from synthetic.new.draft import Draft, Key, Reference
from synthetic.new.names import id_noun
from synthetic.new.samples import Sampler, UndecidedError, wanted_properties
from synthetic.new.shapes import MAX_DEPTH, Shape, read_shape
from synthetic.new.unique_values import RENAMED, find_generator, find_id_generator
from synthetic.probe.documents import Node

OWN_IDS = frozenset(
    ("", "correlation", "external", "idempotency", "reference", "request", "trace", "transaction")
)
FindId = Callable[[str], Any]  # the value of an id by its name, or None


@dataclass(frozen=True, slots=True)
class PayloadWriter:
    """Writes the body of one request."""

    endpoint: Endpoint
    draft: Draft
    noun: str
    find_id: FindId
    is_update: bool = False

    @property
    def _sampler(self) -> Sampler:
        return Sampler(self.endpoint.operation.schemas)

    def write(self, given: Any = None) -> tuple[str, Any]:  # noqa: ANN401 - any template
        """Return the content type and the payload; ``given`` replaces the contract's example."""
        content_type = self.endpoint.operation.default_content_type
        media = self.endpoint.operation.request_media(content_type)
        schema = media.member("schema") if media is not None else None
        if given is None and media is not None:
            given = next(self._examples(media, schema), None)
        if given is None and schema is not None:
            given = self._sample(schema)
        if given is None:
            what = f"the body of {self.endpoint.name}, {content_type}"
            given = self.draft.left_open((self.noun, f"{self.noun}Body"), [], what)
        return content_type, self._bind(given, schema, (), 0)

    def _examples(self, media: Node, schema: Node | None) -> Iterator[Any]:
        """Yield the examples of a media type that its schema allows."""
        for value in examples_of(media):
            if value is not None and (schema is None or self._sampler.is_valid(schema, value)):
                yield value

    def _sample(self, schema: Node) -> Any:  # noqa: ANN401 - any template
        """Return a sample; members without one are inputs that the user gives."""
        try:
            return self._sampler.sample(schema)
        except UndecidedError:
            shape = read_shape(schema)
        if not shape.properties:
            return None
        return {name: self._member(shape, name) for name in wanted_properties(shape)}

    def _member(self, shape: Shape, name: str) -> Any:  # noqa: ANN401 - any template
        member = shape.properties.get(name)
        try:
            return self._sampler.sample(member) if member is not None else "probe"
        except UndecidedError:
            return self._left_open(name, read_shape(member))

    def _left_open(self, name: str, shape: Shape, value: Any = None) -> str:  # noqa: ANN401
        hint = f", such as {str(value)[:40]}" if value is not None else ""
        reason = f"{name} of {self.endpoint.name}{hint}"
        return self.draft.left_open((self.noun, name), shape.types, reason)

    def _bind(self, value: Any, schema: Node | None, key: Key, depth: int) -> Any:  # noqa: ANN401
        """Replace the parts of a value that vary by expressions."""
        if isinstance(value, dict) and depth < MAX_DEPTH:
            return self._bind_members(value, read_shape(schema), key, depth)
        if isinstance(value, list) and depth < MAX_DEPTH:
            items = read_shape(schema).items
            return [
                self._bind(item, items, (*key, str(index)), depth + 1)
                for index, item in enumerate(value)
            ]
        if isinstance(value, Reference):
            return value
        return self.draft.literal((self.noun, *key), value)

    def _bind_members(
        self, value: dict[str, Any], shape: Shape, key: Key, depth: int
    ) -> dict[str, Any]:
        properties, required = _with_choices(shape, value)
        result: dict[str, Any] = {}
        for name, member in value.items():
            schema = properties.get(name)
            described = read_shape(schema)
            if described.is_hidden():
                continue
            is_required = name in required
            bound = self._bind_member((*key, name), member, schema, is_required=is_required)
            if bound is _UNBOUND:
                bound = self._bind(member, schema, (*key, name), depth + 1)
            if bound is not None or member is None:
                result[name] = bound
        return result

    def _bind_member(
        self,
        key: Key,
        value: Any,  # noqa: ANN401 - any template
        schema: Node | None,
        *,
        is_required: bool,
    ) -> Any:  # noqa: ANN401 - any template
        """Return an expression for a member, None to leave it out, or ``_UNBOUND``."""
        name = key[-1]
        noun = id_noun(name)
        if schema is None or isinstance(value, dict | None | Reference):
            return _UNBOUND
        shape = read_shape(schema)
        if noun is not None and not {"enum", "const"} & shape.keywords.keys():
            if noun in OWN_IDS:
                found = find_id_generator(schema, shape, self._sampler)
                own = (self.noun, *key)
                return self.draft.generated(own, *found) if found else _UNBOUND
            return self._reference(name, value, shape, is_required=is_required)
        generator = find_generator(name, schema, shape, self._sampler)
        if generator is None or isinstance(value, list):
            return _UNBOUND
        is_new = self.is_update and key[-1].lower() in RENAMED
        own = (self.noun, *key[:-1], f"new-{name}" if is_new else name)
        return self.draft.generated(own, generator)

    def _reference(self, name: str, value: Any, shape: Shape, *, is_required: bool) -> Any:  # noqa: ANN401
        """Return the id of another object; an optional one that is not known is left out."""
        found = self.find_id(name)
        if found is not None:
            return [found] if isinstance(value, list) else found
        return self._left_open(name, shape, value) if is_required else None


_UNBOUND = object()


def _with_choices(shape: Shape, value: dict[str, Any]) -> tuple[dict[str, Node], set[str]]:
    """Return the properties of an object, and those that it requires.

    Those of alternatives count too: of the first one that has all members of the object.
    """
    properties, required = dict(shape.properties), set(shape.required)
    for choices in shape.choices:
        for choice in choices:
            found = read_shape(choice)
            has_all = not value.keys() - found.properties.keys() - shape.properties.keys()
            if has_all and value.keys() >= {*found.required}:
                properties = {**found.properties, **properties}
                required |= {*found.required}
                break
    return properties, required


def examples_of(node: Node) -> Iterator[Any]:
    """Yield the examples of a Media Type Object or a Parameter Object."""
    if isinstance(node.value, dict) and "example" in node.value:
        yield node.value["example"]
    examples = node.get("examples")
    for _, example in examples.items() if examples is not None else []:
        if isinstance(example.value, dict):
            for name in ("value", "dataValue"):  # the second one is of OpenAPI 3.2
                if name in example.value:
                    yield example.value[name]
