"""Loading of contracts: one OpenAPI 3.0 document from a file and its shared components."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

# libyaml is some ten times faster; every wheel has it, but not every source build
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class ContractError(Exception):
    """A contract that cannot be read or does not match its handlers."""


def load_contract(path: Path) -> dict[str, Any]:
    """Return the contract at ``path`` as one document without references to other files.

    A reference ``common/<kind>.yaml#/<Name>`` becomes ``#/components/<kind>/<Name>``. The function
    copies the referenced component, and those that it references, into the document.

    Raises:
        ContractError: a file is missing or is not YAML, or a reference has no target.

    """
    return _RefBundler(path).document


def dereference(contract: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bundled contract with every reference replaced by its target.

    The contract must not have recursive schemas.
    """
    components = contract["components"]

    def expand(node: Any) -> Any:  # noqa: ANN401 - any YAML node
        if isinstance(node, list):
            return [expand(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            _, _, kind, name = node["$ref"].split("/")
            return expand(components[kind][name])
        return {name: expand(item) for name, item in node.items()}

    return {name: expand(item) for name, item in contract.items()}


def operations(contract: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every operation of a contract as its path, its method and its Operation Object."""
    for path, item in contract["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


class _RefBundler:
    """Copies the shared components that a contract references into it."""

    def __init__(self, path: Path) -> None:
        self._files: dict[Path, Any] = {}
        self._imported: dict[str, Path] = {}
        self.document: dict[str, Any] = self._read(path)
        self.document.setdefault("components", {})
        self._root = path.resolve()
        self._rewrite_refs(self.document, self._root)

    def _read(self, path: Path) -> Any:  # noqa: ANN401 - any YAML document
        path = path.resolve()
        if path not in self._files:
            try:
                self._files[path] = yaml.load(path.read_bytes(), _Loader)  # noqa: S506 - a safe loader
            except (OSError, yaml.YAMLError) as error:
                raise ContractError(f"cannot read the contract {path}: {error}") from error
        return self._files[path]

    def _rewrite_refs(self, node: Any, file: Path) -> None:  # noqa: ANN401 - any YAML node
        """Replace the references below ``node``, a part of ``file``, by local ones."""
        if isinstance(node, list):
            for item in node:
                self._rewrite_refs(item, file)
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                node["$ref"] = self._import_component(reference, file)
            else:
                for value in list(node.values()):
                    self._rewrite_refs(value, file)

    def _import_component(self, reference: str, file: Path) -> str:
        """Copy the target of ``reference`` into the components and return its local name."""
        name, _, pointer = reference.partition("#/")
        source = (file.parent / name).resolve() if name else file
        if source == self._root:
            return reference
        local = f"#/components/{source.stem}/{pointer}"
        if local in self._imported:
            return local
        try:
            component = self._read(source)[pointer]
        except KeyError:
            raise ContractError(
                f"{file.name} refers to {reference}, which does not exist"
            ) from None
        self._imported[local] = source
        # it replaces a component of the document that is only a reference to it
        self.document["components"].setdefault(source.stem, {})[pointer] = component
        self._rewrite_refs(component, source)
        return local
