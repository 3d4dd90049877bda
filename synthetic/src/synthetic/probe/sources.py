"""Documents that a journey consists of: Arazzo documents and the contracts that they name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from synthetic.probe.documents import DocumentStore
from synthetic.probe.openapi_parser import load_operations
from synthetic.probe.operation import Operation
from synthetic.probe.results import ProbeError
from synthetic.probe.transport import Proxy
from synthetic.probe.yaml_document import YamlDocument


class SourceError(ProbeError):
    """The document of a source description is missing or invalid."""

    def __init__(self, name: str, message: str) -> None:
        """Set the name of the source description."""
        super().__init__(message)
        self.name = name


class Sources:
    """Documents by path or URL, each read once."""

    def __init__(
        self,
        files: Mapping[str, Path] | None = None,
        folders: Sequence[Path] = (),
        proxy: Proxy | None = None,
    ) -> None:
        """Start without documents; ``files`` has the files to read in place of URLs.

        Other URLs are read by way of the ``proxy``, if any.
        With ``folders``, documents elsewhere or at other URLs raise ``ConfinementError``.
        """
        self._files = files or {}
        self._arazzo: dict[Path, YamlDocument] = {}
        self._contracts: dict[Path | str, Mapping[str, Operation] | ProbeError] = {}
        self._store = DocumentStore(folders, proxy)

    def arazzo(self, path: Path) -> YamlDocument:
        """Return an Arazzo document.

        Raises:
            ProbeError: it cannot be read, or is not YAML.

        """
        path = path.resolve()
        self._store.admit(path.as_uri())
        if path not in self._arazzo:
            self._arazzo[path] = YamlDocument(path)
        return self._arazzo[path]

    def operations(self, location: Path | str) -> Mapping[str, Operation]:
        """Return the operations of a contract by operationId and by JSON pointer.

        Raises:
            ProbeError: it cannot be read, or is not an OpenAPI document.

        """
        if location not in self._contracts:
            try:
                self._contracts[location] = load_operations(self._store, location)
            except ProbeError as error:
                self._contracts[location] = error  # a download is not repeated
        found = self._contracts[location]
        if isinstance(found, ProbeError):
            raise found
        return found

    def locate(self, url: str, document: Path) -> Path | str:
        """Return the file of a source description's ``url``, relative to its document, or a URL.

        A URL is looked for among the `$self` of the Arazzo documents that have been read.

        Raises:
            ProbeError: there is no such file.

        """
        if url in self._files:
            return self._files[url]
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"}:
            same = (path for path, known in self._arazzo.items() if _identity(known.value) == url)
            return next(same, url)
        path = document.parent / unquote(parts.path)
        self._store.admit(path.resolve().as_uri())
        if not path.is_file():
            raise ProbeError(f"{url[:200]} does not exist: {path} is not a file")
        return path


def _identity(value: Any) -> Any:  # noqa: ANN401 - any JSON
    return value.get("$self") if isinstance(value, dict) else None


def source_type(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return the type of a document that its source description does not name."""
    names = value if isinstance(value, dict) else {}
    return next((name for name in ("arazzo", "asyncapi") if name in names), "openapi")
