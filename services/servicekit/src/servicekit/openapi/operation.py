"""One operation, compiled: who may call, what comes in, the handler, what goes out."""

import inspect
from collections.abc import Callable
from typing import Any

from flask import Request
from flask.globals import request_ctx

from servicekit.auth.guard import Authorizer, Credentials
from servicekit.auth.tokens import Principal, TokenVerifier
from servicekit.http.responses import JsonResponse, Result
from servicekit.openapi.lazy_connexion import AbstractOperation
from servicekit.openapi.parameters import Parameters
from servicekit.openapi.request_body import Body
from servicekit.openapi.resolver import Handler
from servicekit.problems import Problem
from servicekit.telemetry.shared_metrics import OPERATION

REFINE = "refine"  # the attribute of a handler


class Operation:
    """A Flask view for one operation of a contract.

    Everything that the contract says is compiled when the service starts; a request then takes
    one path: admit the caller, read the parameters, read the body, call the handler, answer.
    """

    def __init__(self, operation: AbstractOperation, verifier: TokenVerifier) -> None:
        """Compile an operation that Connexion has read and resolved."""
        self.operation_id: str = operation.operation_id
        self._handler = operation.function
        self._authorizer = Authorizer(operation.security or [], verifier)
        self._parameters = Parameters(operation.parameters, strict="400" in operation.responses)
        self._body = Body(operation.request_body) if operation.request_body else None
        self._refine: Callable[[Problem], None] = getattr(self._handler, REFINE, _as_it_is)
        self._wanted = frozenset(inspect.signature(self._handler).parameters)

    def __call__(self, **_: str) -> JsonResponse:
        """JsonResponse the current request."""
        request = request_ctx.request  # itself: each look through Flask's proxy costs a call
        request.environ[OPERATION] = self.operation_id
        try:
            return self._answer(request)
        except Problem as problem:
            self._refine(problem)
            raise

    def _answer(self, request: Request) -> JsonResponse:
        caller = self._authorizer.authorize(request)
        arguments = self._parameters.read(request)
        if self._body is not None:
            arguments["body"] = self._body.read(request)
        arguments.update(_caller(caller))
        wanted = {name: value for name, value in arguments.items() if name in self._wanted}
        reply = self._handler(**wanted)
        return (reply if isinstance(reply, Result) else Result(reply)).to_response()


def refining(refine: Callable[[Problem], None]) -> Callable[[Handler], Handler]:
    """Let ``refine`` add to every problem that the decorated handler's operation answers with.

    It sees those that are raised before the handler is called, too.
    """

    def decorate(handler: Handler) -> Handler:
        setattr(handler, REFINE, refine)
        return handler

    return decorate


def _as_it_is(_: Problem) -> None:
    pass


def _caller(caller: Principal | Credentials | None) -> dict[str, Any]:
    if isinstance(caller, Credentials):
        return {"credentials": caller}
    return {"principal": caller}
