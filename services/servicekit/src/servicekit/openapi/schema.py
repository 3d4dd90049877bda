"""Schemas compiled once, and what is said of a value that does not fit one.

Schemas are OpenAPI 3.0's, which follow JSON Schema's draft 4. jsonschema-rs checks them; its
patterns are linear in time, ``$`` there is the end of the text, and Decimals stay exact.
"""

import re
from collections.abc import Mapping
from typing import Any, NoReturn

import jsonschema_rs

from servicekit.problems import Invalid

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL's text has no NUL, UTF-8 no surrogates


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
            for error in _relevant(list(self._validator.iter_errors(value))):
                for fault in _explain(error, self._schema, name):
                    faults.setdefault(fault["field"], fault)
            raise Invalid(list(faults.values()))


def refuse(field: str, reason: str) -> NoReturn:
    """Raise ``Invalid`` for one field."""
    raise Invalid([{"field": field, "reason": reason}])


def printable(name: str) -> str:
    """Return a name of the client's own making, fit to be echoed."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in name[:64])
    return shown or "(empty name)"


def _relevant(errors: list[jsonschema_rs.ValidationError]) -> list[jsonschema_rs.ValidationError]:
    """Leave out what else a schema says of a value that is of the wrong type altogether."""
    mistyped = [error.instance_path for error in errors if error.kind.name == "type"]
    return [
        error
        for error in errors
        if error.kind.name == "type" or error.instance_path not in mistyped
    ]


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
            faults = {printable(unknown): "is not known here" for unknown in kind.unexpected}
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
