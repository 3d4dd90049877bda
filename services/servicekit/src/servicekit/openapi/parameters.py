"""The path, query and header parameters of an operation, compiled when the service starts."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Request

from servicekit.openapi.schema import UNSTORABLE, Schema, printable, refuse
from servicekit.openapi.specification import ContractError
from servicekit.problems import Invalid

_INTEGER = re.compile(r"-?[0-9]{1,20}\Z")


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
                refuse(printable(name), "this query parameter is not known here")
            if name in query:
                refuse(name, "this query parameter is given more than once")
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
        if self._default is not None:
            self._check_default(self._default)
        header = self.name.upper().replace("-", "_")
        self._key = f"HTTP_{header}" if self.place == "header" else self.name  # PEP 3333's name

    def read_into(self, values: dict[str, Any], source: Mapping[str, str]) -> None:
        text = source.get(self._key)
        if text is not None:
            values[self.argument] = self._value(text)
        elif self._required:
            refuse(self.name, "is required")
        elif self._default is not None:
            values[self.argument] = self._default

    def _check_default(self, default: object) -> None:
        try:
            self._schema.check(default, self.name)
        except Invalid as error:
            message = f"the default of the parameter {self.name} does not fit its own schema"
            raise ContractError(message) from error

    def _value(self, text: str) -> Any:  # noqa: ANN401 - the type is the contract's
        value: Any = text
        if self._type == "integer":
            if not _INTEGER.match(text):
                refuse(self.name, "must be an integer")
            value = int(text)
        elif self._type == "boolean":
            value = {"true": True, "false": False}.get(text, text)
        elif UNSTORABLE.search(text):
            refuse(self.name, "holds a character that cannot be stored")
        self._schema.check(value, self.name)
        return value
