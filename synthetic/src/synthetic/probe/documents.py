"""YAML documents, and resolution of the `$ref`s between them.

The library `referencing` is not used: it resolves no `$ref` within a pointer, does not report the
pointer that it arrived at, and needs 3 MB and 60 ms of each run.
"""

from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import quote, unquote

import yaml

from synthetic.probe.results import ProbeError

# libyaml is about ten times faster; all wheels have it, source builds may not
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TIMESTAMP_TAG = "tag:yaml.org,2002:timestamp"

MAX_FILE_BYTES = 2 * 1024 * 1024  # bytes


class _Loader(_SafeLoader):  # type: ignore[misc] # one of two classes
    """A YAML loader of JSON values: dates stay strings."""

    yaml_implicit_resolvers: ClassVar = {
        first: [pair for pair in pairs if pair[0] != _TIMESTAMP_TAG]
        for first, pairs in _SafeLoader.yaml_implicit_resolvers.items()
    }


class DocumentStore:
    """Documents by path, each loaded once."""

    def __init__(self) -> None:
        self._contents: dict[Path, Any] = {}

    def root(self, path: Path) -> "Node":
        """Return the root of a document.

        Raises:
            ProbeError: the file cannot be read, or is not YAML.

        """
        path = path.resolve()
        if path not in self._contents:
            try:
                self._contents[path] = nullable_to_type(read_yaml(path))
            except RecursionError as error:
                raise ProbeError(f"{path.name} is nested too deeply") from error
        return Node(self, path, "", self._contents[path])

    def retrieve(self, uri: str) -> Any:  # noqa: ANN401 - any JSON
        """Return the document at a file URI, for a validator that resolves references."""
        return self.root(Path(unquote(uri.removeprefix("file://")))).value


class Node:
    """A value of a document with its location; its members are resolved references."""

    def __init__(self, documents: DocumentStore, file: Path, pointer: str, value: Any) -> None:  # noqa: ANN401
        """Locate ``value`` at ``pointer`` (RFC 6901) of ``file``."""
        self._documents = documents
        self.file = file
        self.pointer = pointer
        self.value = value

    @property
    def uri(self) -> str:
        """The location as the value of a `$ref`."""
        return f"{self.file.as_uri()}#{quote(self.pointer)}"

    def get(self, name: str) -> Self | None:
        """Return a member with its reference resolved, or None without such a member."""
        if not isinstance(self.value, dict) or name not in self.value:
            return None
        return self._child(name, self.value[name])._resolve()  # noqa: SLF001 - the same class

    def items(self) -> list[tuple[str, Self]]:
        """Return all members of an object with references resolved."""
        names = self.value if isinstance(self.value, dict) else {}
        return [(name, node) for name in names if (node := self.get(name)) is not None]

    def elements(self) -> list[Self]:
        """Return all elements of an array with references resolved."""
        values = self.value if isinstance(self.value, list) else []
        return [self._child(str(i), value)._resolve() for i, value in enumerate(values)]  # noqa: SLF001

    def _child(self, name: str, value: Any) -> Self:  # noqa: ANN401
        step = name.replace("~", "~0").replace("/", "~1")
        return type(self)(self._documents, self.file, f"{self.pointer}/{step}", value)

    def _resolve(self) -> Self:
        reference = self.value.get("$ref") if isinstance(self.value, dict) else None
        if not isinstance(reference, str):
            return self
        name, _, pointer = reference.partition("#")
        file = (self.file.parent / name).resolve() if name else self.file
        root = self._documents.root(file)
        node = type(self)(self._documents, file, "", root.value)
        for step in pointer.split("/")[1:]:
            found = node.get(step.replace("~1", "/").replace("~0", "~"))
            if found is None:
                raise ProbeError(f"{self.file.name} refers to {reference}, which does not exist")
            node = found
        return node


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - any JSON
    """Return the content of a YAML file.

    Raises:
        ProbeError: the file cannot be read, is too large, or is not YAML.

    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ProbeError(f"{path.name} is larger than {MAX_FILE_BYTES} bytes")
        return yaml.load(path.read_bytes(), _Loader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise ProbeError(f"{path} cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ProbeError(
            f"{path.name} is not YAML{where}: {getattr(error, 'problem', error)}"
        ) from error
    except RecursionError as error:
        raise ProbeError(f"{path.name} is nested too deeply") from error


def nullable_to_type(node: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a document with OpenAPI 3.0's `nullable` converted to a type array."""
    if isinstance(node, list):
        return [nullable_to_type(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        node = {**node, "type": [node["type"], "null"]}
    return {str(name): nullable_to_type(value) for name, value in node.items()}
