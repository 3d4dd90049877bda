# mypy: allow-subclassing-any, allow-untyped-decorators, no-warn-unused-ignores
# The packages of the peers are absent from this environment.
"""Pydantic models of FastAPI's peers, and their error handlers."""

from decimal import Decimal
from typing import Annotated

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from starlette.exceptions import HTTPException

from benchmarks.peers import rules

ClientId = Annotated[int, Path(ge=1, le=rules.MAX_ID)]
Limit = Annotated[int, Query(ge=1, le=rules.MAX_PAGE_SIZE)]
After = Annotated[int, Query(ge=0, le=rules.MAX_ID)]
Text = Annotated[str, StringConstraints(strict=True)]


class ClientIn(BaseModel):
    """A client in a request."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, AfterValidator(rules.parse_name)]
    email: Annotated[Text, AfterValidator(rules.parse_email)]
    cpf: Annotated[Text, AfterValidator(rules.parse_cpf)]
    balance: Annotated[Decimal, BeforeValidator(rules.parse_balance)]


class ClientOut(BaseModel):
    """A client in a response."""

    id: int
    name: str
    email: str
    cpf: str
    balance: str


class Message(BaseModel):
    """The response to a write."""

    msg: str


class Created(Message):
    """The response to a create."""

    id: int


def with_error_handlers(app: FastAPI) -> FastAPI:
    """Return the application with handlers that render every error as a problem."""

    async def problem(_: Request, error: rules.ProblemError) -> JSONResponse:
        return JSONResponse(
            error.document(), error.status, error.headers, "application/problem+json"
        )

    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"][1:])
        return await problem(request, rules.ProblemError(400, first["msg"], field or "body"))

    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return await problem(request, rules.ProblemError(error.status_code, error.detail))

    app.add_exception_handler(rules.ProblemError, problem)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, http)  # type: ignore[arg-type]
    return app
