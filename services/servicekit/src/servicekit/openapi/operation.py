"""Compiled operations: authorization, parameters, request body, handler, response."""

import inspect
from collections.abc import Callable, Collection
from typing import Any

from flask import Request
from flask.globals import request_ctx

from servicekit.auth.guard import Authorizer, Credentials
from servicekit.auth.tokens import Principal, TokenVerifier
from servicekit.http.responses import JsonResponse, Result
from servicekit.openapi.contract import ContractError
from servicekit.openapi.lazy_connexion import AbstractOperation
from servicekit.openapi.parameters import Parameters
from servicekit.openapi.request_body import RequestBody
from servicekit.openapi.resolver import Handler
from servicekit.problems import Problem
from servicekit.telemetry.shared_metrics import OPERATION

CALLER_ARGUMENTS = frozenset({"principal", "credentials"})

_PROBLEM_HOOK = "problem_hook"  # attribute of a handler


class Operation:
    """A Flask view for one operation of a contract.

    The constructor compiles the contract. A request then runs in a fixed order: authorize the
    caller, read the parameters, read the body, call the handler, encode the result.
    """

    def __init__(self, operation: AbstractOperation, verifier: TokenVerifier) -> None:
        """Compile an operation that Connexion has parsed and resolved.

        Raises:
            ContractError: the contract and the handler's signature differ, or a parameter of the
                contract is invalid.

        """
        self.operation_id: str = operation.operation_id
        self._handler = operation.function
        self._authorizer = Authorizer(operation.security or [], verifier)
        try:
            self._parameters = Parameters(operation.parameters, strict="400" in operation.responses)
        except ContractError as error:
            raise ContractError(f"operation {self.operation_id}: {error}") from error
        self._body = RequestBody(operation.request_body) if operation.request_body else None
        self._problem_hook: Callable[[Problem], None] = getattr(
            self._handler, _PROBLEM_HOOK, _no_hook
        )
        signature = inspect.signature(self._handler).parameters
        self._handler_parameters = frozenset(signature)
        self._check_signature(signature.values())

    def __call__(self, **_: str) -> JsonResponse:
        """Handle the current request."""
        request = request_ctx.request  # Flask's proxy costs a call for each access
        request.environ[OPERATION] = self.operation_id
        try:
            return self._handle(request)
        except Problem as problem:
            self._problem_hook(problem)
            raise

    def _check_signature(self, signature: Collection[inspect.Parameter]) -> None:
        """Check that the handler takes what the contract declares, and needs nothing else."""
        declared = self._parameters.arguments | ({"body"} if self._body else set())
        required = {each.name for each in signature if each.default is each.empty}
        ignored = declared - self._handler_parameters
        unknown = required - declared - CALLER_ARGUMENTS
        if ignored:
            raise ContractError(
                f"the handler of {self.operation_id} does not take {', '.join(sorted(ignored))}, "
                "which the contract declares"
            )
        if unknown:
            raise ContractError(
                f"the handler of {self.operation_id} needs {', '.join(sorted(unknown))}, "
                "which the contract does not declare"
            )

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
