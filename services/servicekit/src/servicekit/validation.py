"""Validation compiled once per operation: parameters, JSON and form bodies, and answers.

Schemas are OpenAPI 3.0's, which follow JSON Schema's draft 4. jsonschema-rs checks them; its
patterns are linear in time, ``$`` there is the end of the text, and Decimals stay exact.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import jsonschema_rs
from flask import Request

from servicekit.errors import BadRequest, Invalid, UnsupportedMediaType

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

_INTEGER = re.compile(r"-?[0-9]{1,20}\Z")
_LONGEST_NUMBER = 40  # characters; the widest that a contract admits is some twenty
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL's text has no NUL, UTF-8 no surrogates


class Schema:
    """A compiled schema that tells every field at fault."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Compile ``schema``."""
        self._schema = schema
        self._validator = jsonschema_rs.Draft4Validator(dict(schema), mask="it")

    def check(self, value: Any, name: str = "") -> None:  # noqa: ANN401 - any JSON value
        """Check ``value``.

        Raises:
            Invalid: it does not fit; each error names its field, below ``name``, and why.

        """
        if not self._validator.is_valid(value):
            faults: dict[str, dict[str, str]] = {}  # the first of each field is enough
            for error in self._validator.iter_errors(value):
                for fault in _explain(error, self._schema, name):
                    faults.setdefault(fault["field"], fault)
            raise Invalid(list(faults.values()))


class Parameters:
    """The path, query and header parameters of one operation."""

    def __init__(self, parameters: list[dict[str, Any]], *, strict: bool) -> None:
        """Compile the Parameter Objects of an operation; a ``strict`` one refuses all others."""
        self._strict = strict
        self._all = [_Parameter(parameter) for parameter in parameters]
        self._query = {parameter.name for parameter in self._all if parameter.place == "query"}
        self.arguments = {parameter.argument for parameter in self._all}

    def read(self, request: Request) -> dict[str, Any]:
        """Return the arguments for the handler.

        Raises:
            Invalid: a parameter is missing, unknown, given twice, or not as the contract says.

        """
        sources: dict[str, Mapping[str, str]] = {
            "path": request.view_args or {},
            "query": self._query_of(request),
            "header": request.environ,
        }
        values: dict[str, Any] = {}
        for parameter in self._all:
            parameter.read_into(values, sources[parameter.place])
        return values

    def _query_of(self, request: Request) -> dict[str, str]:
        if not request.query_string or not self._strict:
            return {}
        query: dict[str, str] = {}
        for name, value in request.args.items(multi=True):
            if name not in self._query:
                _refuse(_printable(name), "this query parameter is not known here")
            if name in query:
                _refuse(name, "this query parameter is given more than once")
            query[name] = value
        return query


class _Parameter:
    """One parameter, from the text it comes in as to the value that the handler takes."""

    def __init__(self, parameter: dict[str, Any]) -> None:
        self.name: str = parameter["name"]
        self.place: str = parameter["in"]
        self.argument = self.name.lower().replace("-", "_")
        self._required: bool = parameter.get("required", False)
        self._type: str = parameter["schema"]["type"]
        self._default = parameter["schema"].get("default")
        self._schema = Schema(parameter["schema"])
        header = self.name.upper().replace("-", "_")
        self._key = f"HTTP_{header}" if self.place == "header" else self.name  # PEP 3333's name

    def read_into(self, values: dict[str, Any], source: Mapping[str, str]) -> None:
        text = source.get(self._key)
        if text is not None:
            values[self.argument] = self._value(text)
        elif self._required:
            _refuse(self.name, "is required")
        elif self._default is not None:
            values[self.argument] = self._default

    def _value(self, text: str) -> Any:  # noqa: ANN401 - the type is the contract's
        value: Any = text
        if self._type == "integer":
            if not _INTEGER.match(text):
                _refuse(self.name, "must be an integer")
            value = int(text)
        elif self._type == "boolean":
            value = {"true": True, "false": False}.get(text, text)
        elif _UNSTORABLE.search(text):
            _refuse(self.name, "holds a character that cannot be stored")
        self._schema.check(value, self.name)
        return value


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
        schema = self._schemas.get(request.mimetype)
        if schema is None or not _is_utf8(request):
            msg = f"The body must be sent as {' or '.join(self._schemas)}, in UTF-8"
            raise UnsupportedMediaType(msg)
        data = request.get_data(cache=False)
        value = parse_json(data) if request.mimetype == JSON else _parse_form(data)
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
        _refuse(next(_printable(name) for name in names if names.count(name) > 1), "is given twice")
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
        if _UNSTORABLE.search(value):
            _refuse(field or "body", "holds a character that cannot be stored")
    elif isinstance(value, dict):
        for name, member in value.items():
            _refuse_unstorable(name, "body")
            _refuse_unstorable(member, name)
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable(item, field)


def _is_utf8(request: Request) -> bool:
    charset = request.mimetype_params.get("charset", "utf-8")
    return charset.lower().replace("_", "-") in {"utf-8", "utf8", "us-ascii"}


def _refuse(field: str, reason: str) -> NoReturn:
    raise Invalid([{"field": field, "reason": reason}])


def _printable(name: str) -> str:
    """Return a name of the client's own making, fit to be echoed."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in name[:64])
    return shown or "(empty name)"


def _explain(
    error: jsonschema_rs.ValidationError, schema: Mapping[str, Any], name: str
) -> list[dict[str, str]]:
    """Say which field is at fault and why, without its value: it may be a password or a CPF."""
    path = [name] * bool(name) + [str(step) for step in error.instance_path]
    kind: Any = error.kind  # its attributes depend on its name
    match kind.name:
        case "required":
            faults = {".".join([*path, kind.property]): "is required"}
        case "additionalProperties":
            faults = {_printable(unknown): "is not known here" for unknown in kind.unexpected}
        case "oneOf" | "anyOf":
            return _explain_alternatives(error, schema, path, name)
        case "pattern":
            faults = {".".join(path): _like_the_example(_at(schema, error.schema_path[:-1]))}
        case _:
            faults = {".".join(path): error.message.removeprefix("it ")}
    return [_fault(field, reason) for field, reason in faults.items()]


def _explain_alternatives(
    error: jsonschema_rs.ValidationError, schema: Mapping[str, Any], path: list[str], name: str
) -> list[dict[str, str]]:
    """Explain by the one alternative that was meant: the one whose type fits."""
    within = _at(schema, error.schema_path[:-1])
    alternatives = within[error.schema_path[-1]]
    if all(set(alternative) == {"required"} for alternative in alternatives):
        names = [field for alternative in alternatives for field in alternative["required"]]
        return [_fault(names[0], f"exactly one of {' and '.join(names)} is needed")]
    kind: Any = error.kind
    meant = [errors for errors in kind.context if all(e.kind.name != "type" for e in errors)]
    if len(meant) != 1:
        return [_fault(".".join(path), _like_the_example(within))]
    return [
        _fault(".".join(path), fault["reason"])
        for e in meant[0]
        for fault in _explain(e, schema, name)
    ]


def _fault(field: str, reason: str) -> dict[str, str]:
    return {"field": field or "body", "reason": reason}


def _at(schema: Any, path: list[str | int]) -> Any:  # noqa: ANN401 - walks a schema
    for step in path:
        schema = schema[step]
    return schema


def _like_the_example(schema: Mapping[str, Any]) -> str:
    example = schema.get("example")
    return "is not as described" if example is None else f"must be like {example}"
