"""Schema validation with an error message for each invalid field.

OpenAPI 3.0 schemas follow JSON Schema draft 4. In jsonschema-rs, patterns run in linear time, ``$``
matches only at the end of the text, and Decimals stay exact.
"""

import re
from collections.abc import Mapping
from typing import Any, NoReturn

import jsonschema_rs

from servicekit.openapi.formats import FORMATS
from servicekit.problems import MAX_ERRORS, ValidationProblem

# PostgreSQL's text type has no NUL, and UTF-8 has no surrogates
UNSTORABLE_CHARS = re.compile("[\x00\ud800-\udfff]")


class SchemaValidator:
    """A compiled schema whose errors name every invalid field."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Compile ``schema``."""
        self._schema = schema
        self._validator = jsonschema_rs.Draft4Validator(
            dict(schema),
            mask="it",
            validate_formats=True,
            formats={name: check for name, (check, _) in FORMATS.items()},
        )

    def check(self, value: Any, name: str = "") -> None:  # noqa: ANN401 - any JSON value
        """Validate ``value``.

        Raises:
            ValidationProblem: it is invalid; each error has a field below ``name`` and a reason.

        """
        try:
            is_valid = self._validator.is_valid(value)
            errors = [] if is_valid else list(self._validator.iter_errors(value))
        except ValueError:  # of jsonschema-rs, for more than 255 levels
            reject(name or "body", "nests too deep")
        if errors:
            faults: dict[str, dict[str, str]] = {}  # one error for each field
            for error in _filter_errors(errors):
                for fault in _explain(error, self._schema, name):
                    faults.setdefault(fault["field"], fault)
            raise ValidationProblem(list(faults.values()))


def reject(field: str, reason: str) -> NoReturn:
    """Raise ``ValidationProblem`` for one field."""
    raise ValidationProblem([{"field": field, "reason": reason}])


def sanitize(name: str) -> str:
    """Return a name from the client, shortened and printable, for an error message."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in name[:64])
    return shown or "(empty name)"


def _filter_errors(
    errors: list[jsonschema_rs.ValidationError],
) -> list[jsonschema_rs.ValidationError]:
    """Drop the other errors of values that have a wrong type."""
    mistyped = {tuple(error.instance_path) for error in errors if error.kind.name == "type"}
    return [
        error
        for error in errors
        if error.kind.name == "type" or tuple(error.instance_path) not in mistyped
    ]


def _explain(
    error: jsonschema_rs.ValidationError, schema: Mapping[str, Any], name: str
) -> list[dict[str, str]]:
    """Return the invalid fields and the reasons without values, which may be confidential."""
    path = [name] * bool(name) + [str(step) for step in error.instance_path]
    kind: Any = error.kind  # its attributes depend on its name
    match kind.name:
        case "required":
            faults = {".".join([*path, kind.property]): "is required"}
        case "additionalProperties":
            names = map(sanitize, kind.unexpected[:MAX_ERRORS])
            faults = dict.fromkeys(names, "is not known here")
        case "oneOf" | "anyOf":
            return _explain_alternatives(error, schema, path, name)
        case "pattern":
            faults = {".".join(path): _example_hint(_at(schema, error.schema_path[:-1]))}
        case "format" if kind.format in FORMATS:
            faults = {".".join(path): FORMATS[kind.format][1]}
        case _:
            faults = {".".join(path): error.message.removeprefix("it ")}
    return [_fault(field, reason) for field, reason in faults.items()]


def _explain_alternatives(
    error: jsonschema_rs.ValidationError, schema: Mapping[str, Any], path: list[str], name: str
) -> list[dict[str, str]]:
    """Explain by the single alternative whose type matches, which is the intended one."""
    parent = _at(schema, error.schema_path[:-1])
    alternatives = parent[error.schema_path[-1]]
    if all(set(alternative) == {"required"} for alternative in alternatives):
        names = [field for alternative in alternatives for field in alternative["required"]]
        return [_fault(names[0], f"exactly one of {' and '.join(names)} is needed")]
    kind: Any = error.kind
    typed = [errors for errors in kind.context if all(e.kind.name != "type" for e in errors)]
    if len(typed) != 1:
        return [_fault(".".join(path), _example_hint(parent))]
    return [
        _fault(".".join(path), fault["reason"])
        for e in typed[0]
        for fault in _explain(e, schema, name)
    ]


def _fault(field: str, reason: str) -> dict[str, str]:
    return {"field": field or "body", "reason": reason}


def _at(schema: Any, path: list[str | int]) -> Any:  # noqa: ANN401 - any part of a schema
    for step in path:
        schema = schema[step]
    return schema


def _example_hint(schema: Mapping[str, Any]) -> str:
    example = schema.get("example")
    return "is not as described" if example is None else f"must be like {example}"
