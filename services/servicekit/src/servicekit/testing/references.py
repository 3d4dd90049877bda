"""A contract without references."""

from typing import Any


def resolved(document: dict[str, Any]) -> dict[str, Any]:
    """Return a bundled contract with what its references name instead of the references."""

    def place(node: Any) -> Any:
        if isinstance(node, list):
            return [place(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            _, _, kind, name = node["$ref"].split("/")
            return place(document["components"][kind][name])
        return {name: place(item) for name, item in node.items()}

    whole: dict[str, Any] = place(document)
    return whole
