# mypy: allow-subclassing-any, allow-untyped-decorators, no-warn-unused-ignores
# The packages of the peers are absent from this environment.
"""The four operations behind Connexion's own application."""

import json
from pathlib import Path
from typing import Any

from connexion import FlaskApp
from connexion.exceptions import ProblemException
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from starlette.exceptions import HTTPException

from benchmarks.peers import rules, storage

CONNECTIONS = 10  # as many as a2wsgi has threads

sessions = storage.sessions(CONNECTIONS)


def decode(token: str) -> dict[str, Any]:
    """Return what Connexion wants to know of a token."""
    caller = rules.decode(token)
    return {"sub": caller.realm, "scope": sorted(caller.scopes)}


def fetch(client_id: int, user: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Answer one client."""
    with sessions() as session:
        row = storage.fetch(session, user, client_id)
        return row.shown(), 200, {"ETag": f'"{row.version}"'}


def list_all(user: str, limit: int, after: int) -> tuple[list[Any], int, dict[str, str]]:
    """Answer a page of clients."""
    with sessions() as session:
        rows = storage.page(session, user, limit, after)
        shown = [row.shown() for row in rows[:limit]]
    if len(rows) <= limit:
        return shown, 200, {}
    return shown, 200, {"Link": rules.next_link("/clients/fetch", limit, rows[limit - 1].id)}


def create(body: dict[str, Any], user: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Make a client."""
    with sessions() as session:
        identifier = storage.create(session, user, **_parsed(body))
    return {"msg": "Client created", "id": identifier}, 201, {"ETag": '"1"'}


def update(
    client_id: int, body: dict[str, Any], user: str
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Replace a client."""
    with sessions() as session:
        version = storage.update(session, user, client_id, **_parsed(body))
    return {"msg": "Client updated"}, 200, {"ETag": f'"{version}"'}


def _parsed(body: dict[str, Any]) -> dict[str, Any]:
    """Check what a schema cannot."""
    try:
        return {
            "name": body["name"],
            "email": rules.parse_email(body["email"]),
            "cpf": rules.parse_cpf(body["cpf"]),
            "balance": rules.parse_balance(body["balance"]),
        }
    except ValueError as error:
        raise rules.RefusedError(400, str(error)) from None


def refused(_: ConnexionRequest, error: rules.RefusedError) -> ConnexionResponse:
    """Answer with a problem."""
    return ConnexionResponse(
        status_code=error.status,
        content_type="application/problem+json",
        headers=error.headers,
        body=json.dumps(error.document()),
    )


def problem(request: ConnexionRequest, error: ProblemException) -> ConnexionResponse:
    """Answer what Connexion refuses with the same shape."""
    return refused(request, rules.RefusedError(error.status, str(error.detail)))


def http(request: ConnexionRequest, error: HTTPException) -> ConnexionResponse:
    """Answer what Starlette and Connexion's security refuse with the same shape."""
    return refused(request, rules.RefusedError(error.status_code, error.detail))


app = FlaskApp(__name__, specification_dir=str(Path(__file__).parent))
app.add_api("openapi.yaml", strict_validation=True)
app.add_error_handler(rules.RefusedError, refused)
app.add_error_handler(ProblemException, problem)
app.add_error_handler(HTTPException, http)
