"""Generators for the members of bodies whose values have to differ in each run."""

from collections.abc import Iterator

from synthetic.new.names import words
from synthetic.new.samples import Sampler, given_values
from synthetic.new.shapes import Shape
from synthetic.probe.documents import Node
from synthetic.probe.generators import generate

NAMED = {
    "cpf": ("cpf",),
    "cnpj": ("cnpj", "cnpj-alphanumeric"),
    "email": ("email",),
    "mail": ("email",),
    "password": ("password",),
    "username": ("username", "words 1"),
    "login": ("username", "words 1"),
    "nickname": ("username", "words 1"),
    "name": ("name", "username", "words 2", "words 1"),
    "title": ("name", "words 2", "words 1"),
    "label": ("name", "words 2", "words 1"),
    "slug": ("username", "words 1"),
    "sku": ("username", "uuid", "words 1"),
    "handle": ("username", "words 1"),
}
ALONE = {"code": ("username", "uuid", "words 1"), "key": ("username", "uuid", "words 1")}
FORMATS = {
    "cpf": ("cpf",),
    "cnpj": ("cnpj",),
    "email": ("email",),
    "idn-email": ("email",),
    "uuid": ("uuid",),
    "password": ("password",),
}
RENAMED = frozenset(("name", "title", "label"))  # members that an update changes


def find_generator(name: str, schema: Node, shape: Shape, sampler: Sampler) -> str | None:
    """Return a generator whose values the schema allows, or None if a constant will do."""
    if "enum" in shape.keywords or "const" in shape.keywords or "string" not in shape.types:
        return None
    for text in _candidates(name, shape):
        if sampler.is_valid(schema, generate(text, {})):
            return text
    return None


def find_id_generator(schema: Node, shape: Shape, sampler: Sampler) -> tuple[str, str] | None:
    """Return the generator and the type of an id that the caller chooses."""
    if "enum" in shape.keywords or "const" in shape.keywords:
        return None
    texts = {"integer": ("integer 1000 2147483647", "integer"), "string": ("uuid", "words 1")}
    for kind in shape.types:
        for text in texts.get(kind, ()):
            if sampler.is_valid(schema, generate(text, {})):
                return text, kind
    return None


def _candidates(name: str, shape: Shape) -> Iterator[str]:
    parts = words(name)
    whole, last = "".join(parts), parts[-1] if parts else ""
    kind = str(shape.keywords.get("format"))
    yield from FORMATS.get(kind, ())
    yield from NAMED.get(whole) or NAMED.get(last, ())
    yield from ALONE.get(whole, ())
    if kind == "date-time" and next(given_values(shape), None) is None:
        yield "date-time"
