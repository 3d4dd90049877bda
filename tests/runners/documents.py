"""Arazzo documents below folders, with the descriptions that they refer to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SUFFIXES = frozenset((".yaml", ".yml", ".json"))


@dataclass(frozen=True)
class Document:
    """One Arazzo document."""

    path: Path
    name: str  # its path, from the name of the given folder on
    content: Mapping[str, Any]

    @property
    def workflows(self) -> dict[str, Mapping[str, Any]]:
        """The workflows by workflowId."""
        return {each["workflowId"]: each for each in self.content.get("workflows") or ()}


def find_documents(folders: Sequence[Path]) -> list[Document]:
    """Return the Arazzo documents below folders, sorted by name."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                content = _load(path)
                if isinstance(content, dict) and "arazzo" in content:
                    found.append(Document(path, str(path.relative_to(folder.parent)), content))
    return sorted(found, key=lambda document: document.name)


def descriptions(document: Document) -> dict[str, Path]:
    """Return the OpenAPI descriptions of a document, and of those that it refers to, by name."""
    return dict(_descriptions(document.path, document.content, set()))


def _descriptions(
    path: Path, content: Mapping[str, Any], seen: set[Path]
) -> Iterator[tuple[str, Path]]:
    if path in seen:
        return
    seen.add(path)
    for source in content.get("sourceDescriptions") or ():
        file = (path.parent / source["url"]).resolve()
        described = _load(file) if file.is_file() else None
        if not isinstance(described, dict):
            continue
        if "arazzo" in described:
            yield from _descriptions(file, described, seen)
        elif "openapi" in described:
            yield source["name"], file


def copy_with_sources(document: Document, folder: Path, sources: Mapping[str, Path]) -> None:
    """Copy a document to a folder, with files in place of the URLs of its descriptions.

    Redocly Respect has no option for that. Lines keep their numbers.
    """
    text = document.path.read_text(encoding="utf-8")
    for url, file in sources.items():
        text = text.replace(url, str(file.resolve()))
    (folder / document.name).write_text(text, encoding="utf-8")


def _load(path: Path) -> Any:
    try:
        return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None
