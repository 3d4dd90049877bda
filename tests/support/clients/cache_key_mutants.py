"""Variants of the clients service whose caches use too small a key, served by gunicorn.

The tests of the fast path must detect each variant.
"""

from collections.abc import Callable
from typing import Any

from clients.app import create_app
from servicekit.auth.guard import Authorizer
from servicekit.auth.tokens import TokenVerifier
from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.openapi.parameters import Parameters
from servicekit.openapi.request_body import RequestBody


def cache_method(owner: type, method: str, key: Callable[..., Any]) -> None:
    """Replace a method by one that returns the first result for the same ``key``."""
    original, cached = getattr(owner, method), {}

    def from_cache(*arguments: Any) -> Any:
        cache_key = key(*arguments)
        if cache_key not in cached:
            cached[cache_key] = original(*arguments)
        return cached[cache_key]

    setattr(owner, method, from_cache)


def ignoring_token_expiry() -> WsgiBridge:
    """Cache tokens without their expiry."""
    cache_method(TokenVerifier, "verify", lambda verifier, token: (verifier, token))
    return create_app()


def ignoring_token_signature() -> WsgiBridge:
    """Cache tokens by header and claims, without the signature."""
    cache_method(
        TokenVerifier, "verify", lambda verifier, token: (verifier, token.rpartition(".")[0])
    )
    return create_app()


def ignoring_operation_of_token() -> WsgiBridge:
    """Cache the authorization of a token without the operation."""
    cache_method(Authorizer, "authorize", lambda _, request: request.headers.get("Authorization"))
    return create_app()


def ignoring_body() -> WsgiBridge:
    """Cache the first valid body of an operation."""
    cache_method(RequestBody, "read", lambda body, _: body)
    return create_app()


def ignoring_query() -> WsgiBridge:
    """Cache the first valid parameters of a path."""
    cache_method(Parameters, "read", lambda parameters, request: (parameters, request.path))
    return create_app()
