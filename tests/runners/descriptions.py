"""OpenAPI descriptions for mock servers.

Prism makes its static answers from schemas with their `writeOnly` properties, which OpenAPI forbids
in answers. The description for Prism refers to copies of the schemas without them there.
"""

from collections.abc import Mapping
from typing import Any

SCHEMAS = "#/components/schemas/"
SUFFIX = ".answer"


def for_mock(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description whose responses have no `writeOnly` properties."""
    rewritten: dict[str, Any] = _responses(description)
    components = rewritten.get("components") or {}
    schemas = (description.get("components") or {}).get("schemas") or {}
    copies = {f"{name}{SUFFIX}": _answer(schema) for name, schema in schemas.items()}
    return {
        **rewritten,
        "components": {**components, "schemas": {**schemas, **copies}},
    }


def _responses(node: Any) -> Any:
    """Return a part of a description with the schemas of its responses rewritten."""
    if isinstance(node, list):
        return [_responses(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _answer(value) if name == "responses" else _responses(value)
        for name, value in node.items()
        if name != "schemas"
    }


def _answer(node: Any) -> Any:
    """Return a schema, or a part of a response, without `writeOnly` properties."""
    if isinstance(node, list):
        return [_answer(item) for item in node]
    if not isinstance(node, dict):
        return f"{node}{SUFFIX}" if isinstance(node, str) and node.startswith(SCHEMAS) else node
    result = {name: _answer(value) for name, value in node.items()}
    properties = node.get("properties")
    if isinstance(properties, dict):
        hidden = {name for name, value in properties.items() if _is_write_only(value)}
        result["properties"] = {k: v for k, v in result["properties"].items() if k not in hidden}
        if isinstance(node.get("required"), list):
            result["required"] = [name for name in node["required"] if name not in hidden]
    return result


def _is_write_only(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("writeOnly") is True
