"""Inputs of workflows: the first example, default or enumerated value, or a value of the type."""

from collections.abc import Mapping
from typing import Any

SAMPLES: dict[str, Any] = {
    "string": "sample",
    "integer": 1,
    "number": 1,
    "boolean": True,
    "array": ["sample"],
    "null": None,
}
FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "email": "sample@example.com",
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "uri": "https://example.com/",
}


def sample_inputs(workflow: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value for each input of a workflow."""
    value = _sample(workflow.get("inputs") or {}, document)
    return value if isinstance(value, dict) else {}


def _sample(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """Return a value of a schema; the type is that of the schema."""
    if "$ref" in schema:
        return _sample(_resolve(schema["$ref"], document), document)
    for name in ("const", "default", "example"):
        if name in schema:
            return schema[name]
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    if "properties" in schema:
        return {name: _sample(each, document) for name, each in schema["properties"].items()}
    kind = schema.get("type", "object")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "array":
        return [_sample(schema.get("items") or {"type": "string"}, document)]
    return FORMATS.get(schema.get("format", ""), SAMPLES.get(kind, {}))


def _resolve(reference: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    node: Any = document
    for name in reference.removeprefix("#/").split("/"):
        node = node[name]
    found: Mapping[str, Any] = node
    return found
