"""Requests whose parameters or whose bodies are not as their contract has them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from servicekit.testing.request import FORM, JSON, Bad, Request, encoded
from servicekit.testing.wrong import as_text, wrong_texts, wrong_values

_BODIES = {
    JSON: {
        "malformed JSON": b'{"name": ',
        "not UTF-8": b'{"name": "\xff"}',
        "too deep": b"[" * 30_000,
        "an endless number": b'{"name": ' + b"9" * 5000 + b"}",
        "NaN": b'{"name": NaN}',
        "an array": b"[]",
        "nothing": b"",
    },
    FORM: {
        "not UTF-8": b"name=\xff",
        "not UTF-8 when unquoted": b"name=%ff",
        "too many fields": b"&".join(b"name%d=1" % number for number in range(1000)),
        "JSON": b"{}",
        "nothing": b"",
    },
}


def bad_parameters(good: Request, operation: Mapping[str, Any]) -> Iterator[Bad]:
    """Yield what is wrong in a path, a query or a header; ``operation`` has no references."""
    if "400" in operation["responses"]:
        yield good.but("an unknown parameter", 400, query="unknown=1")
    for parameter in operation.get("parameters", []):
        name, place, schema = parameter["name"], parameter["in"], parameter["schema"]
        for text in wrong_texts(schema):
            wrong = f"{name} is {text[:20]!r}"
            if place == "query":
                yield good.but(wrong, 400, query=f"{name}={quote(text)}")
            elif place == "path" and text:  # without it, the path is another one
                yield good.at(**{name: text}).but(wrong, 400)
            elif place == "header" and text.isprintable():  # no client sends any other
                yield good.under(**{name: text}).but(wrong, 400)
        if place == "query":
            once = f"{name}={quote(as_text(schema['example']))}"
            yield good.but(f"{name} is given twice", 400, query=f"{once}&{once}")


def bad_bodies(good: Request, schema: Mapping[str, Any]) -> Iterator[Bad]:
    """Yield what is wrong in a body; ``schema`` is that of its members, without references."""
    media = good.headers["content-type"]
    wrongs = {
        **_BODIES[media],
        "a member twice": _with_a_member_twice(good),
        "an unknown member": good.having(unknown=1).body,
    }
    for wrong, body in wrongs.items():
        yield good.but(wrong, 400, body=body)
    for name in schema["required"]:
        yield good.having(**{name: ...}).but(f"no {name}", 400)
    for name in good.members:
        wrong_ones = wrong_texts if media == FORM else wrong_values
        for value in wrong_ones(schema["properties"][name]):
            yield good.having(**{name: value}).but(f"{name} is {str(value)[:20]!r}", 400)
    yield from _alternatives(good, schema)
    yield good.having(unknown="x" * 70_000).but("too large", 413)
    yield good.under(content_type="text/plain").but("a text", 415)


def _alternatives(good: Request, schema: Mapping[str, Any]) -> Iterator[Bad]:
    """Yield a body with none, and with all, of the members of which there must be one."""
    names = {name for one in schema.get("oneOf", []) for name in one["required"]}
    if names:
        (value,) = (good.members[name] for name in names if name in good.members)
        which = " and ".join(sorted(names))
        yield good.having(**dict.fromkeys(names, ...)).but(f"none of {which}", 400)
        yield good.having(**dict.fromkeys(names, value)).but(f"both {which}", 400)


def _with_a_member_twice(good: Request) -> bytes:
    whole, first = encoded(good.headers["content-type"], good.members), next(iter(good.members))
    if good.headers["content-type"] == FORM:
        return whole + b"&" + urlencode({first: "A"}).encode()
    return whole.replace(b"{", f'{{{json.dumps(first)}: "A", '.encode(), 1)
