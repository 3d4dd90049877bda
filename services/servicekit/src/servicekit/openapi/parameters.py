"""Path, query and header parameters of operations, compiled at start-up."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Request

from servicekit.openapi.contract import ContractError
from servicekit.openapi.schema_validator import UNSTORABLE_CHARS, SchemaValidator, reject, sanitize
from servicekit.problems import ValidationProblem

LOCATIONS = ("path", "query", "header")
TYPES = ("boolean", "integer", "string")  # of parameters: text is converted to no other type
MAX_QUERY_PARAMETERS = 64  # operations have at most five, but a query may have empty ones
MAX_QUERY_LENGTH = 8192  # bytes; the longest valid one, three filters of a list, has some 5,500

_INTEGER = re.compile(r"-?[0-9]{1,20}\Z")


class Parameters:
    """The path, query and header parameters of one operation."""

    def __init__(self, parameters: list[dict[str, Any]], *, strict: bool) -> None:
        """Compile the Parameter Objects of an operation; ``strict`` rejects unknown ones.

        Raises:
            ContractError: a parameter's location, type or default is not supported.

        """
        self._strict = strict
        self._all = [_Parameter(parameter) for parameter in parameters]
        self.arguments = frozenset(parameter.argument for parameter in self._all)
        self._query = {parameter.name for parameter in self._all if parameter.location == "query"}

    def read(self, request: Request) -> dict[str, Any]:
        """Return the arguments for the handler.

        Raises:
            ValidationProblem: a parameter is missing, unknown, repeated or invalid.

        """
        sources: dict[str, Mapping[str, str]] = {
            "path": request.view_args or {},
            "query": self._query_of(request),
            "header": request.environ,
        }
        values: dict[str, Any] = {}
        for parameter in self._all:
            parameter.read_into(values, sources[parameter.location])
        return values

    def _query_of(self, request: Request) -> dict[str, str]:
        if not request.query_string or not self._strict:
            return {}
        if len(request.query_string) > MAX_QUERY_LENGTH:
            reject("query", f"must have at most {MAX_QUERY_LENGTH} bytes")
        if request.query_string.count(b"&") >= MAX_QUERY_PARAMETERS:
            reject("query", f"must have at most {MAX_QUERY_PARAMETERS} parameters")
        _reject_undecodable(request.query_string)
        query: dict[str, str] = {}
        for name, value in request.args.items(multi=True):
            if name not in self._query:
                reject(sanitize(name), "this query parameter is not known here")
            if name in query:
                reject(name, "this query parameter is given more than once")
            query[name] = value
        return query


def _reject_undecodable(query_string: bytes) -> None:
    """Reject percent-encoded bytes that are no UTF-8: Werkzeug keeps their encoding as the text."""
    if b"%" not in query_string:
        return
    for pair in query_string.split(b"&"):
        try:
            unquote_to_bytes(pair).decode()
        except UnicodeDecodeError:
            name = pair.partition(b"=")[0].decode("ascii", "replace")
            reject(sanitize(name), "is not text in UTF-8")


class _Parameter:
    """Conversion of one parameter from text to the value that the handler receives."""

    def __init__(self, parameter: dict[str, Any]) -> None:
        self.name: str = parameter["name"]
        self.location: str = parameter["in"]
        if self.location not in LOCATIONS:
            raise ContractError(f"the parameter {self.name} is in {self.location}, not supported")
        self.argument = self.name.lower().replace("-", "_")
        self._required: bool = parameter.get("required", False)
        self._type = parameter["schema"].get("type")
        if self._type not in TYPES:
            raise ContractError(
                f"the schema of the parameter {self.name} needs a type: {', '.join(TYPES)}"
            )
        self._default = parameter["schema"].get("default")
        self._schema = SchemaValidator(parameter["schema"])
        if self._default is not None:
            self._check_default(self._default)
        header = self.name.upper().replace("-", "_")
        self._key = f"HTTP_{header}" if self.location == "header" else self.name  # PEP 3333

    def read_into(self, values: dict[str, Any], source: Mapping[str, str]) -> None:
        text = source.get(self._key)
        if text is not None:
            values[self.argument] = self._value(text)
        elif self._required:
            reject(self.name, "is required")
        elif self._default is not None:
            values[self.argument] = self._default

    def _check_default(self, default: object) -> None:
        try:
            self._schema.check(default, self.name)
        except ValidationProblem as error:
            raise ContractError(
                f"the default of the parameter {self.name} does not match its schema"
            ) from error

    def _value(self, text: str) -> Any:  # noqa: ANN401 - the type is the contract's
        value: Any = text
        if self._type == "integer":
            if not _INTEGER.match(text):
                reject(self.name, "must be an integer")
            value = int(text)
        elif self._type == "boolean":
            value = {"true": True, "false": False}.get(text, text)
        elif UNSTORABLE_CHARS.search(text):
            reject(self.name, "holds a character that cannot be stored")
        self._schema.check(value, self.name)
        return value
