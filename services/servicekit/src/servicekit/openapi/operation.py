"""Compiled operations: authorization, parameters, request body, handler, response."""

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
from servicekit.openapi.request_body import RequestBody
from servicekit.openapi.resolver import Handler
from servicekit.problems import Problem
from servicekit.telemetry.shared_metrics import OPERATION

_PROBLEM_HOOK = "problem_hook"  # attribute of a handler


class Operation:
    """A Flask view for one operation of a contract.

    The constructor compiles the contract. A request then runs in a fixed order: authorize the
    caller, read the parameters, read the body, call the handler, encode the result.
    """

    def __init__(self, operation: AbstractOperation, verifier: TokenVerifier) -> None:
        """Compile an operation that Connexion has parsed and resolved."""
        self.operation_id: str = operation.operation_id
        self._handler = operation.function
        self._authorizer = Authorizer(operation.security or [], verifier)
        self._parameters = Parameters(operation.parameters, strict="400" in operation.responses)
        self._body = RequestBody(operation.request_body) if operation.request_body else None
        self._problem_hook: Callable[[Problem], None] = getattr(
            self._handler, _PROBLEM_HOOK, _no_hook
        )
        self._handler_parameters = frozenset(inspect.signature(self._handler).parameters)

    def __call__(self, **_: str) -> JsonResponse:
        """Handle the current request."""
        request = request_ctx.request  # Flask's proxy costs a call for each access
        request.environ[OPERATION] = self.operation_id
        try:
            return self._handle(request)
        except Problem as problem:
            self._problem_hook(problem)
            raise

    def _handle(self, request: Request) -> JsonResponse:
        caller = self._authorizer.authorize(request)
        arguments = self._parameters.read(request)
        if self._body is not None:
            arguments["body"] = self._body.read(request)
        arguments.update(_caller(caller))
        accepted = {k: v for k, v in arguments.items() if k in self._handler_parameters}
        result = self._handler(**accepted)
        return (result if isinstance(result, Result) else Result(result)).to_response()


def on_problem(hook: Callable[[Problem], None]) -> Callable[[Handler], Handler]:
    """Call ``hook`` with each problem of the decorated handler's operation before it is sent.

    This includes problems that are raised before the handler is called.
    """

    def decorate(handler: Handler) -> Handler:
        setattr(handler, _PROBLEM_HOOK, hook)
        return handler

    return decorate


def _no_hook(_: Problem) -> None:
    pass


def _caller(caller: Principal | Credentials | None) -> dict[str, Any]:
    if isinstance(caller, Credentials):
        return {"credentials": caller}
    return {"principal": caller}
