"""The contract of clients on Connexion as it comes: what the traps are shown to catch.

``uvicorn stock:app``, and ``stock:pieces`` for one contract in several specifications. It keeps
clients in memory and checks tokens as Connexion's examples do.
"""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import connexion
import jwt
from connexion.resolver import Resolver

from servicekit.openapi.specification import load_contract

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
    """Keep a client, or an address; it does not matter which."""
    client_id = next(_ids)
    _clients[client_id] = body
    return {"msg": "Created", "id": client_id}, 201, _JSON


def list_all(limit: int = 1000, **_: Any) -> tuple[Any, int, dict[str, str]]:
    """Answer the ids of what is kept."""
    return [{"id": client_id} for client_id in _clients][:limit], 200, _JSON


def other(**_: Any) -> tuple[Any, int, dict[str, str]]:
    """Answer everything else."""
    return {"msg": "Done"}, 200, _JSON


def _handler(operation_id: str) -> Callable[..., Any]:
    handlers: dict[str, Callable[..., Any]] = {"create": create, "list_all": list_all}
    return handlers.get(operation_id.rpartition(".")[2], other)


def _served(*prefixes: str) -> connexion.FlaskApp:
    """Serve the contract in one piece, or in one for each prefix of a path."""
    app = connexion.FlaskApp(__name__)
    for prefix in prefixes:
        contract = load_contract(Path(os.environ["CONTRACTS_DIR"]) / "clients.yaml")
        contract["paths"] = {
            path: item for path, item in contract["paths"].items() if path.startswith(prefix)
        }
        contract["components"]["securitySchemes"]["token"]["x-tokenInfoFunc"] = "stock.token_info"
        app.add_api(contract, resolver=Resolver(_handler), name=prefix)
    return app


app = _served("/")
pieces = _served("/clients/c", "/address/", "/clients/h")
