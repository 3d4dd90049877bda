"""Lazy imports of the parts of Connexion that the services use.

``import connexion`` also imports its applications, its middleware, its test client with httpx and
``requests``. The services use none of them, and the import delays every start. This module
registers stubs for these packages, which run the package's own code on the first access to a
missing attribute. A later ``import connexion`` therefore works as usual.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec

PACKAGES = (
    "connexion",
    "connexion.frameworks",
    "connexion.middleware",
    "requests",  # used only for contracts at a URL
)


@contextmanager
def _lazy_imports(packages: tuple[str, ...]) -> Iterator[None]:
    """Allow imports of submodules without running the code of the packages themselves."""
    stubs = [name for name in packages if name not in sys.modules]
    for name in stubs:
        _install_stub(name, stubs)
    yield
    stubs.clear()


def _install_stub(name: str, stubs: list[str]) -> None:
    """Register a stub that runs the package's code on access to a missing name (PEP 562)."""
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name=name)
    exec_module, package = spec.loader.exec_module, module_from_spec(spec)

    def module_getattr(attribute: str) -> object:
        if name in stubs:
            raise AttributeError(f"{name} has no {attribute} yet")
        del package.__dict__["__getattr__"]
        exec_module(package)
        return getattr(package, attribute)

    package.__dict__["__getattr__"] = module_getattr
    sys.modules[name] = package


with _lazy_imports(PACKAGES):
    from connexion.frameworks.flask import flaskify_path
    from connexion.middleware.abstract import AbstractRoutingAPI
    from connexion.operations import AbstractOperation
    from connexion.resolver import Resolution, Resolver
    from connexion.spec import OpenAPISpecification

__all__ = [
    "AbstractOperation",
    "AbstractRoutingAPI",
    "OpenAPISpecification",
    "Resolution",
    "Resolver",
    "flaskify_path",
]
