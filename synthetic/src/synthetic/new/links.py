"""Link Objects: which operation a response leads to, with which values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from synthetic.new.contract import Endpoint, pointer
from synthetic.probe.documents import Node


@dataclass(frozen=True, slots=True)
class Link:
    """A link from a success of one operation to another one."""

    source: Endpoint
    target: Endpoint
    parameters: Mapping[str, Any]  # by name, or by location and name as in `path.id`
    body: Any  # None without one

    def parameter(self, location: str, name: str) -> Any:  # noqa: ANN401 - any JSON
        """Return the value or the expression for a parameter, or None without one."""
        return self.parameters.get(f"{location}.{name}", self.parameters.get(name))


def find_links(endpoints: Iterable[Endpoint]) -> list[Link]:
    """Return the links between some operations; one to an unknown operation is ignored."""
    known = list(endpoints)
    by_id = {(each.source, each.name): each for each in known}
    by_pointer = {(each.source, unquote(pointer(each))): each for each in known}
    return [
        Link(each, target, _parameters(node), node.value.get("requestBody"))
        for each in known
        for node in each.links()
        if (target := _target(each, node, by_id, by_pointer)) is not None
    ]


def _target(
    source: Endpoint,
    node: Node,
    by_id: Mapping[tuple[str, str], Endpoint],
    by_pointer: Mapping[tuple[str, str], Endpoint],
) -> Endpoint | None:
    value = node.value if isinstance(node.value, dict) else {}
    if isinstance(value.get("operationId"), str):
        return by_id.get((source.source, value["operationId"]))
    reference = value.get("operationRef")
    if not isinstance(reference, str):
        return None
    return by_pointer.get((source.source, unquote(f"#{reference.partition('#')[2]}")))


def _parameters(node: Node) -> Mapping[str, Any]:
    found = node.value.get("parameters") if isinstance(node.value, dict) else None
    return found if isinstance(found, dict) else {}
