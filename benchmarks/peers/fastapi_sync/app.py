# mypy: allow-subclassing-any, allow-untyped-decorators, no-warn-unused-ignores
# The packages of the peers are absent from this environment.
"""The four operations in FastAPI's synchronous handlers."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Request, Response
from sqlalchemy.orm import Session

from benchmarks.peers import rules, storage
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

CONNECTIONS = 40  # as many as Starlette's pool has threads

sessions = storage.session_factory(CONNECTIONS)
app = with_error_handlers(FastAPI())


def session() -> Iterator[Session]:
    """Open a session for one request."""
    with sessions() as opened:
        yield opened


def reader(authorization: Annotated[str | None, Header()] = None) -> rules.Caller:
    """Return the caller, who needs the read scope."""
    return rules.allow(rules.decode(rules.bearer(authorization)), rules.READ)


def writer(authorization: Annotated[str | None, Header()] = None) -> rules.Caller:
    """Return the caller, who needs the write scope."""
    return rules.allow(rules.decode(rules.bearer(authorization)), rules.WRITE)


Opened = Annotated[Session, Depends(session)]
Reader = Annotated[rules.Caller, Depends(reader)]
Writer = Annotated[rules.Caller, Depends(writer)]


@app.get("/clients/fetch/{client_id}", response_model=ClientOut)
def fetch(caller: Reader, client_id: ClientId, db: Opened, response: Response) -> Any:  # noqa: ANN401 - FastAPI turns it into the model
    """Return one client."""
    row = storage.fetch(db, caller.realm, client_id)
    response.headers["ETag"] = f'"{row.version}"'
    return row.to_dict()


@app.get("/clients/fetch", response_model=list[ClientOut])
def list_all(
    caller: Reader,
    db: Opened,
    request: Request,
    response: Response,
    limit: Limit = rules.MAX_PAGE_SIZE,
    after: After = 0,
) -> Any:  # noqa: ANN401 - as above
    """Return a page of clients."""
    rows = storage.page(db, caller.realm, limit, after)
    if len(rows) > limit:
        last = rows[limit - 1].id
        response.headers["Link"] = rules.next_link(request.url.path, limit, last)
    return [row.to_dict() for row in rows[:limit]]


@app.post("/clients/create", status_code=201)
def create(caller: Writer, body: ClientIn, db: Opened, response: Response) -> Created:
    """Create a client."""
    identifier = storage.create(db, caller.realm, **body.model_dump())
    response.headers["ETag"] = '"1"'
    return Created(msg="Client created", id=identifier)


@app.put("/clients/update/{client_id}")
def update(
    caller: Writer, client_id: ClientId, body: ClientIn, db: Opened, response: Response
) -> Message:
    """Replace a client."""
    version = storage.update(db, caller.realm, client_id, **body.model_dump())
    response.headers["ETag"] = f'"{version}"'
    return Message(msg="Client updated")
