"""Documents that a journey consists of: Arazzo documents and the contracts that they name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from synthetic.probe.documents import DocumentStore
from synthetic.probe.openapi_parser import load_operations
from synthetic.probe.operation import Operation
from synthetic.probe.results import ProbeError
from synthetic.probe.yaml_document import YamlDocument


class Sources:
    """Documents by path, each read once."""

    def __init__(self) -> None:
        """Start without documents."""
        self._arazzo: dict[Path, YamlDocument] = {}
        self._contracts: dict[Path, Mapping[str, Operation]] = {}
        self._store = DocumentStore()

    def arazzo(self, path: Path) -> YamlDocument:
        """Return an Arazzo document.

        Raises:
            ProbeError: it cannot be read, or is not YAML.

        """
        path = path.resolve()
        if path not in self._arazzo:
            self._arazzo[path] = YamlDocument(path)
        return self._arazzo[path]

    def operations(self, path: Path) -> Mapping[str, Operation]:
        """Return the operations of a contract by operationId and by JSON pointer.

        Raises:
            ProbeError: it cannot be read, or is not an OpenAPI document.

        """
        path = path.resolve()
        if path not in self._contracts:
            self._contracts[path] = load_operations(self._store, path)
        return self._contracts[path]

    def locate(self, url: str, document: Path) -> Path:
        """Return the file of a source description's ``url``, relative to its document.

        An absolute URL is looked for among the `$self` of the documents that have been read.

        Raises:
            ProbeError: there is no such file.

        """
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"}:
            for path, known in self._arazzo.items():
                if isinstance(known.value, dict) and known.value.get("$self") == url:
                    return path
            raise ProbeError(f"{url[:200]} is not fetched: put it beside the journey")
        path = document.parent / unquote(parts.path)
        if not path.is_file():
            raise ProbeError(f"{url[:200]} does not exist: {path} is not a file")
        return path


def source_type(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return the type of a document that its source description does not name."""
    names = value if isinstance(value, dict) else {}
    return next((name for name in ("arazzo", "asyncapi") if name in names), "openapi")
