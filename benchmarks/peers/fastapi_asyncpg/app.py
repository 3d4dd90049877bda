# mypy: allow-subclassing-any, allow-untyped-decorators, no-warn-unused-ignores
# The packages of the peers are absent from this environment.
"""The four operations in FastAPI's coroutine handlers, with SQL written by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, FastAPI, Header, Request, Response

from benchmarks.peers import rules
from benchmarks.peers.models import (
    After,
    ClientId,
    ClientIn,
    ClientOut,
    Created,
    Limit,
    Message,
    with_error_handlers,
)

CONNECTIONS = 10

COLUMNS = "id, name, email, cpf, balance::text, version"
FETCH = f"SELECT {COLUMNS} FROM clients WHERE id = $1 AND realm = $2"  # noqa: S608 - constants
PAGE = f"SELECT {COLUMNS} FROM clients WHERE realm = $1 AND id > $2 ORDER BY id LIMIT $3"  # noqa: S608 - constants
CREATE = (
    "INSERT INTO clients (realm, name, email, email_key, cpf, balance)"
    " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id"
)
UPDATE = (
    "UPDATE clients SET name = $3, email = $4, email_key = $5, cpf = $6, balance = $7,"
    " version = version + 1 WHERE id = $1 AND realm = $2 RETURNING version"
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep the pool open while the application runs."""
    pool = await asyncpg.create_pool(rules.DATABASE_URL, min_size=CONNECTIONS, max_size=CONNECTIONS)
    app.state.pool = pool
    yield
    await pool.close()


app = with_error_handlers(FastAPI(lifespan=lifespan))


async def reader(authorization: Annotated[str | None, Header()] = None) -> rules.Caller:
    """Return the caller, who needs the read scope."""
    return rules.allow(rules.decode_cached(rules.bearer(authorization)), rules.READ)


async def writer(authorization: Annotated[str | None, Header()] = None) -> rules.Caller:
    """Return the caller, who needs the write scope."""
    return rules.allow(rules.decode_cached(rules.bearer(authorization)), rules.WRITE)


Reader = Annotated[rules.Caller, Depends(reader)]
Writer = Annotated[rules.Caller, Depends(writer)]


@app.get("/clients/fetch/{client_id}", response_model=ClientOut)
async def fetch(caller: Reader, client_id: ClientId, request: Request, response: Response) -> Any:  # noqa: ANN401 - FastAPI turns it into the model
    """Return one client."""
    row = await request.app.state.pool.fetchrow(FETCH, client_id, caller.realm)
    if row is None:
        raise rules.ProblemError(404, "there is no such client")
    response.headers["ETag"] = f'"{row["version"]}"'
    return dict(row)


@app.get("/clients/fetch", response_model=list[ClientOut])
async def list_all(
    caller: Reader,
    request: Request,
    response: Response,
    limit: Limit = rules.MAX_PAGE_SIZE,
    after: After = 0,
) -> Any:  # noqa: ANN401 - as above
    """Return a page of clients."""
    rows = await request.app.state.pool.fetch(PAGE, caller.realm, after, limit + 1)
    if len(rows) > limit:
        last = rows[limit - 1]["id"]
        response.headers["Link"] = rules.next_link(request.url.path, limit, last)
    return [dict(row) for row in rows[:limit]]


@app.post("/clients/create", status_code=201)
async def create(caller: Writer, body: ClientIn, request: Request, response: Response) -> Created:
    """Create a client."""
    values = (body.name, body.email, body.email.casefold(), body.cpf, body.balance)
    try:
        identifier = await request.app.state.pool.fetchval(CREATE, caller.realm, *values)
    except asyncpg.UniqueViolationError as error:
        raise rules.taken(error.constraint_name) from None
    response.headers["ETag"] = '"1"'
    return Created(msg="Client created", id=identifier)


@app.put("/clients/update/{client_id}")
async def update(
    caller: Writer, client_id: ClientId, body: ClientIn, request: Request, response: Response
) -> Message:
    """Replace a client."""
    values = (body.name, body.email, body.email.casefold(), body.cpf, body.balance)
    try:
        version = await request.app.state.pool.fetchval(UPDATE, client_id, caller.realm, *values)
    except asyncpg.UniqueViolationError as error:
        raise rules.taken(error.constraint_name) from None
    if version is None:
        raise rules.ProblemError(404, "there is no such client")
    response.headers["ETag"] = f'"{version}"'
    return Message(msg="Client updated")
