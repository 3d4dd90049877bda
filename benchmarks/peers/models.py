# mypy: allow-subclassing-any, allow-untyped-decorators, no-warn-unused-ignores
# The packages of the peers are absent from this environment.
"""The bodies that FastAPI reads and writes, and the shape of what it refuses."""

from decimal import Decimal
from typing import Annotated

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from starlette.exceptions import HTTPException

from benchmarks.peers import rules

ClientId = Annotated[int, Path(ge=1, le=rules.LARGEST_ID)]
Limit = Annotated[int, Query(ge=1, le=rules.LARGEST_PAGE)]
After = Annotated[int, Query(ge=0, le=rules.LARGEST_ID)]
Text = Annotated[str, StringConstraints(strict=True)]


class ClientIn(BaseModel):
    """All that is said of a client."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, AfterValidator(rules.parse_name)]
    email: Annotated[Text, AfterValidator(rules.parse_email)]
    cpf: Annotated[Text, AfterValidator(rules.parse_cpf)]
    balance: Annotated[Decimal, BeforeValidator(rules.parse_balance)]


class ClientOut(BaseModel):
    """A client as it is answered."""

    id: int
    name: str
    email: str
    cpf: str
    balance: str


class Done(BaseModel):
    """The answer to a write."""

    msg: str


class Created(Done):
    """The answer to a write that made something."""

    id: int


def refusing(app: FastAPI) -> FastAPI:
    """Give every error the shape of a problem."""

    async def refused(_: Request, error: rules.RefusedError) -> JSONResponse:
        return JSONResponse(
            error.document(), error.status, error.headers, "application/problem+json"
        )

    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"][1:])
        return await refused(request, rules.RefusedError(400, first["msg"], field or "body"))

    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return await refused(request, rules.RefusedError(error.status_code, error.detail))

    app.add_exception_handler(rules.RefusedError, refused)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, http)  # type: ignore[arg-type]
    return app
