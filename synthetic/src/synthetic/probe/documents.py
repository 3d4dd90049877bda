"""YAML and JSON documents by URI, and resolution of the `$ref`s between them.

The library `referencing` is not used: it resolves no `$ref` within a pointer, does not report the
pointer that it arrived at, and needs 3 MB and 60 ms of each run.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

from synthetic.probe.results import ProbeError
from synthetic.probe.transport import Proxy
from synthetic.probe.yaml_values import parse_yaml, read_yaml, with_string_keys

MAX_CONTRACT_BYTES = 16 * 1024 * 1024
MAX_REFERENCES = 50  # that lead to one value


class ConfinementError(Exception):
    """A document outside the admitted folders was needed."""


class DocumentStore:
    """Documents by URI, each loaded once."""

    def __init__(self, folders: Sequence[Path] = (), proxy: Proxy | None = None) -> None:
        """Start without documents; with ``folders`` those elsewhere, or at URLs, are not read."""
        self._roots: dict[str, Node] = {}
        self._proxy = proxy
        self._folders = [folder.resolve() for folder in folders]

    def admit(self, uri: str) -> None:
        """Raise ``ConfinementError`` unless the document at a URI may be read."""
        path = Path(unquote(urlsplit(uri).path)).resolve()
        if self._folders and (
            _is_remote(uri) or not any(path.is_relative_to(folder) for folder in self._folders)
        ):
            raise ConfinementError(uri)

    def root(self, location: Path | str) -> "Node":
        """Return the root of the document at a path, or at a file, http or https URL.

        Raises:
            ProbeError: the document cannot be read, or is not YAML.

        """
        uri = location.resolve().as_uri() if isinstance(location, Path) else location
        if uri not in self._roots:
            self._add(uri)
        return self._roots[uri]

    def follow(self, reference: str, base: str) -> "Node":
        """Return the value at a URI reference, which ``base`` resolves.

        Raises:
            ProbeError: the value does not exist, or a remote document refers to a local file.

        """
        uri, fragment = urldefrag(urljoin(base, reference))
        if _is_remote(base) and not _is_remote(uri):
            raise ProbeError(f"{base} must not refer to the local file {uri}")
        fragment = unquote(fragment)
        found = self.root(uri)
        if fragment and not fragment.startswith("/"):
            found = _find_anchor(found, fragment)
        for step in fragment.split("/")[1:]:
            member = found.get(step.replace("~1", "/").replace("~0", "~"))
            if member is None:
                raise ProbeError(f"{_name(base)} refers to {reference}, which does not exist")
            found = member
        return found

    def add_resource(self, node: "Node", identity: str) -> "Node":
        """Return an embedded schema with the base URI that its `$id` sets."""
        base = urldefrag(urljoin(node.base, identity))[0]
        return self._roots.setdefault(base, Node(self, base, "", node.value))

    def _add(self, uri: str) -> None:
        # a file is looked for first, because the search reads all documents
        is_file = not _is_remote(uri) and Path(unquote(urlsplit(uri).path)).is_file()
        if is_file or not self._find_resource(uri):
            self._add_document(uri)

    def _find_resource(self, uri: str) -> bool:
        """Add the embedded schema whose `$id` is ``uri``, and return whether there is one."""
        for root in list(self._roots.values()):
            for node in _descendants(root):
                identity = node.value.get("$id") if isinstance(node.value, dict) else None
                if isinstance(identity, str) and urljoin(node.base, identity) == uri:
                    self.add_resource(node, identity)
                    return True
        return False

    def _add_document(self, uri: str) -> None:
        self.admit(uri)
        try:
            value = with_string_keys(_load(uri, self._proxy), {})
        except RecursionError as error:
            raise ProbeError(f"{_name(uri)} is nested too deeply") from error
        identity = value.get("$self", value.get("$id")) if isinstance(value, dict) else None
        base = urljoin(uri, identity) if isinstance(identity, str) else uri
        self._roots[uri] = self._roots[urldefrag(base)[0]] = Node(self, base, "", value)


class Node:
    """A value of a document with its location; its members are resolved references."""

    def __init__(
        self,
        documents: DocumentStore,
        base: str,
        pointer: str,
        value: Any,  # noqa: ANN401
        depth: int = 0,
    ) -> None:
        """Locate ``value`` at ``pointer`` (RFC 6901) of the document at the URI ``base``."""
        self.documents = documents
        self.base = base
        self.pointer = pointer
        self.value = value
        self._depth = depth  # the number of references that led here

    @property
    def name(self) -> str:
        """The document's file name, for messages."""
        return _name(self.base)

    @property
    def is_remote(self) -> bool:
        """True if the document has a URL of http or https."""
        return _is_remote(self.base)

    @property
    def uri(self) -> str:
        """The location as the value of a `$ref`."""
        return f"{self.base}#{quote(self.pointer)}"

    def get(self, name: str) -> Self | None:
        """Return a member or an element with its reference resolved, or None without one."""
        member = self.member(name)
        return None if member is None else member.resolve()

    def member(self, name: str) -> Self | None:
        """Return a member or an element as it stands, or None without one."""
        if isinstance(self.value, dict) and name in self.value:
            return self._child(name, self.value[name])
        if isinstance(self.value, list) and name.isdecimal() and int(name) < len(self.value):
            return self._child(name, self.value[int(name)])
        return None

    def items(self) -> list[tuple[str, Self]]:
        """Return all members of an object with references resolved."""
        names = self.value if isinstance(self.value, dict) else {}
        return [(name, node) for name in names if (node := self.get(name)) is not None]

    def elements(self) -> list[Self]:
        """Return all elements of an array with references resolved."""
        values = self.value if isinstance(self.value, list) else []
        return [self._child(str(i), value).resolve() for i, value in enumerate(values)]

    def resolve(self) -> Self:
        """Return the value that a reference leads to, or this one.

        Raises:
            ProbeError: the value does not exist.

        """
        reference = self.value.get("$ref") if isinstance(self.value, dict) else None
        return self.follow(reference) if isinstance(reference, str) else self

    def follow(self, reference: str) -> Self:
        """Return the value at a reference of this document.

        Raises:
            ProbeError: the value does not exist.

        """
        if self._depth > MAX_REFERENCES:
            raise ProbeError(f"{self.name} refers to {reference}, which leads in a circle")
        try:
            found = self.documents.follow(reference, self.base)
        except RecursionError as error:
            raise ProbeError(
                f"{self.name} refers to {reference}, which leads in a circle"
            ) from error
        return type(self)(
            self.documents, found.base, found.pointer, found.value, self._depth + 1
        ).resolve()

    def _child(self, name: str, value: Any) -> Self:  # noqa: ANN401
        step = name.replace("~", "~0").replace("/", "~1")
        return type(self)(self.documents, self.base, f"{self.pointer}/{step}", value, self._depth)


