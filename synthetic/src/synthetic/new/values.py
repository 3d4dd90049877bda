"""Values of parameters and ids: from links, from what was created, or from the contract."""

from collections.abc import Callable, Iterator
from typing import Any

from synthetic.new.contract import Endpoint
from synthetic.new.draft import Draft, Exchange, Reference
from synthetic.new.locations import find_locator
from synthetic.new.names import id_noun, words
from synthetic.new.payloads import examples_of
from synthetic.new.resources import Catalog, Resource, identity
from synthetic.new.samples import Sampler, UndecidedError
from synthetic.new.shapes import Shape, read_shape
from synthetic.probe.documents import Node
from synthetic.probe.expressions import is_expression
from synthetic.probe.parameter_values import ParameterSpec

Create = Callable[[Resource], Exchange | None]  # adds the step that creates a resource
Locate = Callable[[Resource, Endpoint, str], Exchange | None]  # in a list, by a query parameter
CONSTANTS = frozenset(("const", "default", "enum", "example", "examples"))
HINTS = CONSTANTS | {"format", "pattern", "oneOf", "anyOf"}


class ValueFinder:
    """Finds the values that one workflow sends."""

    def __init__(self, catalog: Catalog, draft: Draft, create: Create, locate: Locate) -> None:
        """Write inputs to ``draft``, and steps before the present one with the functions."""
        self._catalog = catalog
        self._draft = draft
        self._create = create
        self._locate = locate
        self.first_items: dict[str, Reference] = {}  # ids of lists, by path parameter

    def find(self, endpoint: Endpoint, spec: ParameterSpec, noun: str) -> Any:  # noqa: ANN401
        """Return the value of a parameter, or None to leave it out."""
        linked = self._linked_parameter(endpoint, spec)
        if linked is not None:
            return linked
        if spec.location == "path":
            return self._path_value(endpoint, spec, noun)
        if spec.location == "header" and spec.name.lower() == "idempotency-key":
            return self._draft.generated((noun, endpoint.name, "idempotency-key"), "uuid")
        return self._required(endpoint, spec, noun) if spec.required else None

    def find_id(self, name: str) -> Any:  # noqa: ANN401 - any template
        """Return the id of the object that a member refers to, which is created; or None."""
        resource = self._catalog.by_noun(name)
        expression = identity(resource.creator, name) if resource is not None else None
        exchange = self._create(resource) if resource is not None and expression else None
        return exchange.value(expression) if exchange is not None and expression else None

    def linked_body(self, endpoint: Endpoint) -> Any:  # noqa: ANN401 - any template
        """Return the body that a link to an operation gives, or None without one."""
        for link in self._catalog.links_to(endpoint):
            found = self._translate(link.source, link.body)
            if found is not None:
                return found
        return None

    def _linked_parameter(self, endpoint: Endpoint, spec: ParameterSpec) -> Any:  # noqa: ANN401
        for link in self._catalog.links_to(endpoint):
            found = self._translate(link.source, link.parameter(spec.location, spec.name))
            if found is not None:
                return found
        return None

    def _translate(self, source: Endpoint, value: Any) -> Any:  # noqa: ANN401 - any template
        resource = self._catalog.created_by(source) if value is not None else None
        exchange = self._create(resource) if resource is not None else None
        return translate(value, exchange) if exchange is not None else None

    def _path_value(self, endpoint: Endpoint, spec: ParameterSpec, noun: str) -> Any:  # noqa: ANN401
        if spec.name in self.first_items:
            return self.first_items[spec.name]
        source = self._catalog.path_source(endpoint, spec.name)
        exchange = self._create(source[0]) if source is not None else None
        found = exchange.value(source[1]) if source is not None and exchange is not None else None
        if found is None:
            found = self._located(endpoint, spec)
        return self._required(endpoint, spec, noun) if found is None else found

    def _located(self, endpoint: Endpoint, spec: ParameterSpec) -> Reference | None:
        """Return the id of a created object whose response has only its location."""
        resource = self._catalog.parent(endpoint, spec.name)
        exchange = self._create(resource) if resource is not None else None
        if resource is None or exchange is None:
            return None
        locator = find_locator(self._catalog.endpoints, exchange, spec.name)
        listed = self._locate(resource, locator.listing, locator.query) if locator else None
        return Reference(listed.output(locator.expression)) if locator and listed else None

    def _required(self, endpoint: Endpoint, spec: ParameterSpec, noun: str) -> Any:  # noqa: ANN401
        """Return a value of a required parameter: another object's id, an example, or an input."""
        node = endpoint.parameters[spec.location, spec.name]
        shape = read_shape(spec.schema)
        example = next(_examples(node), None)
        if id_noun(spec.name) is not None and not {"enum", "const"} & shape.keywords.keys():
            found = self.find_id(spec.name)
            if found is not None:
                return found
        elif example is not None or _is_decided(spec, shape):
            sampler = Sampler(endpoint.operation.schemas)
            value = _sample(sampler, spec.schema, example)
            if value is not None:
                return self._draft.literal((noun, spec.name), value)
        hint = f", such as {str(example)[:40]}" if example is not None else ""
        reason = f"{spec.location} parameter {spec.name} of {endpoint.name}{hint}"
        return self._draft.left_open((noun, spec.name), shape.types, reason)


def id_of(endpoint: Endpoint) -> str:
    """Return a noun for the inputs of an operation without a resource."""
    return "".join(words(endpoint.name)) or "x"


def translate(value: Any, exchange: Exchange) -> Any:  # noqa: ANN401 - any template
    """Return a link's value with its expressions in terms of a step; None if one has no value."""
    if isinstance(value, dict):
        members = {name: translate(member, exchange) for name, member in value.items()}
        return None if None in members.values() else members
    if isinstance(value, list):
        items = [translate(item, exchange) for item in value]
        return None if None in items else items
    if isinstance(value, str):
        whole = value[1:-1] if value.startswith("{$") and value.endswith("}") else value
        if is_expression(whole):
            return exchange.value(whole)
    return value


def _is_decided(spec: ParameterSpec, shape: Shape) -> bool:
    """Return whether a schema says enough for a value: a path has to name what exists."""
    if spec.location == "path":
        return not CONSTANTS.isdisjoint(shape.keywords)
    return shape.types != ["string"] or not HINTS.isdisjoint(shape.keywords) or bool(shape.choices)


def _examples(node: Node) -> Iterator[Any]:
    yield from examples_of(node)
    content = node.get("content")
    for _, described in content.items() if content is not None else []:
        yield from examples_of(described)


def _sample(sampler: Sampler, schema: Node | None, example: Any) -> Any:  # noqa: ANN401
    if schema is None or (example is not None and sampler.is_valid(schema, example)):
        return example
    try:
        return sampler.sample(schema)
    except UndecidedError:
        return None
