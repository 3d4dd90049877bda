"""Mistakes in contracts with their places, found before a journey is written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from synthetic.probe.documents import DocumentStore, Node
from synthetic.probe.openapi_parser import METHODS, VERSIONS
from synthetic.probe.problems import MAX_PROBLEMS, Problem, quoted
from synthetic.probe.results import ProbeError
from synthetic.probe.yaml_document import Location, YamlDocument

DATA = frozenset(("example", "examples", "enum", "const", "value"))
OTHERS = {
    "swagger": "Swagger 2.0 is not supported: convert it to OpenAPI 3, for instance with "
    "`npx swagger2openapi`",
    "asyncapi": "this is AsyncAPI, which has no HTTP operations: name an OpenAPI description",
    "arazzo": "this is an Arazzo document: name the OpenAPI description that it refers to",
}


def find_problems(store: DocumentStore, location: Path | str) -> list[Problem]:
    """Return the mistakes that keep a contract from being read.

    Raises:
        ProbeError: the file cannot be read, or is not YAML.

    """
    try:
        root = store.root(location)
    except ProbeError:
        if isinstance(location, Path):
            YamlDocument(location)  # its message has line and column
        raise
    places = _Places(root, str(location))
    found = [places.problem(root, path, message) for path, message in _of_root(root.value)]
    return found or sorted(_broken_references(root, places))


class _Places:
    """Lines and columns of values; a document by URL has none."""

    def __init__(self, root: Node, name: str) -> None:
        self._documents: dict[str, YamlDocument | None] = {}
        self._root, self._name = root.base, name

    def problem(self, node: Node, path: Location, message: str) -> Problem:
        """Return a problem at a value below a node."""
        steps = [s.replace("~1", "/").replace("~0", "~") for s in node.pointer.split("/")[1:]]
        document = self._document(node.base)
        where = [int(s) if s.isdecimal() else s for s in steps]
        places = [document.place([*names, *path]) for names in (steps, where)] if document else []
        name = self._name if node.base == self._root else _local(node.base)
        return Problem(name, *max(places, default=(1, 1)), message)

    def _document(self, base: str) -> YamlDocument | None:
        if base not in self._documents:
            try:
                self._documents[base] = YamlDocument(Path(_local(base)))
            except ProbeError:
                self._documents[base] = None
        return self._documents[base]


def _local(base: str) -> str:
    parts = urlsplit(base)
    return unquote(parts.path) if parts.scheme == "file" else base


def _of_root(value: Any) -> Iterator[tuple[Location, str]]:  # noqa: ANN401 - any JSON
    """Yield the mistake of a document that is no OpenAPI description with operations."""
    names = value if isinstance(value, dict) else {}
    version = names.get("openapi")
    other = next((name for name in OTHERS if name in names), None)
    if version is None:
        hint = OTHERS[other] if other else "it has no member openapi: name an OpenAPI description"
        yield ([other] if other else []), hint
    elif not isinstance(version, str) or not version.startswith(VERSIONS):
        yield ["openapi"], f"openapi must be 3.0, 3.1 or 3.2 with quotes, not {quoted(version)}"
    elif not isinstance(names.get("paths"), dict):
        yield ["paths"], "paths is missing: there is nothing to call"
    elif not any(_has_operation(item) for item in names["paths"].values()):
        yield ["paths"], "paths has no operations: there is nothing to call"


def _has_operation(item: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(item, dict) and ("$ref" in item or any(name in item for name in METHODS))


def _broken_references(root: Node, places: _Places) -> Iterator[Problem]:
    """Yield the references that lead nowhere, in all that the operations consist of."""
    waiting = [node for node in (root.member("paths"),) if node is not None]
    seen: set[int] = set()
    count = 0
    while waiting and count < MAX_PROBLEMS:
        node = waiting.pop()
        if not isinstance(node.value, dict | list) or id(node.value) in seen:
            continue
        seen.add(id(node.value))
        if isinstance(node.value, dict) and isinstance(node.value.get("$ref"), str):
            try:
                waiting.append(node.resolve())
            except ProbeError as error:
                count += 1
                yield places.problem(node, ["$ref"], str(error))
        waiting += _children(node)


def _children(node: Node) -> list[Node]:
    names = node.value if isinstance(node.value, dict) else map(str, range(len(node.value)))
    wanted = (name for name in names if name not in DATA and not name.startswith("x-"))
    return [child for name in wanted if (child := node.member(name)) is not None]
