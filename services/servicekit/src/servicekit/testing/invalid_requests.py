"""Requests whose parameters or bodies violate the contract."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from servicekit.testing.invalid_values import as_text, invalid_texts, invalid_values
from servicekit.testing.request import FORM, JSON, InvalidRequest, Request, encode_body

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


def invalid_parameters(valid: Request, operation: Mapping[str, Any]) -> Iterator[InvalidRequest]:
    """Yield requests with an invalid path, query or header; ``operation`` has no references."""
    if "400" in operation["responses"]:
        yield valid.expect(400, "an unknown parameter", query="unknown=1")
    for parameter in operation.get("parameters", []):
        name, location, schema = parameter["name"], parameter["in"], parameter["schema"]
        for text in invalid_texts(schema):
            label = f"{name} is {text[:20]!r}"
            if location == "query":
                yield valid.expect(400, label, query=f"{name}={quote(text)}")
            elif location == "path" and text:  # an empty one would be another path
                yield valid.with_path(**{name: text}).expect(400, label)
            elif location == "header" and text.isprintable():  # clients reject other headers
                yield valid.with_headers(**{name: text}).expect(400, label)
        if location == "query":
            pair = f"{name}={quote(as_text(schema['example']))}"
            yield valid.expect(400, f"{name} is given twice", query=f"{pair}&{pair}")


def invalid_bodies(valid: Request, schema: Mapping[str, Any]) -> Iterator[InvalidRequest]:
    """Yield requests with an invalid body; ``schema`` has no references."""
    media = valid.headers["content-type"]
    bodies: dict[str, bytes | None] = {
        **_BODIES[media],
        "a member twice": _with_duplicate_member(valid),
    }
    if not schema["additionalProperties"]:
        bodies["an unknown member"] = valid.with_body(unknown=1).body
    for label, body in bodies.items():
        yield valid.expect(400, label, body=body)
    for name in schema["required"]:
        yield valid.with_body(**{name: ...}).expect(400, f"no {name}")
    invalid = invalid_texts if media == FORM else invalid_values
    for name in valid.members:
        for value in invalid(schema["properties"][name]):
            yield valid.with_body(**{name: value}).expect(400, f"{name} is {str(value)[:20]!r}")
    yield from _invalid_alternatives(valid, schema)
    yield valid.with_body(unknown="x" * 70_000).expect(413, "too large")
    yield valid.with_headers(content_type="text/plain").expect(415, "a text")


def _invalid_alternatives(valid: Request, schema: Mapping[str, Any]) -> Iterator[InvalidRequest]:
    """Yield bodies with none and with all of the members that exclude each other."""
    names = {name for one in schema.get("oneOf", []) for name in one["required"]}
    if names:
        (value,) = (valid.members[name] for name in names if name in valid.members)
        which = " and ".join(sorted(names))
        yield valid.with_body(**dict.fromkeys(names, ...)).expect(400, f"none of {which}")
        yield valid.with_body(**dict.fromkeys(names, value)).expect(400, f"both {which}")


def _with_duplicate_member(valid: Request) -> bytes:
    media, first = valid.headers["content-type"], next(iter(valid.members))
    body = encode_body(media, valid.members)
    if media == FORM:
        return body + b"&" + urlencode({first: "A"}).encode()
    return body.replace(b"{", f'{{{json.dumps(first)}: "A", '.encode(), 1)
