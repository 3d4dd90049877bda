"""Lands every operationId on its handler: ``clients.create`` on ``handlers/clients.py::create``."""

import inspect
import pkgutil
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from servicekit.openapi.lazy_connexion import AbstractOperation, Resolution, Resolver
from servicekit.openapi.specification import ContractError

Handler = Callable[..., Any]


class HandlerResolver(Resolver):  # type: ignore[misc] # Connexion ships no types
    """Finds handlers by name in one service's ``handlers`` package, and counts them off."""

    def __init__(self, package: str) -> None:
        """Import every module of ``<package>.handlers``."""
        super().__init__()
        self._handlers = dict(_handlers(import_module(f"{package}.handlers")))
        self._unanswered: list[str] = []
        self._used: set[str] = set()

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """Return the handler of an operation; an alias has the one of what it stands for."""
        operation_id = operation.operation_id
        name = operation._operation.get("x-alias-of", operation_id)  # noqa: SLF001 - no accessor
        handler = self._handlers.get(name)
        if handler is None:
            self._unanswered.append(operation_id)
        self._used.add(name)
        return Resolution(handler, operation_id)

    def check(self) -> None:
        """Make sure that contract and handlers are the same set.

        Raises:
            ContractError: it names each operation without a handler, and each handler without
                an operation.

        """
        idle = sorted(self._handlers.keys() - self._used)
        problems = [f"operation {name} has no handler" for name in self._unanswered]
        problems += [f"handler {name} has no operation in the contract" for name in idle]
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
