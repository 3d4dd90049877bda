"""The body of a request, JSON or a form, read more strictly than the standard library does."""

import json
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.http import parse_options_header

from servicekit.http.responses import JSON
from servicekit.openapi.schema import UNSTORABLE, Schema, printable, refuse
from servicekit.problems import BadRequest, UnsupportedMediaType

_MEDIA_TYPES = 64  # that are remembered; a client sends one
_UTF_8 = frozenset(("utf-8", "utf8", "us-ascii"))
_LONGEST_NUMBER = 40  # characters; the widest that a contract admits is some twenty


class Body:
    """The request body of one operation, JSON or a form."""

    def __init__(self, request_body: dict[str, Any]) -> None:
        """Compile a Request Body Object."""
        content = request_body["content"]
        self._schemas = {media: Schema(spec["schema"]) for media, spec in content.items()}

    def read(self, request: Request) -> Any:  # noqa: ANN401 - any JSON value
        """Return the body as Python values; numbers with a fraction are exact Decimals.

        Raises:
            UnsupportedMediaType: the body is of another kind than the contract names.
            BadRequest: it is not JSON.
            Invalid: it does not fit the contract; each error names its field.

        """
        media_type, charset = _media_type(request.environ.get("CONTENT_TYPE", ""))
        schema = self._schemas.get(media_type)
        if schema is None or charset not in _UTF_8:
            msg = f"The body must be sent as {' or '.join(self._schemas)}, in UTF-8"
            raise UnsupportedMediaType(msg)
        data = request.environ["wsgi.input"].read()  # the bridge has it whole
        value = parse_json(data) if media_type == JSON else _parse_form(data)
        schema.check(value)
        return value


def parse_json(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return what a JSON text (RFC 8259) says, more strictly than the standard library.

    Raises:
        BadRequest: it is not JSON, names a member twice, nests too deep, holds a number of more
            than 40 characters, NaN, a NUL, or half a surrogate pair.

    """
    try:
        value = _decode(data.decode())
    except UnicodeDecodeError:
        msg = "The body is not UTF-8"
        raise BadRequest(msg) from None
    except RecursionError:
        msg = "The body nests too deep"
        raise BadRequest(msg) from None
    except json.JSONDecodeError as error:
        msg = f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise BadRequest(msg) from None
    if b"\\u" in data or b"\0" in data:  # the only ways in for what cannot be stored
        _refuse_unstorable(value)
    return value


def _bounded_integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        msg = "The body holds a number that is too long"
        raise BadRequest(msg)
    return int(text)


def _bounded_decimal(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        msg = "The body holds a number that is too long"
        raise BadRequest(msg)
    return Decimal(text)


def _no_constant(text: str) -> NoReturn:
    msg = f"The body is not JSON: {text} is not a JSON number"
    raise BadRequest(msg)


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        refuse(next(printable(name) for name in names if names.count(name) > 1), "is given twice")
    return members


_decode = json.JSONDecoder(
    parse_int=_bounded_integer,
    parse_float=_bounded_decimal,
    parse_constant=_no_constant,
    object_pairs_hook=_unique_members,
).decode


def _parse_form(data: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=20, errors="strict")
    except (UnicodeDecodeError, ValueError):
        msg = "The body is not a form"
        raise BadRequest(msg) from None
    form = _unique_members([(name, value) for name, value in pairs])
    _refuse_unstorable(form)
    return form


def _refuse_unstorable(value: Any, field: str = "") -> None:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        if UNSTORABLE.search(value):
            refuse(field or "body", "holds a character that cannot be stored")
    elif isinstance(value, dict):
        for name, member in value.items():
            _refuse_unstorable(name, "body")
            _refuse_unstorable(member, name)
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable(item, field)


@lru_cache(_MEDIA_TYPES)
def _media_type(header: str) -> tuple[str, str]:
    """Return what a Content-Type names (RFC 9110, section 8.3), and its charset."""
    media_type, parameters = parse_options_header(header)
    return media_type.lower(), parameters.get("charset", "utf-8").lower().replace("_", "-")
