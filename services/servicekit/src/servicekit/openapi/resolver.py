"""Resolver of operationIds: ``clients.create`` is ``create`` in ``handlers/clients.py``."""

import inspect
import pkgutil
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from servicekit.openapi.contract import ContractError
from servicekit.openapi.lazy_connexion import AbstractOperation, Resolution, Resolver

Handler = Callable[..., Any]


class HandlerResolver(Resolver):  # type: ignore[misc] # Connexion ships no types
    """Resolves names in one service's ``handlers`` package, and detects mismatches."""

    def __init__(self, package: str) -> None:
        """Import every module of ``<package>.handlers``."""
        super().__init__()
        self._handlers = dict(_handlers(import_module(f"{package}.handlers")))
        self._unresolved: list[str] = []
        self._used: set[str] = set()

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """Return the handler of an operation; an alias shares the handler of its target."""
        operation_id = operation.operation_id
        name = operation._operation.get("x-alias-of", operation_id)  # noqa: SLF001 - no accessor
        handler = self._handlers.get(name)
        if handler is None:
            self._unresolved.append(operation_id)
        self._used.add(name)
        return Resolution(handler, operation_id)

    def check(self) -> None:
        """Check that the contract and the handlers match one to one.

        Raises:
            ContractError: an operation has no handler, or a handler no operation; the message
                names each of them.

        """
        unused = sorted(self._handlers.keys() - self._used)
        problems = [f"operation {name} has no handler" for name in self._unresolved]
        problems += [f"handler {name} has no operation in the contract" for name in unused]
        if problems:
            raise ContractError("; ".join(problems))


def _handlers(package: ModuleType) -> list[tuple[str, Handler]]:
    modules = [
        import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
    ]
    return [
        (f"{module.__name__.rpartition('.')[2]}.{name}", function)
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]
