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

sessions = storage.session_factory(CONNECTIONS)


def decode(token: str) -> dict[str, Any]:
    """Return the token information for Connexion."""
    caller = rules.decode(token)
    return {"sub": caller.realm, "scope": sorted(caller.scopes)}


def fetch(client_id: int, user: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Return one client."""
    with sessions() as session:
        row = storage.fetch(session, user, client_id)
        return row.to_dict(), 200, {"ETag": f'"{row.version}"'}


def list_all(user: str, limit: int, after: int) -> tuple[list[Any], int, dict[str, str]]:
    """Return a page of clients."""
    with sessions() as session:
        rows = storage.page(session, user, limit, after)
        page = [row.to_dict() for row in rows[:limit]]
    if len(rows) <= limit:
        return page, 200, {}
    return page, 200, {"Link": rules.next_link("/clients/fetch", limit, rows[limit - 1].id)}


def create(body: dict[str, Any], user: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Create a client."""
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
    """Validate what a JSON schema cannot express."""
    try:
        return {
            "name": body["name"],
            "email": rules.parse_email(body["email"]),
            "cpf": rules.parse_cpf(body["cpf"]),
            "balance": rules.parse_balance(body["balance"]),
        }
    except ValueError as error:
        raise rules.ProblemError(400, str(error)) from None


def problem(_: ConnexionRequest, error: rules.ProblemError) -> ConnexionResponse:
    """Return a problem."""
    return ConnexionResponse(
        status_code=error.status,
        content_type="application/problem+json",
        headers=error.headers,
        body=json.dumps(error.document()),
    )


def connexion_problem(request: ConnexionRequest, error: ProblemException) -> ConnexionResponse:
    """Return an error of Connexion as a problem."""
    return problem(request, rules.ProblemError(error.status, str(error.detail)))


def http_problem(request: ConnexionRequest, error: HTTPException) -> ConnexionResponse:
    """Return an error of Starlette or of Connexion's security as a problem."""
    return problem(request, rules.ProblemError(error.status_code, error.detail))


app = FlaskApp(__name__, specification_dir=str(Path(__file__).parent))
app.add_api("openapi.yaml", strict_validation=True)
app.add_error_handler(rules.ProblemError, problem)
app.add_error_handler(ProblemException, connexion_problem)
app.add_error_handler(HTTPException, http_problem)
