"""Strict parsing and validation of request bodies, JSON or forms."""

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Container
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.http import parse_options_header

from servicekit.http.responses import JSON
from servicekit.openapi.schema_validator import UNSTORABLE_CHARS, SchemaValidator, reject, sanitize
from servicekit.problems import BadRequest, UnsupportedMediaType

_MEDIA_TYPE_CACHE_SIZE = 64  # headers; a client sends always the same
_UTF_8 = frozenset(("utf-8", "utf8", "us-ascii"))
_DELIMITERS = (b",", b":", b"[", b"{")  # outside of texts, each begins a value or a name
_MAX_DELIMITERS = 256  # a value costs far more time than its bytes; contracts allow some ten
_MAX_NUMBER_LENGTH = 40  # characters; contracts allow some twenty
_MAX_EXPONENT = 308  # decimal, the range of the doubles that RFC 8259, section 6 recommends
_FORM = "application/x-www-form-urlencoded"
_MAX_FORM_FIELDS = 100
_MAX_FORM_LENGTH = 4096  # bytes; the longest valid one, with an escaped scope, has some 1,600
_OUT_OF_RANGE = "The body holds a number that is out of range"
_MAX_CONTENT_TYPE = 256  # characters; its parser takes quadratic time


class RequestBody:
    """The request body of one operation, JSON or a form."""

    def __init__(self, request_body: dict[str, Any]) -> None:
        """Compile a Request Body Object."""
        content = request_body["content"]
        self._schemas = {media: SchemaValidator(spec["schema"]) for media, spec in content.items()}
        form = content.get(_FORM)
        self._form_fields = frozenset(form["schema"]["properties"] if form else ())

    def read(self, request: Request) -> Any:  # noqa: ANN401 - any JSON value
        """Return the body as Python values; numbers with a fraction are exact Decimals.

        Raises:
            UnsupportedMediaType: the contract does not allow the media type.
            BadRequest: the body is malformed.
            ValidationProblem: the body violates the contract; each error names its field.

        """
        coding = request.environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
        if coding not in {"", "identity"}:
            problem = UnsupportedMediaType("The body must be sent without a content coding")
            problem.headers["Accept-Encoding"] = "identity"  # RFC 9110, 12.5.3
            raise problem
        media_type, charset = _media_type(request.environ.get("CONTENT_TYPE", ""))
        schema = self._schemas.get(media_type)
        if schema is None or charset not in _UTF_8:
            media_types = " or ".join(self._schemas)
            raise UnsupportedMediaType(f"The body must be sent as {media_types}, in UTF-8")
        data = request.environ["wsgi.input"].read()  # the bridge has buffered it
        value = parse_json(data) if media_type == JSON else _parse_form(data, self._form_fields)
        schema.check(value)
        return value


def parse_json(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a JSON text (RFC 8259), with stricter rules than ``json.loads``.

    Raises:
        BadRequest: it is not JSON, has a duplicate member, too many values or too deep a nesting,
            or contains a number of more than 40 characters, NaN, a NUL or an unpaired surrogate.

    """
    if _has_many_values(data):
        raise BadRequest("The body holds too many values")
    if data.startswith(BOM_UTF8):  # RFC 8259, 8.1
        raise BadRequest("The body is not JSON: it starts with a byte order mark")
    try:
        value = _decode(data.decode())
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8") from None
    except RecursionError:
        raise BadRequest("The body nests too deep") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"The body is not JSON: {error.msg} at {where}") from None
    if b"\\u" in data or b"\0" in data:  # unstorable characters have no other source
        _reject_unstorable(value)
    return value


def _has_many_values(data: bytes) -> bool:
    """Return whether there are too many values before the end or the first error of syntax."""
    unescaped = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    if unescaped.count(b'"') > 2 * (
        _MAX_DELIMITERS + 1
    ):  # a text follows a delimiter, but the first
        return True
    outside = b"".join(unescaped.split(b'"')[::2])
    return sum(map(outside.count, _DELIMITERS)) > _MAX_DELIMITERS


def _bounded_integer(text: str) -> int:
    if len(text) > _MAX_NUMBER_LENGTH:
        raise BadRequest("The body holds a number that is too long")
    return int(text)


def _bounded_decimal(text: str) -> Decimal:
    if len(text) > _MAX_NUMBER_LENGTH:
        raise BadRequest("The body holds a number that is too long")
    try:
        number = Decimal(text)
    except InvalidOperation:  # the exponent is beyond what the type can hold
        raise BadRequest(_OUT_OF_RANGE) from None
    if abs(number.adjusted()) > _MAX_EXPONENT:
        raise BadRequest(_OUT_OF_RANGE)
    # "3e0" is the decimal 3, which the validator would take for an integer
    return number if number.as_tuple().exponent else Decimal(f"{number}.0")


def _reject_constant(text: str) -> NoReturn:
    raise BadRequest(f"The body is not JSON: {text} is not a JSON number")


def _reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        reject(sanitize(next(name for name in counts if counts[name] > 1)), "is given twice")
    return members


_decode = json.JSONDecoder(
    parse_int=_bounded_integer,
    parse_float=_bounded_decimal,
    parse_constant=_reject_constant,
    object_pairs_hook=_reject_duplicate_keys,
).decode


def _parse_form(data: bytes, fields: Container[str]) -> dict[str, str]:
    """Return the known fields of a form; unknown and empty ones are ignored (RFC 6749, 3.2)."""
    if len(data) > _MAX_FORM_LENGTH:
        raise BadRequest(f"The form has more than {_MAX_FORM_LENGTH} bytes")
    try:
        pairs = parse_qsl(data.decode(), max_num_fields=_MAX_FORM_FIELDS, errors="strict")
    except (UnicodeDecodeError, ValueError):
        raise BadRequest("The body is not a form") from None
    form = _reject_duplicate_keys([pair for pair in pairs if pair[0] in fields])
    _reject_unstorable(form)
    return form


def _reject_unstorable(value: Any, field: str = "") -> None:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        if UNSTORABLE_CHARS.search(value):
            reject(field or "body", "holds a character that cannot be stored")
    elif isinstance(value, dict):
        for name, member in value.items():
            _reject_unstorable(name, "body")
            _reject_unstorable(member, name)
    elif isinstance(value, list):
        for item in value:
            _reject_unstorable(item, field)


@lru_cache(_MEDIA_TYPE_CACHE_SIZE)
def _media_type(header: str) -> tuple[str, str]:
    """Return the media type and the charset of a Content-Type (RFC 9110, section 8.3)."""
    if len(header) > _MAX_CONTENT_TYPE:
        return "", ""
    media_type, parameters = parse_options_header(header)
    return media_type.lower(), parameters.get("charset", "utf-8").lower().replace("_", "-")
