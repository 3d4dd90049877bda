"""The clients service with the checks left out that a cache could forget; gunicorn serves them.

Each remembers what went well once, by too little of what it depended on.
"""

from collections.abc import Callable
from typing import Any

from clients.app import create_app
from servicekit.auth.guard import Guard
from servicekit.auth.tokens import Verifier
from servicekit.http.wsgi_bridge import Bridge
from servicekit.openapi.parameters import Parameters
from servicekit.openapi.request_body import Body


def remember(owner: type, method: str, key: Callable[..., Any]) -> None:
    """Have a method answer what it answered when it was last called with the same ``key``."""
    whole, known = getattr(owner, method), {}

    def remembering(*arguments: Any) -> Any:
        by = key(*arguments)
        if by not in known:
            known[by] = whole(*arguments)
        return known[by]

    setattr(owner, method, remembering)


def a_token_for_ever() -> Bridge:
    """Accept a token that was accepted once, and look at no clock."""
    remember(Verifier, "verify", lambda verifier, token: (verifier, token))
    return create_app()


def a_token_by_its_claims() -> Bridge:
    """Accept a token whose claims were accepted once, whoever signed it."""
    remember(Verifier, "verify", lambda verifier, token: (verifier, token.rpartition(".")[0]))
    return create_app()


def a_caller_at_all_operations() -> Bridge:
    """Let a caller in everywhere who was let in anywhere."""
    remember(Guard, "admit", lambda _, request: request.headers.get("Authorization"))
    return create_app()


def a_body_by_its_operation() -> Bridge:
    """Check the bodies of an operation until one is good."""
    remember(Body, "read", lambda body, _: body)
    return create_app()


def parameters_by_their_path() -> Bridge:
    """Check the parameters of a path until they are good."""
    remember(Parameters, "read", lambda parameters, request: (parameters, request.path))
    return create_app()
