"""The contract of clients on plain Connexion, served by uvicorn.

``app`` serves the whole contract, and ``split_app`` serves it as three specifications. Clients are
kept in memory; tokens are verified as in Connexion's examples.
"""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import connexion
import jwt
from connexion.resolver import Resolver

from servicekit.openapi.contract import load_contract

_clients: dict[int, dict[str, Any]] = {}
_ids = itertools.count(1)
_JSON = {"Content-Type": "application/json"}
_keys = jwt.PyJWKClient(os.environ["JWKS_URL"])


def token_info(token: str) -> dict[str, Any]:
    """Return the claims of a token."""
    key = _keys.get_signing_key_from_jwt(token)
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["ES256"], audience="cadastro")
    return claims


def create(body: dict[str, Any], **_: Any) -> tuple[Any, int, dict[str, str]]:
    """Store a client or an address."""
    client_id = next(_ids)
    _clients[client_id] = body
    return {"msg": "Created", "id": client_id}, 201, _JSON


def list_all(limit: int = 1000, **_: Any) -> tuple[Any, int, dict[str, str]]:
    """Return the ids of all stored objects."""
    return [{"id": client_id} for client_id in _clients][:limit], 200, _JSON


def other(**_: Any) -> tuple[Any, int, dict[str, str]]:
    """Return a fixed response for all other operations."""
    return {"msg": "Done"}, 200, _JSON


def _handler(operation_id: str) -> Callable[..., Any]:
    handlers: dict[str, Callable[..., Any]] = {"create": create, "list_all": list_all}
    return handlers.get(operation_id.rpartition(".")[2], other)


def _create_app(*prefixes: str) -> connexion.FlaskApp:
    """Return an application with one specification for each path prefix."""
    app = connexion.FlaskApp(__name__)
    for prefix in prefixes:
        contract = load_contract(Path(os.environ["CONTRACTS_DIR"]) / "clients.yaml")
        contract["paths"] = {
            path: item for path, item in contract["paths"].items() if path.startswith(prefix)
        }
        contract["components"]["securitySchemes"]["token"]["x-tokenInfoFunc"] = (
            f"{__name__}.token_info"
        )
        app.add_api(contract, resolver=Resolver(_handler), name=prefix)
    return app


app = _create_app("/")
split_app = _create_app("/clients/c", "/address/", "/clients/h")
