"""The parts of Connexion that the services are built on, without the rest of it.

``import connexion`` brings its applications and middleware, its test client with httpx, and what
fetches contracts from the web. That takes time at every start and serves nobody, since
``servicekit.http.wsgi_bridge`` stands where its applications do. So these packages are entered
without their own code, which runs when something of theirs is first wanted: who imports Connexion
after this has all of it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec

PACKAGES = (
    "connexion",
    "connexion.frameworks",
    "connexion.middleware",
    "requests",  # only for a contract that is a URL
)


@contextmanager
def _entered(packages: tuple[str, ...]) -> Iterator[None]:
    """Let modules of packages be imported without what the packages themselves do."""
    entered = [name for name in packages if name not in sys.modules]
    for name in entered:
        _enter(name, entered)
    yield
    entered.clear()


def _enter(name: str, entered: list[str]) -> None:
    """Have a package run its own code at the first look for what it lacks (PEP 562), not yet."""
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name=name)
    run, package = spec.loader.exec_module, module_from_spec(spec)

    def lacking(wanted: str) -> object:
        if name in entered:
            message = f"{name} has no {wanted} yet"
            raise AttributeError(message)
        del package.__dict__["__getattr__"]
        run(package)
        return getattr(package, wanted)

    package.__dict__["__getattr__"] = lacking
    sys.modules[name] = package


with _entered(PACKAGES):
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
