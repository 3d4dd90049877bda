# mypy: allow-subclassing-any, allow-untyped-decorators, no-warn-unused-ignores
# The packages of the peers are absent from this environment.
"""The four operations in Flask's views."""

from decimal import Decimal
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from benchmarks.peers import rules, storage

THREADS = 4  # as in gunicorn's options

sessions = storage.session_factory(THREADS)
app = Flask(__name__)
_PARSERS: dict[str, Any] = {
    "name": rules.parse_name,
    "email": rules.parse_email,
    "cpf": rules.parse_cpf,
    "balance": rules.parse_balance,
}


def caller(scope: str) -> rules.Caller:
    """Return the caller; raises ``ProblemError``."""
    token = rules.bearer(request.headers.get("Authorization"))
    return rules.allow(rules.decode(token), scope)


def number(name: str, text: str | None, default: int, minimum: int, maximum: int) -> int:
    """Return a query parameter; raises ``ProblemError``."""
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not minimum <= int(text) <= maximum:
        raise rules.ProblemError(400, f"must be from {minimum} to {maximum}", name)
    return int(text)


def client() -> dict[str, Any]:
    """Return the checked body; raises ``ProblemError``."""
    body = request.get_json()
    if not isinstance(body, dict):
        raise rules.ProblemError(400, "must be an object", "body")
    for field in body:
        if field not in rules.FIELDS:
            raise rules.ProblemError(400, "is unknown", field)
    checked: dict[str, Any] = {}
    for field, parse in _PARSERS.items():
        checked[field] = _parsed(body, field, parse)
    return checked


def _parsed(body: dict[str, Any], field: str, parse: Any) -> str | Decimal:  # noqa: ANN401 - one of four
    value = body.get(field)
    kinds = (int, float, str) if field == "balance" else (str,)
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise rules.ProblemError(400, "is missing or of the wrong type", field)
    try:
        parsed: str | Decimal = parse(value)
    except ValueError as error:
        raise rules.ProblemError(400, str(error), field) from None
    return parsed


@app.get("/clients/fetch/<int:client_id>")
def fetch(client_id: int) -> Response:
    """Return one client."""
    realm = caller(rules.READ).realm
    _check_id(client_id)
    with sessions() as session:
        row = storage.fetch(session, realm, client_id)
        response = jsonify(row.to_dict())
        response.headers["ETag"] = f'"{row.version}"'
    return response


@app.get("/clients/fetch")
def list_all() -> Response:
    """Return a page of clients."""
    realm = caller(rules.READ).realm
    limit = number("limit", request.args.get("limit"), rules.MAX_PAGE_SIZE, 1, rules.MAX_PAGE_SIZE)
    after = number("after", request.args.get("after"), 0, 0, rules.MAX_ID)
    with sessions() as session:
        rows = storage.page(session, realm, limit, after)
        response = jsonify([row.to_dict() for row in rows[:limit]])
    if len(rows) > limit:
        response.headers["Link"] = rules.next_link(request.path, limit, rows[limit - 1].id)
    return response


@app.post("/clients/create")
def create() -> Response:
    """Create a client."""
    realm = caller(rules.WRITE).realm
    body = client()
    with sessions() as session:
        identifier = storage.create(session, realm, **body)
    response = jsonify({"msg": "Client created", "id": identifier})
    response.status_code = 201
    response.headers["ETag"] = '"1"'
    return response


@app.put("/clients/update/<int:client_id>")
def update(client_id: int) -> Response:
    """Replace a client."""
    realm = caller(rules.WRITE).realm
    _check_id(client_id)
    body = client()
    with sessions() as session:
        version = storage.update(session, realm, client_id, **body)
    response = jsonify({"msg": "Client updated"})
    response.headers["ETag"] = f'"{version}"'
    return response


def _check_id(client_id: int) -> None:
    if not 1 <= client_id <= rules.MAX_ID:
        raise rules.ProblemError(400, "is out of range", "client_id")


@app.errorhandler(rules.ProblemError)
def problem(error: rules.ProblemError) -> Response:
    """Return a problem."""
    response = jsonify(error.document())
    response.status_code = error.status
    response.headers.update(error.headers)
    response.content_type = "application/problem+json"
    return response


@app.errorhandler(HTTPException)
def http(error: HTTPException) -> Response:
    """Return an error of Flask as a problem."""
    return problem(rules.ProblemError(error.code or 500, error.description or error.name))
