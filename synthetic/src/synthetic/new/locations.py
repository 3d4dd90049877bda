"""Created objects whose response has no id: a list finds them by what was sent."""

from collections.abc import Iterable
from typing import NamedTuple

from synthetic.new.contract import Endpoint
from synthetic.new.draft import Exchange, Reference
from synthetic.new.names import path_nouns
from synthetic.new.resources import member_pointer
from synthetic.new.shapes import read_shape
from synthetic.probe.documents import Node

ARRAYS = ("items", "data", "results", "content", "values", "entries", "records")


class Locator(NamedTuple):
    """An operation that lists objects by a query parameter."""

    listing: Endpoint
    query: str  # a query parameter of the name of a member that differs in each run
    expression: str  # for the id of the first item


def find_locator(endpoints: Iterable[Endpoint], created: Exchange, name: str) -> Locator | None:
    """Return how to find what a step created, or None without a way.

    An expression cannot take the id out of a `Location` header.
    """
    nouns = path_nouns(created.endpoint.path)
    for listing in endpoints:
        if listing.is_safe and path_nouns(listing.path) == nouns:
            expression = first_item(listing, name)
            query = generated_filter(listing, created)
            if expression is not None and query is not None:
                return Locator(listing, query, expression)
    return None


def generated_filter(listing: Endpoint, created: Exchange) -> str | None:
    """Return a query parameter with the name of a generated member of what was sent."""
    payload = created.payload if isinstance(created.payload, dict) else {}
    for location, name in listing.parameters:
        if location == "query" and isinstance(payload.get(name), Reference):
            return name
    return None


def array_of(schema: Node | None) -> tuple[str, Node] | None:
    """Return the JSON pointer and the items' schema of a response's list."""
    shape = read_shape(schema)
    if shape.items is not None:
        return "", shape.items
    for name in (*ARRAYS, *shape.properties):
        items = read_shape(shape.properties.get(name)).items
        if items is not None:
            return f"/{name.replace('~', '~0').replace('/', '~1')}", items
    return None


def first_item(listing: Endpoint, name: str) -> str | None:
    """Return the expression for the id of a list's first item, by the name of a parameter."""
    array = array_of(listing.response_schema)
    if array is None:
        return None
    pointer, items = array
    member = member_pointer(items, name, listing)
    return f"$response.body#{pointer}/0/{member}" if member is not None else None