def _load(uri: str, proxy: Proxy | None) -> Any:  # noqa: ANN401 - any JSON
    if _is_remote(uri):
        from synthetic.probe.download import download  # noqa: PLC0415 - most journeys need none of it

        return parse_yaml(download(uri, MAX_CONTRACT_BYTES, proxy), _name(uri))
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
        raise ProbeError(f"{uri} cannot be read: use a file, or a URL of http or https")
    return read_yaml(Path(unquote(parts.path)), MAX_CONTRACT_BYTES)


def _is_remote(uri: str) -> bool:
    return urlsplit(uri).scheme in {"http", "https"}


def _name(uri: str) -> str:
    path = urlsplit(uri).path
    return unquote(path.rpartition("/")[2]) or uri


def _find_anchor(root: Node, name: str) -> Node:
    """Return the schema with an `$anchor` or a `$dynamicAnchor` of JSON Schema 2020-12."""
    for node in _descendants(root):
        if isinstance(node.value, dict):
            anchors = node.value.get("$anchor"), node.value.get("$dynamicAnchor")
            if name in anchors:
                return node
    raise ProbeError(f"{root.name} has no anchor {name}")


def _descendants(root: Node) -> Iterator[Node]:
    """Yield all objects and arrays of a document, each once."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if not isinstance(node.value, dict | list) or id(node.value) in seen:
            continue
        seen.add(id(node.value))
        yield node
        keys = node.value if isinstance(node.value, dict) else map(str, range(len(node.value)))
        waiting += [member for key in keys if (member := node.member(key)) is not None]
