"""One operation, compiled: who may call, what comes in, the handler, what goes out."""

import inspect
from typing import Any

from connexion.operations import AbstractOperation
from flask import Response, request

from servicekit.replies import Reply
from servicekit.security import Credentials, Guard, Principal, Verifier
from servicekit.validation import Body, Parameters


class Operation:
    """A Flask view for one operation of a contract.

    Everything that the contract says is compiled when the service starts; a request then takes
    one path: admit the caller, read the parameters, read the body, call the handler, answer.
    """

    def __init__(self, operation: AbstractOperation, verifier: Verifier) -> None:
        """Compile an operation that Connexion has read and resolved."""
        self.operation_id: str = operation.operation_id
        self._handler = operation.function
        self._guard = Guard(operation.security or [], verifier)
        self._parameters = Parameters(operation.parameters, strict="400" in operation.responses)
        self._body = Body(operation.request_body) if operation.request_body else None
        self._wanted = frozenset(inspect.signature(self._handler).parameters)

    def __call__(self, **_: str) -> Response:
        """Answer the current request."""
        caller = self._guard.admit(request)
        arguments = self._parameters.read(request)
        if self._body is not None:
            arguments["body"] = self._body.read(request)
        arguments.update(_caller(caller))
        wanted = {name: value for name, value in arguments.items() if name in self._wanted}
        answer = self._handler(**wanted)
        return (answer if isinstance(answer, Reply) else Reply(answer)).response()


def _caller(caller: Principal | Credentials | None) -> dict[str, Any]:
    if isinstance(caller, Credentials):
        return {"credentials": caller}
    return {"principal": caller}
