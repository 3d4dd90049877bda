"""Reads a service's contract: one OpenAPI 3.0 document out of a file and its shared parts."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import yaml

from servicekit.openapi.lazy_connexion import OpenAPISpecification

# libyaml reads a contract some ten times faster; every wheel has it, not every source build
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class ContractError(Exception):
    """A contract that cannot be read, or does not fit the handlers that answer it."""


def load_contract(path: Path) -> dict[str, Any]:
    """Return the contract at ``path`` as one document without references to other files.

    A reference ``common/<kind>.yaml#/<Name>`` becomes ``#/components/<kind>/<Name>``; what it
    names is carried into the document's own components, with all that it refers to in turn.

    Raises:
        ContractError: a file is missing, is not YAML, or does not hold what a reference names.

    """
    return _Bundle(path).document


def operations(contract: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every operation of a contract as its path, its method and its Operation Object."""
    for path, item in contract["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


class Specification(OpenAPISpecification):  # type: ignore[misc] # Connexion ships no types
    """A contract as Connexion reads it."""

    def __init__(self, contract: Mapping[str, Any]) -> None:
        """Read a document without references to other files.

        Raises:
            ContractError: it is not as OpenAPI's own schema of its version describes it.

        """
        super().__init__(orjson.loads(orjson.dumps(contract, option=orjson.OPT_NON_STR_KEYS)))

    @classmethod
    def _validate_spec(cls, spec: dict[str, Any]) -> None:
        """Check by the schema that Connexion brings, with the validator that checks bodies.

        Connexion's own check takes longer than all else that is done with a contract. It also
        looks at each ``default``; those that we go by are looked at where they are read.
        """
        validator = jsonschema_rs.Draft4Validator(cls.openapi_schema, mask="it")
        for error in validator.iter_errors(spec):
            fault = _innermost(error)
            place = " > ".join(map(str, fault.instance_path)) or "its root"
            message = f"the contract is not OpenAPI 3.0 at {place}: {fault.message}"
            raise ContractError(message)


def _innermost(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Return what is deepest in the alternatives that an error tells of: what was meant there."""
    kind: Any = error.kind
    if kind.name not in {"anyOf", "oneOf"}:
        return error
    within = [_innermost(each) for alternative in kind.context for each in alternative]
    return max([error, *within], key=lambda each: len(each.instance_path))


class _Bundle:
    """One contract while its shared parts are gathered."""

    def __init__(self, path: Path) -> None:
        self._files: dict[Path, Any] = {}
        self._taken: dict[str, Path] = {}
        self.document: dict[str, Any] = self._read(path)
        self.document.setdefault("components", {})
        self._root = path.resolve()
        self._localise(self.document, self._root)

    def _read(self, path: Path) -> Any:  # noqa: ANN401 - whatever the YAML file holds
        path = path.resolve()
        if path not in self._files:
            try:
                self._files[path] = yaml.load(path.read_bytes(), _Loader)  # noqa: S506 - a safe loader
            except (OSError, yaml.YAMLError) as error:
                message = f"cannot read the contract {path}: {error}"
                raise ContractError(message) from error
        return self._files[path]

    def _localise(self, node: Any, file: Path) -> None:  # noqa: ANN401 - any YAML node
        """Rewrite each reference below ``node``, which stands in ``file``, to a local one."""
        if isinstance(node, list):
            for item in node:
                self._localise(item, file)
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str):
                node["$ref"] = self._take(reference, file)
            else:
                for value in list(node.values()):
                    self._localise(value, file)

    def _take(self, reference: str, file: Path) -> str:
        """Carry what ``reference`` names into the components and return its local name."""
        name, _, pointer = reference.partition("#/")
        source = (file.parent / name).resolve() if name else file
        if source == self._root:
            return reference
        local = f"#/components/{source.stem}/{pointer}"
        if local in self._taken:
            return local
        try:
            part = self._read(source)[pointer]
        except KeyError:
            message = f"{file.name} refers to {reference}, which does not exist"
            raise ContractError(message) from None
        self._taken[local] = source
        # a component that only refers to the shared part gives way to it
        self.document["components"].setdefault(source.stem, {})[pointer] = part
        self._localise(part, source)
        return local
