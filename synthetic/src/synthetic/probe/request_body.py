"""Request bodies: JSON, forms, multipart forms, and texts as given."""

import json
import os
from collections.abc import Mapping
from typing import Any

from synthetic.probe.documents import Node
from synthetic.probe.media_types import FORM, MULTIPART, MediaType, parse_media_type
from synthetic.probe.parameter_values import (
    EXPLODED_STYLES,
    ParameterSpec,
    join_pairs,
    json_text,
    query_pairs,
)
from synthetic.probe.results import public_error
from synthetic.probe.runtime_values import as_text

MAX_DECLARATION = 200  # characters of XML that hold its declaration
STYLE_FIELDS = ("style", "explode", "allowReserved")


def encode_body(
    payload: Any,  # noqa: ANN401 - any JSON
    content_type: str,
    described: Node | None,
    *,
    is_text: bool,
) -> tuple[str, bytes]:
    """Return the Content-Type and the body of a payload; ``described`` is its Media Type Object.

    ``is_text`` marks a string that is the body's text itself, and not a JSON value.

    Raises:
        StepError: with the reason runner, when the media type cannot represent the payload.

    """
    media = parse_media_type(content_type)
    encoding = described.get("encoding") if described else None
    if isinstance(payload, str) and (is_text or not media.is_json):
        return content_type, _encode_text(payload, media)
    if media.is_json:
        text = json_text(payload)
        # half of a surrogate pair becomes the escape sequence of JSON that it has been
        return content_type, text.encode(errors="backslashreplace")
    if media.name == FORM:
        return content_type, _encode_form(_fields(payload, content_type), encoding).encode()
    if media.name == MULTIPART:
        boundary = dict(media.parameters).get("boundary") or os.urandom(16).hex()
        body = _encode_multipart(_fields(payload, content_type), encoding, boundary)
        return f"{MULTIPART}; boundary={boundary}", body
    if isinstance(payload, Mapping | list) or payload is None:
        raise public_error(
            "runner", f"the payload of {content_type} must be a text, not {_kind(payload)}"
        )
    return content_type, _encode_text(as_text(payload), media)


def _encode_text(text: str, media: MediaType) -> bytes:
    encoding = media.encoding_of(text[:MAX_DECLARATION].encode(errors="replace"))
    try:
        return text.encode(encoding)
    except (LookupError, UnicodeEncodeError) as error:
        raise public_error("runner", f"the payload cannot be encoded as {encoding[:40]}") from error


def _fields(payload: Any, content_type: str) -> Mapping[str, Any]:  # noqa: ANN401 - any JSON
    if not isinstance(payload, Mapping):
        raise public_error(
            "runner",
            f"the payload of {content_type} must be an object or a text, not {_kind(payload)}",
        )
    return {name: value for name, value in payload.items() if value is not None}


def _kind(payload: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(payload, Mapping):
        return "an object"
    if isinstance(payload, list):
        return "an array"
    return "null" if payload is None else "a number or a boolean"


def _encode_form(fields: Mapping[str, Any], encoding: Node | None) -> str:
    pairs = [
        pair
        for name, value in fields.items()
        for pair in query_pairs(_field_spec(name, value, encoding), value)
    ]
    return join_pairs(pairs)


def _field_spec(name: str, value: Any, encoding: Node | None) -> ParameterSpec:  # noqa: ANN401
    """Return a field as a query parameter; an object without a style is sent as JSON."""
    given = encoding.get(name) if encoding else None
    described = given.value if given else {}
    if not any(field in described for field in STYLE_FIELDS):
        is_json = isinstance(value, Mapping) or "json" in described.get("contentType", "")
        media_type = "application/json" if is_json else ""
        return ParameterSpec("query", name, style="form", explode=True, media_type=media_type)
    style = described.get("style", "form")
    return ParameterSpec(
        "query",
        name,
        style=style,
        explode=bool(described.get("explode", style in EXPLODED_STYLES)),
        allow_reserved=bool(described.get("allowReserved")),
    )


def _encode_multipart(fields: Mapping[str, Any], encoding: Node | None, boundary: str) -> bytes:
    """Return a body of RFC 7578; each element of an array is a part of its own."""
    parts = []
    for name, value in fields.items():
        given = encoding.get(name) if encoding else None
        content_type = str(given.value.get("contentType", "")) if given else ""
        content_type = content_type.partition(",")[0].strip()
        elements = value if isinstance(value, list) else [value]
        parts += [_part(name, each, content_type) for each in elements]
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f"{body}--{boundary}--\r\n".encode()


def _part(name: str, value: Any, content_type: str) -> str:  # noqa: ANN401 - any JSON
    quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    headers = [f'Content-Disposition: form-data; name="{quoted}"']
    if not content_type and isinstance(value, Mapping | list):
        content_type = "application/json"
    if content_type and not content_type.startswith("text/plain"):
        if not parse_media_type(content_type).is_json:
            headers[0] += f'; filename="{quoted}"'
        headers.append(f"Content-Type: {content_type}")
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return "\r\n".join([*headers, "", text])
